package apitest

import (
	"errors"
	"io"
	"mime/multipart"
	"regexp"
	"unicode/utf8"
)

// maxPart bounds what is kept of a field; of a file nothing is.
const maxPart = 1 << 20

// What the header of a part says, however oddly its file is named: mime.ParseMediaType gives up on some
// names that clients send.
var (
	partName = regexp.MustCompile(`(?i);\s*name="?([^";]*)"?`)
	fileName = regexp.MustCompile(`(?i);\s*filename\*?=`)
)

// readParts reads a body of the type multipart/form-data (RFC 7578) into named values, without ever having
// it whole. A file stands there as file. What is no text, or there twice, is a value that no schema of the
// document takes for one.
func readParts(body io.Reader, boundary string) (map[string]any, error) {
	if boundary == "" {
		return nil, errors.New("no boundary")
	}
	fields := map[string]any{}
	reader := multipart.NewReader(body, boundary)
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := readPart(part)
		if err != nil {
			return nil, err
		}
		m := partName.FindStringSubmatch(part.Header.Get("Content-Disposition"))
		if m == nil {
			continue
		}
		switch earlier := fields[m[1]].(type) {
		case nil:
			fields[m[1]] = value
		case []any:
			fields[m[1]] = append(earlier, value)
		default:
			fields[m[1]] = []any{earlier, value}
		}
	}
}

// file is the value of a field that was sent as a file.
type file struct{}

// notText is the value of a field that was sent as neither a file nor a text.
type notText struct{}

// filesIn returns how many files were sent as a field.
func filesIn(value any) int {
	if list, ok := value.([]any); ok {
		n := 0
		for _, v := range list {
			n += filesIn(v)
		}
		return n
	}
	if _, ok := value.(file); ok {
		return 1
	}
	return 0
}

func readPart(part *multipart.Part) (any, error) {
	if fileName.MatchString(part.Header.Get("Content-Disposition")) {
		_, err := io.Copy(io.Discard, part)
		return file{}, err
	}
	text, err := io.ReadAll(io.LimitReader(part, maxPart+1))
	if err != nil || len(text) > maxPart || !utf8.Valid(text) {
		return notText{}, err
	}
	return string(text), nil
}
