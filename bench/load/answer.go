package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// mostHead bounds the bytes of an answer's head, and mostBody those of a body that is kept whole.
const (
	mostHead = 64 << 10
	mostBody = 64 << 20
)

var errMalformed = errors.New("malformed answer")

// head is what has to be known of an answer to find its end.
type head struct {
	status  int
	length  int64 // of the body; -1 where it comes in chunks
	chunked bool
}

// whole reads an answer.
func (c *Conn) whole() (Answer, error) {
	h, err := c.head()
	if err != nil {
		return Answer{}, err
	}
	body, err := c.body(h)
	return Answer{Status: h.status, Body: body}, err
}

// head reads the head of an answer.
func (c *Conn) head() (head, error) {
	searched := 0
	for {
		if end := bytes.Index(c.buf[c.from+searched:c.to], []byte("\r\n\r\n")); end >= 0 {
			text := c.buf[c.from : c.from+searched+end+2]
			c.from += searched + end + 4
			return parseHead(text)
		}
		if c.to-c.from > mostHead {
			return head{}, fmt.Errorf("%w: a head without an end", errMalformed)
		}
		searched = max(0, c.to-c.from-3)
		if err := c.fill(); err != nil {
			return head{}, fmt.Errorf("read answer: %w", err)
		}
	}
}

// parseHead reads the status line and the two fields that tell the body's end (RFC 9112, section 6.3). Each
// line of the text ends with CRLF.
func parseHead(text []byte) (head, error) {
	line, rest, _ := bytes.Cut(text, []byte("\r\n"))
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return head{}, fmt.Errorf("%w: %.100q", errMalformed, line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 100 {
		return head{}, fmt.Errorf("%w: %.100q", errMalformed, line)
	}
	h := head{status: status, length: -1}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch len(name) {
		case len("Content-Length"):
			if bytes.EqualFold(name, []byte("Content-Length")) {
				h.length, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
				if err != nil || h.length < 0 {
					return head{}, fmt.Errorf("%w: %.100q", errMalformed, line)
				}
			}
		case len("Transfer-Encoding"):
			if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
				h.chunked = bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked"))
			}
		}
	}
	switch {
	case status/100 == 1 || status == 204 || status == 304:
		h.length, h.chunked = 0, false
	case h.chunked:
		h.length = -1
	case h.length < 0:
		return head{}, fmt.Errorf("%w: nothing tells where it ends", errMalformed)
	}
	return h, nil
}

// body returns the body behind a head that was read.
func (c *Conn) body(h head) ([]byte, error) {
	if h.chunked {
		return c.chunks()
	}
	if h.length > mostBody {
		return nil, fmt.Errorf("%w: a body of %d bytes", errMalformed, h.length)
	}
	return c.next(int(h.length))
}

// next returns the next n bytes.
func (c *Conn) next(n int) ([]byte, error) {
	for c.to-c.from < n {
		if err := c.fill(); err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
	}
	c.from += n
	return c.buf[c.from-n : c.from], nil
}

// chunks joins the chunks of a body (RFC 9112, section 7.1). Trailers are read over.
func (c *Conn) chunks() ([]byte, error) {
	var body []byte
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 31)
		if err != nil || len(body)+int(size) > mostBody {
			return nil, fmt.Errorf("%w: a chunk of %.100q", errMalformed, line)
		}
		if size == 0 {
			break
		}
		chunk, err := c.next(int(size))
		if err != nil {
			return nil, err
		}
		body = append(body, chunk...)
		if line, err = c.line(); err != nil || len(line) > 0 {
			return nil, errors.Join(err, fmt.Errorf("%w: a chunk goes on with %.100q", errMalformed, line))
		}
	}
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return body, err
		}
	}
}

// line returns the next line without its CRLF.
func (c *Conn) line() ([]byte, error) {
	searched := 0
	for {
		if end := bytes.Index(c.buf[c.from+searched:c.to], []byte("\r\n")); end >= 0 {
			text, err := c.next(searched + end + 2)
			return bytes.TrimSuffix(text, []byte("\r\n")), err
		}
		if c.to-c.from > mostHead {
			return nil, fmt.Errorf("%w: a line without an end", errMalformed)
		}
		searched = max(0, c.to-c.from-1)
		if err := c.fill(); err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
	}
}
