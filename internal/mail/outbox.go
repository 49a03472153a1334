package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Outbox is a Transport that keeps each mail as a file in a folder, for those who have no mail server, or
// not yet. The files hold codes: only their owner may read them.
type Outbox struct{ dir string }

// Files are written under a passing name, whose beginning is passing. One that has not changed for as long
// as leftAfter was left by a crash: its mail is still queued.
const (
	passing   = ".new-"
	leftAfter = time.Minute
)

// NewOutbox returns the outbox in a folder, which is made, with mode 0700, if it is not there. What crashes
// left in it is deleted.
func NewOutbox(dir string) (*Outbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make outbox: %w", err)
	}
	if err := sweepOutbox(dir); err != nil {
		return nil, fmt.Errorf("sweep outbox: %w", err)
	}
	return &Outbox{dir: dir}, nil
}

// sweepOutbox deletes the files that a crash kept from their place.
func sweepOutbox(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), passing) {
			continue
		}
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) > leftAfter {
			err = os.Remove(filepath.Join(dir, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Send writes the mail to a file named for when it was queued and for its Message-ID: sorted by name is
// sorted by time, and a mail that is sent twice is there once. The file is whole and durable when it is
// there at all. Its bodies are in plain UTF-8, so that it reads as it lies.
func (o *Outbox) Send(_ context.Context, from Address, m Rendered) error {
	msg, err := compose(from, m, gomail.NoEncoding)
	if err != nil {
		return err
	}
	name := m.Date.UTC().Format("20060102T150405Z") + "-" + m.ID + ".eml"
	if err := writeDurably(filepath.Join(o.dir, name), msg); err != nil {
		return &SendError{Stage: "write to the outbox", Cause: err}
	}
	return nil
}

// writeDurably writes a file of mode 0600 beside its place, syncs it, puts it into its place and syncs the
// folder.
func writeDurably(path string, content io.WriterTo) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, passing+"*") // mode 0600
	if err != nil {
		return err
	}
	_, err = content.WriteTo(file)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncFolder(dir)
}

// syncFolder makes the entries of a folder durable. Windows has no such call.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
