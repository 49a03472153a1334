package blob

import (
	"os"

	"golang.org/x/sys/unix"
)

// flush has the system begin to write a part of a file to the disk. What fails here fails again at the
// sync, which tells.
func flush(f *os.File, from, length int64) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		_ = unix.SyncFileRange(int(fd), from, length, unix.SYNC_FILE_RANGE_WRITE)
	})
}
