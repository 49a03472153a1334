package rootkey

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"

	"caesar/internal/keyfile"
)

// Load reads the root keys of a file: one a line in standard base64, the current one first. It refuses,
// with an error that names the path and the mend, a file that others than its owner may touch. An absent
// file is fs.ErrNotExist.
func Load(path string) (*Ring, error) {
	text, err := keyfile.Read(path)
	if err != nil {
		return nil, fmt.Errorf("load root key: %w", err)
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

// create makes a root key file with one new key.
func create(path string) error {
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails: crypto/rand ends the process instead
	line := append(base64.StdEncoding.AppendEncode(nil, secret), '\n')
	defer clear(secret)
	defer clear(line)
	return keyfile.Create(path, line)
}
