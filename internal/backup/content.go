package backup

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Content is a version that was opened. What it releases was authenticated first. It serves one
// goroutine at a time, and decrypts ahead of one who reads on and on, with all processors.
type Content struct {
	Version Version

	blob  Blob
	ahead window
	pos   int64
	// begun is where the last reading began. A reader that comes back for more where it left off will
	// want the rest too.
	begun int64
}

// mostHeader is more than any age header that is written here takes, in bytes.
const mostHeader = 64 << 10

// content opens what is in a blob, which it closes where it fails.
func (s *Service) content(v Version, blob Blob) (*Content, error) {
	c := &Content{Version: v, blob: blob, ahead: window{budget: s.budget, size: v.Size}, begun: -1}
	if remote, ok := blob.(Remote); ok {
		c.ahead.remote = &fetcher{Remote: remote, header: v.HeaderSize}
		blob = c.ahead.remote
	}
	var err error
	if c.ahead.from, err = s.unseal(v, blob); err != nil {
		return nil, errors.Join(fmt.Errorf("open version %d: %w", v.ID, err), blob.Close())
	}
	return c, nil
}

func (s *Service) unseal(v Version, blob Blob) (io.ReaderAt, error) {
	if v.HeaderSize > min(mostHeader, blob.Size()) {
		return nil, fmt.Errorf("blob is shorter than its header: %w", ErrTampered)
	}
	head := make([]byte, v.HeaderSize)
	if _, err := blob.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read age header: %w", err)
	}
	if sha256.Sum256(head) != v.HeaderHash {
		return nil, fmt.Errorf("another age header: %w", ErrTampered)
	}
	plain, size, err := age.DecryptReaderAt(blob, blob.Size(), s.Keys.all()...)
	if err != nil {
		return nil, fmt.Errorf("begin to decrypt: %w", err)
	}
	if size != v.Size {
		return nil, fmt.Errorf("another size: %w", ErrTampered)
	}
	return plain, nil
}

// Close implements io.Closer.
func (c *Content) Close() error {
	return errors.Join(c.ahead.close(), c.blob.Close())
}

// Seek implements io.Seeker.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.pos
	case io.SeekEnd:
		offset += c.Version.Size
	case io.SeekStart:
	default:
		return 0, errors.New("seek in backup: no such whence")
	}
	if offset < 0 {
		return 0, errors.New("seek in backup: before its beginning")
	}
	if offset != c.pos {
		c.pos, c.begun = offset, -1
	}
	return c.pos, nil
}

// Read implements io.Reader.
func (c *Content) Read(p []byte) (int, error) {
	if c.pos >= c.Version.Size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	// How far the reader will go is not known: first a look, and once it comes back, all that there is.
	end := c.pos + 1
	if c.begun >= 0 && c.pos > c.begun {
		end = c.Version.Size
	}
	piece, err := c.ahead.at(c.pos, end)
	if err != nil {
		return 0, c.broken(err)
	}
	if c.begun < 0 {
		c.begun = c.pos
	}
	n := copy(p, piece)
	c.pos += int64(n)
	return n, nil
}

// CopyTo writes the next n bytes to w in large pieces, without copying them first: what io.CopyN does,
// for those who know that they read a Content. Fewer than n come with io.EOF.
func (c *Content) CopyTo(w io.Writer, n int64) (written int64, err error) {
	for written < n {
		if c.pos >= c.Version.Size {
			return written, io.EOF
		}
		left := n - written
		piece, err := c.ahead.at(c.pos, min(c.Version.Size, c.pos+left))
		if err != nil {
			return written, c.broken(err)
		}
		m, err := w.Write(piece[:min(left, int64(len(piece)))])
		c.pos += int64(m)
		written += int64(m)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

func (c *Content) broken(err error) error {
	return fmt.Errorf("read version %d: %w", c.Version.ID, err)
}
