package rootkey

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// fileLimit is more than a thousand keys: whatever is larger is no root key file.
const fileLimit = 64 << 10

// Load reads the root keys of a file: one a line in standard base64, the current one first. It refuses,
// with an error that names the path and the mend, a file that others than its owner may touch. An absent
// file is fs.ErrNotExist.
func Load(path string) (*Ring, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open root key: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("inspect root key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("root key %s is not a regular file", path)
	}
	// Windows keeps its permissions elsewhere: the mode bits say nothing there.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("root key %s is open to other users of this machine (mode %04o): run chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, fileLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read root key: %w", err)
	}
	defer clear(text)
	secrets, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("read root key %s: %w", path, err)
	}
	return newRing(secrets), nil
}

// LoadOrCreate reads the root keys of a file, and makes the file with one new key where there is none.
// Of several processes that start at once exactly one makes it and all read the same. A file that was
// made here survives a power cut once the call returns.
func LoadOrCreate(path string) (*Ring, error) {
	ring, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("make root key: %w", err)
	}
	return Load(path)
}

// parse reads the lines of a root key file. Its errors tell the line, never what it holds.
func parse(text []byte) ([][]byte, error) {
	if len(text) > fileLimit {
		return nil, fmt.Errorf("the file is larger than %d bytes", fileLimit)
	}
	var secrets [][]byte
	for i, line := range bytes.Split(text, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		secret := make([]byte, base64.StdEncoding.DecodedLen(len(line)))
		n, err := base64.StdEncoding.Strict().Decode(secret, line)
		if err != nil || n != keySize {
			return nil, fmt.Errorf("line %d is not %d bytes in base64", i+1, keySize)
		}
		secrets = append(secrets, secret[:n:n])
	}
	if len(secrets) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return secrets, nil
}

// create makes a root key file whole or not at all: it is written under another name first, and linking,
// unlike renaming, never replaces a key that somebody else has made meanwhile.
func create(path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(folder, ".root.key-*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	err = writeKey(draft)
	if closing := draft.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(folder)
}

func writeKey(file *os.File) error {
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails: crypto/rand ends the process instead
	line := append(base64.StdEncoding.AppendEncode(nil, secret), '\n')
	defer clear(secret)
	defer clear(line)
	if _, err := file.Write(line); err != nil {
		return err
	}
	return file.Sync()
}

// syncFolder makes the entries of a folder durable. Windows has no such call and needs none.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
