package wire

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"caesar/internal/phrase"
)

var (
	errEscape  = errors.New("bad percent-encoding")
	errUnicode = errors.New("not UTF-8")
)

// parseForm reads application/x-www-form-urlencoded as the URL standard of WHATWG does (section 5.1,
// urlencoded parsing: pairs end at "&" only, "+" is a space, pairs without a name or value are kept),
// but refuses what that lets pass for want of a meaning: a "%" that begins no escape, and bytes that
// are no UTF-8. A name may come twice; it is refused where it is asked for.
func parseForm(body []byte) (Fields, error) {
	list := make([]field, 0, usualFields)
	for len(body) > 0 {
		var pair []byte
		pair, body, _ = bytes.Cut(body, []byte{'&'})
		if len(pair) == 0 {
			continue
		}
		if len(list) == MaxFields {
			return Fields{}, malformed(phrase.BodyTooMany.With(MaxFields), nil)
		}
		rawName, rawValue, _ := strings.Cut(string(pair), "=")
		name, err := unescape(rawName)
		if err != nil {
			return Fields{}, malformed(phrase.BodyNotForm, err)
		}
		value, err := unescape(rawValue)
		if errors.Is(err, errUnicode) {
			return Fields{}, faultyField(name, phrase.NotUnicode, err)
		}
		if err != nil {
			return Fields{}, malformed(phrase.BodyNotForm, err)
		}
		list = append(list, field{name, Value{Kind: Text, Text: value}})
	}
	return Fields{list}, nil
}

// unescape decodes one name or value of form data or of a query.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '+') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			switch s[i] {
			case '+':
				b = append(b, ' ')
			case '%':
				if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
					return "", errEscape
				}
				b = append(b, fromHex(s[i+1])<<4|fromHex(s[i+2]))
				i += 2
			default:
				b = append(b, s[i])
			}
		}
		s = string(b)
	}
	if !utf8.ValidString(s) {
		return "", errUnicode
	}
	return s, nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// fromHex returns the value of a hexadecimal digit.
func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
