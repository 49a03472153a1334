//go:build unix && !aix && !solaris

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// hold marks a file as ours until it is closed, and tells whether it was free. Where the file system has no
// locks, every file is.
func hold(f *os.File) (free bool, err error) {
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case err == nil, errors.Is(err, errors.ErrUnsupported):
			return true, nil
		default:
			return false, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
}
