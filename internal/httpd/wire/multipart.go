package wire

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"net/textproto"
	"strings"
	"unicode/utf8"

	"caesar/internal/phrase"
)

const multipartType = "multipart/form-data"

// parseParts reads a whole body of multipart/form-data into its fields. Parts without a name are left
// out, as nobody can ask for them.
func parseParts(body []byte, boundary string) (Fields, error) {
	parts, err := newParts(bufio.NewReader(bytes.NewReader(body)), boundary, int64(len(body)))
	if err != nil {
		return Fields{}, err
	}
	list := make([]field, 0, usualFields)
	for {
		p, err := parts.next()
		if err == io.EOF { //nolint:errorlint // wrapped, it tells of a body that was cut
			return Fields{list}, nil
		}
		if err != nil {
			return Fields{}, err
		}
		if len(list) == MaxFields {
			return Fields{}, malformed(phrase.BodyTooMany.With(MaxFields), nil)
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return Fields{}, malformed(phrase.BodyNotForm, err)
		}
		switch {
		case p.name == "":
		case p.isFile:
			list = append(list, field{p.name, Value{Kind: File}})
		case !utf8.Valid(text):
			return Fields{}, faultyField(p.name, phrase.NotUnicode, errUnicode)
		default:
			list = append(list, field{p.name, Value{Kind: Text, Text: string(text)}})
		}
	}
}

// part is one part of a body of multipart/form-data. It can be read until the next one is asked for.
type part struct {
	io.Reader
	name     string
	isFile   bool
	filename string // as it was sent; it may hold anything
}

// next returns the next part. After the last one it is io.EOF itself, never wrapped: a body that was cut
// is a fault.
func (p *parts) next() (part, error) {
	header, err := p.nextHeader()
	if err != nil {
		return part{}, err
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "", "7bit", "8bit", "binary":
	default: // RFC 7578, section 4.7, has none of the others; to keep a file coded would spoil it
		return part{}, malformed(phrase.BadPartHeader, nil)
	}
	name, filename, isFile, ok := disposition(header)
	if !ok {
		return part{}, malformed(phrase.BadPartHeader, nil)
	}
	return part{Reader: p, name: name, isFile: isFile, filename: filename}, nil
}

// disposition reads the Content-Disposition of a part (RFC 7578, section 4.2). What has a filename, also
// an empty one, is a file. A part without such a header has no name.
func disposition(header textproto.MIMEHeader) (name, filename string, isFile, ok bool) {
	lines := header["Content-Disposition"]
	if len(lines) == 0 {
		return "", "", false, true
	}
	media, params, err := mime.ParseMediaType(lines[0])
	if len(lines) > 1 || media != "form-data" {
		return "", "", false, false
	}
	if err != nil {
		return bareName(lines[0])
	}
	if !utf8.ValidString(params["name"]) {
		return "", "", false, false
	}
	filename, isFile = params["filename"]
	return params["name"], filename, isFile, true
}

// bareName returns the name and the filename of a header whose parameters break the rules, as those of
// programs do that put a filename with quotes between quotes as it is: the name goes to the next quote,
// the filename to the last.
func bareName(line string) (name, filename string, isFile, ok bool) {
	_, name, ok = strings.Cut(line, `name="`)
	if !ok {
		return "", "", false, false
	}
	before, rest, isFile := strings.Cut(name, `filename="`)
	name, _, ok = strings.Cut(before, `"`)
	if end := strings.LastIndexByte(rest, '"'); end >= 0 {
		rest = rest[:end]
	}
	return name, rest, isFile, ok && utf8.ValidString(name)
}
