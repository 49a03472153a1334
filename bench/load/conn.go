// Package load asks a server over and over, at as little cost of its own as can be, for it runs on the
// same cores: HTTP/1.1 over connections that are kept, with the bytes of each request made by the asker and
// only as much of an answer read as tells where it ends.
//
// What always holds: a connection waits for an answer before it asks again; every answer's status is looked
// at, and one that is not of the 200s ends the run with an error; what a run counts had its answer come
// within the time that is measured.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// block is how much is read or written at once of what is large.
const block = 256 << 10

// Conn is a connection to a server. It is for one goroutine at a time.
type Conn struct {
	conn net.Conn
	buf  []byte
	from int // buf[from:to] was read and belongs to the next answer
	to   int
}

// Dial connects to host:port. All that is asked on the connection has to be done by the deadline.
func Dial(ctx context.Context, address string, deadline time.Time) (*Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	return &Conn{conn: conn, buf: make([]byte, 32<<10)}, nil
}

// Close closes the connection; what waits on it fails.
func (c *Conn) Close() error { return c.conn.Close() }

// Answer is what a server said. Body is good until the connection is used again.
type Answer struct {
	Status int
	Body   []byte
}

// OK says whether the status is one of the 200s.
func (a Answer) OK() bool { return a.Status/100 == 2 }

// Err is the error of an answer that is not one of the 200s, with the beginning of what the server said.
func (a Answer) Err() error {
	if a.OK() {
		return nil
	}
	return fmt.Errorf("status %d: %.300s", a.Status, a.Body)
}

// Do sends the bytes of a request and returns its whole answer.
func (c *Conn) Do(request []byte) (Answer, error) {
	if _, err := c.conn.Write(request); err != nil {
		return Answer{}, fmt.Errorf("send request: %w", err)
	}
	return c.whole()
}

// Upload sends the head of a request, then what body writes, and returns the answer. A server that has had
// enough may answer before it has read all.
func (c *Conn) Upload(head []byte, body func(io.Writer) error) (Answer, error) {
	_, err := c.conn.Write(head)
	if err == nil {
		err = body(c.conn)
	}
	a, failed := c.whole()
	if failed != nil {
		if err != nil {
			failed = err
		}
		return Answer{}, fmt.Errorf("upload: %w", failed)
	}
	return a, nil
}

// Download sends the bytes of a request and hands what comes to take, piece by piece; of an answer that is
// not one of the 200s, nothing. It is for answers that tell their length.
func (c *Conn) Download(request []byte, take func([]byte) error) (Answer, error) {
	if _, err := c.conn.Write(request); err != nil {
		return Answer{}, fmt.Errorf("send request: %w", err)
	}
	h, err := c.head()
	if err != nil {
		return Answer{}, err
	}
	if a := (Answer{Status: h.status}); !a.OK() || h.length < 0 {
		if a.Body, err = c.body(h); err == nil && a.OK() {
			err = fmt.Errorf("download: the answer does not tell its length")
		}
		return a, err
	}
	if len(c.buf) < block {
		c.buf = append(make([]byte, 0, block), c.buf[c.from:c.to]...)[:block]
		c.from, c.to = 0, c.to-c.from
	}
	for left := h.length; left > 0; {
		if c.from == c.to {
			if err := c.fill(); err != nil {
				return Answer{}, fmt.Errorf("download: %d bytes are missing: %w", left, err)
			}
		}
		piece := c.buf[c.from:min(c.to, c.from+int(min(left, block)))]
		if err := take(piece); err != nil {
			return Answer{}, err
		}
		c.from += len(piece)
		left -= int64(len(piece))
	}
	return Answer{Status: h.status}, nil
}

// fill reads more behind what is there, which it moves to the front where there is no room.
func (c *Conn) fill() error {
	if c.from == c.to {
		c.from, c.to = 0, 0
	}
	if c.to == len(c.buf) {
		if c.from == 0 {
			c.buf = append(c.buf, make([]byte, len(c.buf))...)
		} else {
			c.to = copy(c.buf, c.buf[c.from:c.to])
			c.from = 0
		}
	}
	n, err := c.conn.Read(c.buf[c.to:])
	c.to += n
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
