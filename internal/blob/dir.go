// Package blob keeps what backups are made of: Dir in a folder, S3 in a bucket. They implement
// backup.Blobs, which says what is promised; package blobtest holds every implementation to it.
//
// What always holds: a blob's name is drawn here, at random, and never comes from a person; a blob is
// there whole and durable or not at all; no error holds a credential.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// part ends the name of a blob's file that is being written.
const part = ".part"

// Dir keeps each blob as a file of a folder, which only the owner may read. Several processes may share
// the folder.
type Dir struct {
	path string
	// hold marks a file as somebody's for as long as it is open. It says no where it is another's, and
	// errNoHold where the system or the file system has no such marks.
	hold func(*os.File) (bool, error)
}

// OpenDir opens a folder, and makes it where there is none.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of backups: %w", explain(err))
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return &Dir{path: path, hold: hold}, nil
}

// Open implements backup.Blobs.
func (d *Dir) Open(ctx context.Context, name string) (backup.Blob, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !isName(name) {
		return nil, backup.ErrNoBlob
	}
	f, err := os.Open(d.file(name + whole))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, backup.ErrNoBlob
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("inspect blob: %w", err), f.Close())
	}
	return &reader{f, info.Size()}, nil
}

type reader struct {
	*os.File
	size int64
}

// Size implements backup.Blob.
func (r *reader) Size() int64 { return r.size }

// Delete implements backup.Blobs. The blob may be back after a power cut: then it is one that nobody
// uses, and goes with the next Sweep.
func (d *Dir) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !isName(name) {
		return nil
	}
	return d.remove(name + whole)
}

func (d *Dir) remove(file string) error {
	if err := os.Remove(d.file(file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// syncFolder makes the entries of a folder durable. Windows has no such call and needs none.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder of backups: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder of backups: %w", explain(err))
	}
	return nil
}

// explain gives the errors of the file system that people can do something about their fault.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.New(fault.Full, "full", phrase.StorageFull).Because(err)
	}
	return err
}
