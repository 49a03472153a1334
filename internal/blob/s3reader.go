package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"caesar/internal/backup"
)

// headSize is how much of a blob comes with its opening, in bytes: an age header and a chunk, and so a
// file of one chunk whole.
const headSize = 65 << 10

// remote is a blob of a bucket. What lies in its head it has; for all else it asks the store.
type remote struct {
	s      *S3
	ctx    context.Context // until Close
	cancel context.CancelFunc
	name   string
	head   []byte
	size   int64
}

// Open implements backup.Blobs.
func (s *S3) Open(ctx context.Context, name string) (backup.Blob, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !isName(name) {
		return nil, backup.ErrNoBlob
	}
	r := &remote{s: s, name: name}
	r.ctx, r.cancel = context.WithCancel(ctx)
	if err := r.open(); err != nil {
		r.cancel()
		return nil, err
	}
	return r, nil
}

// open fetches the head.
func (r *remote) open() error {
	first := &stretch{of: r, end: headSize}
	defer first.Close()
	size, err := first.ask()
	if errors.Is(err, errNoByte) {
		return nil
	}
	if err != nil {
		return err
	}
	first.end = min(headSize, size)
	head := make([]byte, first.end)
	if _, err := io.ReadFull(first, head); err != nil {
		return err
	}
	r.head, r.size = head, size
	return nil
}

// Size implements backup.Blob.
func (r *remote) Size() int64 { return r.size }

// Close implements backup.Blob.
func (r *remote) Close() error {
	r.cancel()
	return nil
}

// ReadAt implements backup.Blob, by one request for what is not in the head.
func (r *remote) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read blob: before its beginning")
	}
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if n = int(min(int64(len(p)), r.size-off)); n > 0 {
		part := &stretch{of: r, pos: off, end: off + int64(n)}
		defer part.Close()
		if n, err = io.ReadFull(part, p[:n]); err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return max(0, n), io.EOF
	}
	return n, nil
}

// Stretch implements backup.Remote.
func (r *remote) Stretch(off, end int64) (io.ReadCloser, error) {
	if off < 0 || end < off || end > r.size {
		return nil, errors.New("read blob: not a part of it")
	}
	return &stretch{of: r, pos: off, end: end}, nil
}

// stretch reads a part of a blob by one request for what is not in the head. Where the store breaks off, it
// asks for the rest.
type stretch struct {
	of       *remote
	pos, end int64

	body   io.ReadCloser // nil: the store has to be asked from pos on
	cancel context.CancelFunc
	watch  *time.Timer // cancels a body of which nothing comes
	barren int         // bodies in a row of which nothing came
}

// Read implements io.Reader. It ends with io.EOF only where the part does.
func (s *stretch) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch {
		case s.pos == s.end:
			return 0, io.EOF
		case s.pos < int64(len(s.of.head)):
			n := copy(p, s.of.head[s.pos:min(s.end, int64(len(s.of.head)))])
			s.pos += int64(n)
			return n, nil
		case s.body == nil:
			if _, err := s.ask(); err != nil {
				return 0, err
			}
		}
		s.watch.Reset(s.of.s.waits.stall)
		n, err := s.body.Read(p[:min(int64(len(p)), s.end-s.pos)])
		s.watch.Stop()
		s.pos += int64(n)
		if n > 0 {
			s.barren = 0
		}
		if err == nil {
			return n, nil
		}
		s.letGo()
		if n > 0 {
			return n, nil
		}
		if s.barren++; s.barren == attempts {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, explainS3(s.of.ctx, "read blob", err)
		}
	}
}

// errNoByte says that a blob ends before the part that was asked for, as an empty one does.
var errNoByte = errors.New("read blob: it ends before that")

// ask has the store begin to send the part from pos on, and returns the length of the whole blob.
func (s *stretch) ask() (size int64, err error) {
	ctx, cancel := context.WithCancel(s.of.ctx)
	var options minio.GetObjectOptions
	if err := options.SetRange(s.pos, s.end-1); err != nil {
		cancel()
		return 0, fmt.Errorf("read blob: %w", err)
	}
	place := s.of.s.place
	body, info, header, err := s.of.s.core.GetObject(ctx, place.bucket, s.of.s.key(s.of.name), options)
	if err != nil {
		cancel()
		switch {
		case says(err, minio.NoSuchKey):
			return 0, backup.ErrNoBlob
		case says(err, minio.InvalidRange):
			return 0, errNoByte
		}
		return 0, explainS3(s.of.ctx, "read blob", err)
	}
	size = info.Size // of the body, which is the whole blob unless the answer says otherwise
	if sent := header.Get("Content-Range"); sent != "" || s.pos != 0 {
		size = sizeIn(sent, s.pos)
	}
	if size < 0 {
		cancel()
		return 0, errors.Join(errors.New("read blob: the store sent another part than was asked for"), body.Close())
	}
	s.body, s.cancel = body, cancel
	s.watch = time.AfterFunc(s.of.s.waits.stall, cancel)
	return size, nil
}

// sizeIn reads a Content-Range (RFC 9110, section 14.4): the length of the whole, or -1 where the part does
// not begin where it should.
func sizeIn(contentRange string, from int64) int64 {
	text, _ := strings.CutPrefix(contentRange, "bytes ")
	sent, whole, _ := strings.Cut(text, "/")
	first, _, _ := strings.Cut(sent, "-")
	size, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || first != strconv.FormatInt(from, 10) {
		return -1
	}
	return size
}

// letGo ends what was asked for.
func (s *stretch) letGo() {
	if s.body != nil {
		s.watch.Stop()
		s.cancel()
		_ = s.body.Close() // of what was read
		s.body = nil
	}
}

// Close implements io.Closer.
func (s *stretch) Close() error {
	s.letGo()
	s.pos = s.end
	return nil
}
