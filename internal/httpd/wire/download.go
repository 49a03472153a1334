package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// ErrRange is the fault of a range that a file does not reach (status 416).
var ErrRange = fault.New(RangeNotSatisfiable, "range_not_satisfiable", phrase.BadRange)

// Content is a file to be sent.
type Content interface {
	io.ReadSeeker
	// CopyTo writes the next n bytes, as io.CopyN does.
	CopyTo(w io.Writer, n int64) (written int64, err error)
}

// Download is what a client is told of a file.
type Download struct {
	Name     string // for people; no control characters
	Size     int64  // bytes
	ETag     string // strong, with its quotes
	Modified time.Time
}

// ServeContent answers with a file, or the parts of it that are asked for (RFC 9110, sections 13 and 14),
// as an attachment that no browser looks into. Of conditions only those by ETag count. Where the answer is an error, fail writes it. The content is
// not used any more when ServeContent has returned.
func ServeContent(w http.ResponseWriter, r *http.Request, d Download, content Content, fail func(http.ResponseWriter, *http.Request, error)) {
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Disposition", attachment(d.Name))
	header.Set("Cache-Control", "private, no-cache")
	header["X-Content-Type-Options"] = noSniff
	header.Set("ETag", d.ETag)

	source := &source{content: content}
	sender := &sender{ResponseWriter: w, request: r, fail: fail, source: source, size: d.Size, pace: newPace(w)}
	sender.pace.quiet()
	http.ServeContent(sender, judgedByETag(r, d.Size), "", d.Modified, source)
	err := source.end()
	if err == nil {
		sender.begin()
		return
	}
	err = fmt.Errorf("read file that is being sent: %w", err)
	switch {
	case sender.begun:
		Note(r.Context(), err)
		panic(http.ErrAbortHandler) // so that the client sees that it is cut, whatever its length says
	case sender.failed:
		Note(r.Context(), err)
	default:
		for _, name := range []string{"Accept-Ranges", "Content-Length", "Content-Range"} {
			header.Del(name)
		}
		sender.refuse(err)
	}
}

// judgedByETag returns a request for a file as http.ServeContent is to see it. Times decide nothing: two
// versions may be of the same second, and after the newest is deleted the one before it is older than what
// a client has. So conditions by time are left out, as RFC 9110 has it for what has an ETag or no time.
func judgedByETag(r *http.Request, size int64) *http.Request {
	asked := *r
	asked.Header = r.Header.Clone()
	asked.Header.Del("If-Modified-Since")
	asked.Header.Del("If-Unmodified-Since")
	ifRange := asked.Header.Get("If-Range")
	byTime := ifRange != "" && !strings.HasPrefix(ifRange, `"`) // or by a weak ETag, which never holds either
	// An unknown unit is to be ignored. An empty file has no ranges, and for its last byte package net/http
	// would answer with one that ends before it begins.
	if byTime || size == 0 || !strings.HasPrefix(asked.Header.Get("Range"), "bytes=") {
		asked.Header.Del("Range")
	}
	return &asked
}

// attachment returns a Content-Disposition (RFC 6266): the name in ASCII, with _ for what older clients
// may misread, and the whole of it beside that where it differs.
func attachment(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%`, r) {
			return '_'
		}
		return r
	}, name)
	if plain == name {
		return `attachment; filename="` + plain + `"`
	}
	var b strings.Builder
	for _, c := range []byte(strings.ToValidUTF8(name, "\uFFFD")) {
		if isAttrChar(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + b.String()
}

// isAttrChar holds for what stands for itself in an extended parameter (RFC 8187, section 3.2.1).
func isAttrChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0
}

// pieceSize is the most that is written at once: small enough that a slow client takes it before it is
// held for a stalled one.
const pieceSize = 128 << 10

// sender is what http.ServeContent writes to. It keeps the deadline moving, has large pieces copied by
// the content itself, and answers errors in the shape of the surface.
type sender struct {
	http.ResponseWriter
	request *http.Request
	fail    func(http.ResponseWriter, *http.Request, error)
	source  *source
	size    int64
	pace    *pace
	status  int  // of the answer; it waits for the first byte of the file, which may turn out not to be readable
	begun   bool // the file is on its way
	failed  bool // what is written further is the text of an error that was answered already
}

// WriteHeader implements http.ResponseWriter.
func (s *sender) WriteHeader(status int) {
	switch {
	case status == http.StatusRequestedRangeNotSatisfiable:
		s.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", s.size)) // also for one that can't be read
		s.refuse(ErrRange)
	case status >= http.StatusInternalServerError:
		s.refuse(errSending)
	default:
		s.status = status
	}
}

// begin sends the status, unless there is none or it was sent already.
func (s *sender) begin() {
	if s.status != 0 && !s.begun {
		s.begun = true
		s.ResponseWriter.WriteHeader(s.status)
	}
}

var errSending = errors.New("file can't be sent")

// refuse answers with an error. What was said of the file does not hold for that.
func (s *sender) refuse(err error) {
	s.failed = true
	header := s.Header()
	for _, name := range []string{"Content-Disposition", "ETag", "Last-Modified"} {
		header.Del(name)
	}
	s.fail(s.ResponseWriter, s.request, err)
}

// Write implements http.ResponseWriter.
func (s *sender) Write(b []byte) (written int, err error) {
	if s.failed {
		return len(b), nil
	}
	s.begin()
	for len(b) > 0 && err == nil {
		s.pace.writing()
		var n int
		n, err = s.ResponseWriter.Write(b[:min(len(b), pieceSize)])
		written += n
		b = b[n:]
	}
	return written, err
}

// ReadFrom implements io.ReaderFrom.
func (s *sender) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok && limited.R == s.source {
		n, err := s.source.copyTo(onlyWriter{s}, limited.N)
		limited.N -= n
		return n, err
	}
	return io.CopyBuffer(onlyWriter{s}, r, make([]byte, pieceSize))
}

type onlyWriter struct{ io.Writer }

// source is the content, until it has ended: for an answer of several ranges http.ServeContent reads in a
// goroutine that may outlive it.
type source struct {
	mu      sync.Mutex
	content Content
	ended   bool
	err     error // of the content, not of the client
}

var errEnded = errors.New("the answer has ended")

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, errEnded
	}
	n, err := s.content.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// Seek implements io.Seeker.
func (s *source) Seek(offset int64, whence int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, errEnded
	}
	return s.content.Seek(offset, whence)
}

// copyTo has the content write itself, and tells an error of its own from one of the client.
func (s *source) copyTo(w io.Writer, n int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client := &witness{Writer: w}
	written, err := s.content.CopyTo(client, n)
	if err != nil && client.err == nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return written, err
}

// end waits for whoever reads, lets nobody read any more, and returns what went wrong with the content.
func (s *source) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.err
}

// witness remembers an error of a writer.
type witness struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (w *witness) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil {
		w.err = err
	}
	return n, err
}
