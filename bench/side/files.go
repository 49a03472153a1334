package side

import (
	"bytes"
	"fmt"
	"io"

	"caesar/bench/load"
	"caesar/bench/sample"
	"caesar/bench/speak"
)

// keeper is who keeps the files of a connection: everybody, by turns, for one may not upload many at once.
func (s *Side) keeper(connection int) speak.Session {
	if s.sessions == nil {
		return speak.Session{} // the side knows no people
	}
	return s.sessions[connection%len(s.sessions)]
}

// label is what a connection's own copy of a file is called.
func label(connection int, f sample.File) string { return fmt.Sprintf("%d-%s", connection, f.Name()) }

// Send uploads a file by a connection's number, under a name of its own.
func (s *Side) Send(c *load.Conn, connection int, f sample.File) (speak.File, error) {
	head, tail := s.Files.Upload(s.keeper(connection), label(connection, f), f.Size)
	a, err := c.Upload(head, func(w io.Writer) error {
		if _, err := f.WriteTo(w); err != nil {
			return err
		}
		_, err := w.Write(tail)
		return err
	})
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return speak.File{}, fmt.Errorf("upload to %s: %w", s.Name, err)
	}
	return s.Files.Uploaded(a.Body)
}

// Fetch downloads a file that a connection sent. It compares all of it, or the ends of the pieces in which it
// comes, which costs nothing.
func (s *Side) Fetch(c *load.Conn, connection int, kept speak.File, f sample.File, whole bool) error {
	check := f.Checker(whole)
	a, err := c.Download(s.Files.Download(nil, s.keeper(connection), kept), check.Take)
	if err == nil {
		err = a.Err()
	}
	if err == nil {
		err = check.Done()
	}
	if err != nil {
		return fmt.Errorf("download from %s: %w", s.Name, err)
	}
	return nil
}

// Discard deletes a file that a connection sent.
func (s *Side) Discard(c *load.Conn, connection int, kept speak.File) error {
	a, err := c.Do(s.Files.Remove(nil, s.keeper(connection), kept))
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return fmt.Errorf("delete from %s: %w", s.Name, err)
	}
	return nil
}

// Upload is the kind that uploads a file that is small enough to be held.
func Upload(f sample.File) Kind {
	var content bytes.Buffer
	_, _ = f.WriteTo(&content) // a buffer takes everything
	return func(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
		head, tail := s.Files.Upload(s.keeper(l.number), label(l.number, f), f.Size)
		b = append(append(append(b, head...), content.Bytes()...), tail...)
		return b, func(body []byte) error {
			_, err := s.Files.Uploaded(body)
			return err
		}
	}
}

// Download is the kind that downloads a file of that size, which one was uploaded of.
func Download(f sample.File, kept speak.File) Kind {
	return func(s *Side, _ *Line, b []byte) ([]byte, func([]byte) error) {
		return s.Files.Download(b, s.keeper(0), kept), func(body []byte) error {
			check := f.Checker(true)
			if err := check.Take(body); err != nil {
				return err
			}
			return check.Done()
		}
	}
}
