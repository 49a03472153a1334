package wire

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// ReadBody reads the whole body of a request, JSON or form data, of at most limit bytes, into its
// fields. An empty body, of whatever type, has none. All its errors are *fault.Error:
//
//   - too_large, and the connection closes after the answer;
//   - unsupported_type for another media type, a charset other than UTF-8, or a content coding;
//   - invalid for a body that is malformed, and for one that did not arrive whole: the client hung up or
//     was too slow, which the error wraps (io.ErrUnexpectedEOF, os.ErrDeadlineExceeded).
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) (Fields, error) {
	return readBody(w, r, limit, parserFor, phrase.BodyType)
}

// ReadForm is ReadBody for a surface that takes multipart/form-data (RFC 7578) too. A file that is sent
// there is a field of the kind File, and its content is left out.
func ReadForm(w http.ResponseWriter, r *http.Request, limit int64) (Fields, error) {
	return readBody(w, r, limit, formParserFor, phrase.BodyTypeForm)
}

// parser reads the fields of a whole body.
type parser func([]byte) (Fields, error)

func readBody(w http.ResponseWriter, r *http.Request, limit int64, parserFor func(http.Header) parser, types phrase.Phrase) (Fields, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return Fields{}, nil
	}
	parse := parserFor(r.Header)
	if parse == nil {
		limit = 0 // an empty body is empty in any type
	} else if r.ContentLength > limit {
		return Fields{}, refuseLarge(w, limit)
	}

	buffer := takeBuffer()
	defer buffer.release()
	if err := buffer.readAll(r.Body, limit); errors.Is(err, errOverLimit) {
		if parse == nil {
			return Fields{}, unsupported(types)
		}
		return Fields{}, refuseLarge(w, limit)
	} else if err != nil {
		return Fields{}, errNotWhole.Because(err)
	}
	if len(buffer.b) == 0 {
		return Fields{}, nil
	}
	return parse(buffer.b)
}

func refuseLarge(w http.ResponseWriter, limit int64) error {
	// The rest is not worth reading, and what follows it on the connection can't be found without.
	w.Header().Set("Connection", "close")
	return fault.New(fault.TooLarge, "too_large", phrase.BodyTooLarge.With(limit))
}

func unsupported(types phrase.Phrase) error {
	return fault.New(fault.UnsupportedType, "unsupported_type", types)
}

// mediaType returns the media type of a body and its parameters, or "" where the body is coded or in
// another charset than UTF-8.
func mediaType(header http.Header) (media string, params map[string]string) {
	types := header["Content-Type"]
	coding := header.Get("Content-Encoding")
	if len(types) != 1 || (coding != "" && !strings.EqualFold(coding, "identity")) {
		return "", nil
	}
	media, params, err := mime.ParseMediaType(types[0])
	if err != nil {
		return "", nil
	}
	if charset, sent := params["charset"]; sent && !strings.EqualFold(charset, "utf-8") {
		return "", nil
	}
	return media, params
}

// parserFor returns what reads the media type that the header names, or nil.
func parserFor(header http.Header) parser {
	media, _ := mediaType(header)
	switch media {
	case "application/json":
		return parseJSON
	case "application/x-www-form-urlencoded":
		return parseForm
	default:
		return nil
	}
}

// formParserFor is parserFor with multipart/form-data.
func formParserFor(header http.Header) parser {
	media, params := mediaType(header)
	if media != multipartType {
		return parserFor(header)
	}
	return func(body []byte) (Fields, error) { return parseParts(body, params["boundary"]) }
}

var errOverLimit = errors.New("over the limit")

// readAll fills the buffer with all that r has, or with more than limit bytes and errOverLimit. It grows
// with what arrives, not with what was announced.
func (u *buffer) readAll(r io.Reader, limit int64) error {
	for {
		if len(u.b) == cap(u.b) {
			u.grow()
		}
		n, err := r.Read(u.b[len(u.b):cap(u.b)])
		u.b = u.b[:len(u.b)+n]
		if int64(len(u.b)) > limit {
			return errOverLimit
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// grow doubles the buffer and wipes the one it leaves.
func (u *buffer) grow() {
	old := u.b
	u.b = append(make([]byte, 0, 2*cap(old)), old...)
	clear(old)
}

// malformed returns the fault for a body that as a whole is not what its type says.
func malformed(message phrase.Phrase, cause error) error {
	return fault.New(fault.Invalid, "invalid", message).Because(cause)
}
