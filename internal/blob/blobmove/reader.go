package blobmove

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"caesar/internal/backup"
)

// bufferSize is how much is read at once, in bytes. A remote blob that is not longer comes by one request
// of its ReadAt, or with its opening.
const bufferSize = 64 << 10

// reader reads a blob from its beginning and hashes what it yields.
type reader struct {
	from   io.Reader
	close  func() error
	hash   hash.Hash
	count  func(int)
	failed error // what reading failed of, but for its end
}

func (m *Mover) hashing(blob backup.Blob) *reader {
	r := &reader{hash: sha256.New(), count: m.Read, close: func() error { return nil }}
	if remote, ok := blob.(backup.Remote); ok && blob.Size() > bufferSize {
		stretch, err := remote.Stretch(0, blob.Size())
		if err == nil {
			r.from, r.close = stretch, stretch.Close
			return r
		}
		r.failed = err
	}
	r.from = io.NewSectionReader(blob, 0, blob.Size())
	return r
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if r.failed != nil {
		return 0, r.failed
	}
	n, err := r.from.Read(p)
	_, _ = r.hash.Write(p[:n]) // it never fails
	r.count(n)
	if err != nil {
		err = r.end(err)
	}
	return n, err
}

// end lets go of what was read.
func (r *reader) end(err error) error {
	closed := r.close()
	r.close = func() error { return nil }
	if errors.Is(err, io.EOF) {
		return err
	}
	r.failed = errors.Join(err, closed)
	return r.failed
}

// drain reads all of it.
func (r *reader) drain() error {
	buf := make([]byte, bufferSize)
	for {
		if _, err := r.Read(buf); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (r *reader) sum() (sum [sha256.Size]byte) {
	r.hash.Sum(sum[:0])
	return sum
}
