package wire

import (
	"net/http"
	"strconv"
	"strings"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// MaxID is the largest id: the largest whole number that JavaScript holds exactly, 2^53 - 1.
const MaxID = 1<<53 - 1

// Reader takes what a handler needs out of a request, by name, and gathers everything that is wrong with
// it, so that a client is told all of it at once by Err. What it returns means nothing once Err is not nil.
type Reader struct {
	request *http.Request
	fields  Fields
	faults  fault.Fields
}

// NewReader returns a Reader of a request's path and query and of the fields of its body.
func NewReader(r *http.Request, body Fields) *Reader {
	return &Reader{request: r, fields: body}
}

// Text returns a text that must be in the body. It may be empty: what it must hold is for the domain to say.
func (rd *Reader) Text(name string) string {
	value, sent := rd.fields.Get(name)
	if !sent {
		rd.Fault(name, phrase.Required)
		return ""
	}
	return rd.text(name, value)
}

// Optional returns a text of the body, and whether it was sent.
func (rd *Reader) Optional(name string) (text string, sent bool) {
	value, sent := rd.fields.Get(name)
	if !sent {
		return "", false
	}
	return rd.text(name, value), true
}

// Filled returns a text of the body that may be left out, sent empty or be null, as forms and the programs
// in their place send what nobody filled in: nil where it is left out or null, and where it is at fault.
func (rd *Reader) Filled(name string) *string {
	value, sent := rd.fields.Get(name)
	if !sent || value.Kind == Null && !value.twice {
		return nil
	}
	if value.twice || value.Kind != Text {
		rd.text(name, value)
		return nil
	}
	return &value.Text
}

// Binary returns a field that is 1 or 0, as a number, as text or as true or false; it is false where it is
// left out, empty or null.
func (rd *Reader) Binary(name string) bool {
	value, sent := rd.fields.Get(name)
	switch {
	case !sent:
		return false
	case value.twice:
		rd.Fault(name, phrase.SentTwice)
	case value.Kind == Null, value.Kind == Text && value.Text == "":
		return false
	case value.Kind == Bool:
		return value.Text == "true"
	case (value.Kind != Text && value.Kind != Number) || (value.Text != "0" && value.Text != "1"):
		rd.Fault(name, phrase.MustBeBinary)
	}
	return value.Text == "1"
}

func (rd *Reader) text(name string, value Value) string {
	switch {
	case value.twice:
		rd.Fault(name, phrase.SentTwice)
	case value.Kind != Text:
		rd.Fault(name, phrase.MustBeText)
	}
	return value.Text
}

// PathID returns the id that stands in the path under the name of a wildcard: a decimal number from 1 to
// MaxID without a sign or leading zeros.
func (rd *Reader) PathID(name string) int64 {
	id, ok := wholeNumber(rd.request.PathValue(name))
	if !ok || id < 1 || id > MaxID {
		rd.Fault(name, phrase.MustBeID)
	}
	return id
}

// QueryInt returns a whole number from least to most out of the query, in decimal without leading zeros,
// or otherwise where it is left out.
func (rd *Reader) QueryInt(name string, otherwise, least, most int64) int64 {
	text, sent := rd.Query(name)
	if !sent {
		return otherwise
	}
	n, ok := wholeNumber(text)
	if !ok || n < least || n > most {
		rd.Fault(name, phrase.MustBeRange.With(least, most))
	}
	return n
}

// Query returns a text out of the query, and whether it was sent. Whatever else the query holds is not
// looked at.
func (rd *Reader) Query(name string) (text string, sent bool) {
	for rest := rd.request.URL.RawQuery; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		rawName, rawValue, _ := strings.Cut(pair, "=")
		if pair == "" || !isNamed(rawName, name) {
			continue
		}
		if sent {
			rd.Fault(name, phrase.SentTwice)
			return text, true
		}
		value, err := unescape(rawValue)
		if err != nil {
			rd.Fault(name, phrase.NotUnicode)
		} else if strings.IndexByte(value, 0) >= 0 {
			rd.Fault(name, phrase.NoControls)
		}
		text, sent = value, true
	}
	return text, sent
}

// isNamed tells whether an encoded name stands for name, which most are in the clear.
func isNamed(rawName, name string) bool {
	if rawName == name {
		return true
	}
	if !strings.ContainsAny(rawName, "%+") {
		return false
	}
	decoded, err := unescape(rawName)
	return err == nil && decoded == name
}

// UserAgent returns what the client calls itself.
func (rd *Reader) UserAgent() string { return rd.request.UserAgent() }

// Fault lays a fault at a field. The first one laid at each stays.
func (rd *Reader) Fault(name string, message phrase.Phrase) {
	if _, already := rd.faults[name]; already {
		return
	}
	if rd.faults == nil {
		rd.faults = fault.Fields{}
	}
	rd.faults[name] = message
}

// Err returns the *fault.Error for everything that was wrong so far, or nil.
func (rd *Reader) Err() error { return fault.InvalidFields(rd.faults) }

// TakeFaults returns what was wrong so far and forgets it: for those who tell it together with what they
// find wrong themselves.
func (rd *Reader) TakeFaults() fault.Fields {
	taken := rd.faults
	rd.faults = nil
	return taken
}

// wholeNumber reads a decimal number that int64 holds, with a minus sign at most and no leading zeros.
func wholeNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return 0, false
	}
	return n, true
}
