package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// writer writes a file under a passing name, and holds it: a sweep takes what nobody holds.
type writer struct {
	dir       *Dir
	name      string
	f         *os.File
	buf       *[writeSize]byte
	filled    int   // bytes of buf
	written   int64 // bytes that the system has
	flushed   int64 // of those, how many it was told to bring to the disk
	committed bool
	closed    bool
}

// flushEvery is how many bytes are written before the system is told to bring them to the disk. So the
// disk works while the rest is still coming, and the sync at the end waits for little.
const flushEvery = 8 << 20

// writeSize is how many bytes go to the system at once: whole pages, always at a multiple of it. Written
// as age yields them, 64 KiB and 16 bytes at a time, a GiB costs a fourth more.
const writeSize = 32 << 10

var buffers = sync.Pool{New: func() any { return new([writeSize]byte) }}

// Create implements backup.Blobs.
func (d *Dir) Create(ctx context.Context) (backup.BlobWriter, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := &writer{dir: d, name: newName(), buf: buffers.Get().(*[writeSize]byte)} //nolint:errcheck,forcetypeassert // nothing else is put in
		f, err := os.OpenFile(d.file(w.name+part), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, fmt.Errorf("create blob: %w", explain(err))
		}
		w.f = f
		held, err := d.hold(f)
		if errors.Is(err, errNoHold) || (held && w.isThere()) {
			return w, nil
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("hold blob: %w", err), w.Close())
		}
		// A sweep came between the making and the holding, and took the file.
		if err := w.Close(); err != nil {
			return nil, err
		}
	}
}

// isThere says whether the file still has its name.
func (w *writer) isThere() bool {
	open, err := w.f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(w.dir.file(w.name + part))
	return err == nil && os.SameFile(open, named)
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (taken int, err error) {
	if w.closed {
		return 0, fs.ErrClosed
	}
	for taken < len(p) {
		n := copy(w.buf[w.filled:], p[taken:])
		w.filled += n
		taken += n
		if w.filled == writeSize {
			if err := w.write(); err != nil {
				return taken, err
			}
		}
	}
	return taken, nil
}

// write hands what is buffered to the system.
func (w *writer) write() error {
	n, err := w.f.Write(w.buf[:w.filled])
	w.written += int64(n)
	w.filled = copy(w.buf[:], w.buf[n:w.filled])
	if errors.Is(err, syscall.EFBIG) { // as of FAT with 4 GiB, or a process with a limit
		most := phrase.BackupTooLarge.With(fmt.Sprintf("%d B", w.written))
		err = fault.New(fault.TooLarge, "too_large", most).Because(err)
	}
	if err != nil {
		return fmt.Errorf("write blob: %w", explain(err))
	}
	if w.written-w.flushed >= flushEvery {
		flush(w.f, w.flushed, w.written-w.flushed)
		w.flushed = w.written
	}
	return nil
}

// Commit implements backup.BlobWriter.
func (w *writer) Commit(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if w.closed {
		return "", fs.ErrClosed
	}
	if err := w.write(); err != nil {
		return "", err
	}
	if err := w.f.Sync(); err != nil {
		return "", fmt.Errorf("sync blob: %w", explain(err))
	}
	if !renamesOpen {
		if err := w.f.Close(); err != nil {
			return "", fmt.Errorf("close blob: %w", explain(err))
		}
	}
	if err := os.Rename(w.dir.file(w.name+part), w.dir.file(w.name+whole)); err != nil {
		return "", fmt.Errorf("name blob: %w", explain(err))
	}
	if err := syncFolder(w.dir.path); err != nil {
		// Whether the name would outlive a power cut is not known: so the blob must not be used.
		return "", errors.Join(err, w.dir.remove(w.name+whole))
	}
	w.committed = true
	return w.name, nil
}

// Close implements backup.BlobWriter.
func (w *writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	buffers.Put(w.buf)
	w.buf = nil
	err := w.f.Close()
	if errors.Is(err, fs.ErrClosed) {
		err = nil // by Commit
	}
	if !w.committed {
		err = errors.Join(err, w.dir.remove(w.name+part))
	}
	if err != nil {
		return fmt.Errorf("close blob: %w", explain(err))
	}
	return nil
}
