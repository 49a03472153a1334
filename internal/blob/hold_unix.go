//go:build unix && !aix && !solaris

package blob

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// renamesOpen says whether a file can be renamed while it is open.
const renamesOpen = true

// hold marks a file as ours until it is closed, by this process or by its end.
func hold(f *os.File) (bool, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var locked error
	err = conn.Control(func(fd uintptr) {
		for {
			locked = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
			if !errors.Is(locked, unix.EINTR) {
				return
			}
		}
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("lock file: %w", err)
	case locked == nil:
		return true, nil
	case errors.Is(locked, unix.EWOULDBLOCK):
		return false, nil
	default:
		return false, fmt.Errorf("%w: %w", errNoHold, locked)
	}
}
