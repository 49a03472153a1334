package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// claim makes the data folder where there is none, and keeps every other server off it until what it
// returns is called, or this process ends however it does. The file it leaves there is empty.
func claim(folder string) (release func() error, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of the data: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("claim data folder: %w", err)
	}
	free, err := hold(f)
	if err == nil && !free {
		err = fmt.Errorf("another server runs on the data folder %s, or is still about to stop; stop it, or choose another folder", folder)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
