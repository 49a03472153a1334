// Package keyfile reads and makes the files that hold the server's keys.
//
// What always holds: a file that others than its owner may touch is refused; a file is made whole or not
// at all, never over one that is there, readable by its owner alone, and survives a power cut once it
// was made.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Limit is the size in bytes from which on a file is no key file.
const Limit = 64 << 10

// Read returns what a key file holds. An absent file is fs.ErrNotExist; one that is open to others is
// refused with an error that names the path and the mend.
func Read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("inspect key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a regular file", path)
	}
	// Windows keeps its permissions elsewhere: the mode bits say nothing there.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("key file %s is open to other users of this machine (mode %04o): run chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, Limit))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if len(text) == Limit {
		clear(text)
		return nil, fmt.Errorf("key file %s is larger than any key: %d bytes or more", path, Limit)
	}
	return text, nil
}

// Create makes a key file where there is none. Of several that make it at once one succeeds, and for
// the others what is there then is right too: so read it afterwards.
func Create(path string, text []byte) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	draft, err := os.CreateTemp(folder, "."+filepath.Base(path)+"-*") // O_EXCL, mode 0600
	if err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(text)
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	// Linking, unlike renaming, never replaces what somebody else has made meanwhile.
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make key file: %w", err)
	}
	return syncFolder(folder)
}

// syncFolder makes the entries of a folder durable. Windows has no such call and needs none.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder of keys: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder of keys: %w", err)
	}
	return nil
}
