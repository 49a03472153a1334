package wire

import (
	"bufio"
	"errors"
	"io"
	"net/http"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// MaxAround is the most that an upload may hold beside the file: headers of parts, other fields, what
// stands before the first part and after the last. In bytes.
const MaxAround = 64 << 10

// uploadBuffer is what is read of an upload at once.
const uploadBuffer = 256 << 10

// Faults of an upload.
var (
	errNoFile   = fault.New(fault.Invalid, "invalid", phrase.NoFile)
	errTwoFiles = fault.New(fault.Invalid, "invalid", phrase.TwoFiles)
)

// Upload is the one file of a body of multipart/form-data, as it arrives. Nothing of it is held but a
// buffer.
type Upload struct {
	// Filename is what the client calls the file; it may be empty and hold anything.
	Filename string

	field string
	body  *arriving
	parts *parts
	part  part
	err   error // how it ended
}

// OpenUpload finds the file that a request sends in a field. It must be all that was read of the body so
// far. Its errors are those of ReadForm; also invalid where there is no such file, whatever type the body
// has that can be read. The deadlines of the connection are moved from then on, so that a client has as
// long as it takes, but may not stand still for more than a minute.
func OpenUpload(w http.ResponseWriter, r *http.Request, field string) (*Upload, error) {
	media, params := mediaType(r.Header)
	if media != multipartType || r.ContentLength == 0 {
		if _, err := ReadForm(w, r, MaxAround); err != nil {
			return nil, err
		}
		return nil, errNoFile
	}
	u := &Upload{field: field, body: &arriving{from: r.Body, pace: newPace(w)}}
	parts, err := newParts(bufio.NewReaderSize(u.body, uploadBuffer), params["boundary"], MaxAround)
	if err != nil {
		return nil, err
	}
	u.parts = parts
	switch found, err := u.next(); {
	case err != nil:
		return nil, err
	case !found:
		return nil, errNoFile
	}
	u.Filename = u.part.filename
	return u, nil
}

// Read implements io.Reader. It returns io.EOF only once the whole body has arrived and was found well
// formed, with no second file: so what was read until then can be kept. Any other error is a *fault.Error.
func (u *Upload) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.part.Read(p)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		u.err = u.body.explain(errParts)
	case errors.Is(err, io.EOF):
		u.err = u.rest()
	case err != nil:
		u.err = u.body.explain(errNotWhole.Because(err))
	}
	return n, u.err
}

// rest reads what comes after the file, and returns io.EOF where all is well.
func (u *Upload) rest() error {
	switch found, err := u.next(); {
	case err != nil:
		return err
	case found:
		return errTwoFiles
	}
	if err := u.parts.end(); err != nil {
		return u.body.explain(err)
	}
	u.body.pace.quiet()
	return io.EOF
}

// next goes on to the next part that is a file of the field, and says whether there is one.
func (u *Upload) next() (found bool, err error) {
	for {
		u.part, err = u.parts.next()
		if err == io.EOF { //nolint:errorlint // wrapped, it tells of a body that was cut
			return false, nil
		}
		if err != nil {
			return false, u.body.explain(err)
		}
		if u.part.name == u.field && u.part.isFile {
			return true, nil
		}
	}
}

// arriving is the body of an upload. It keeps the deadline moving, and in mind why the body broke off.
type arriving struct {
	from io.Reader
	pace *pace
	err  error // of the connection
}

// Read implements io.Reader.
func (a *arriving) Read(p []byte) (int, error) {
	a.pace.reading()
	n, err := a.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		a.err = errNotWhole.Because(err)
	}
	return n, err
}

// explain returns why the body broke off, where it did, or what was found wrong with it.
func (a *arriving) explain(found error) error {
	if a.err != nil {
		return a.err
	}
	return found
}
