package backup

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	mostLabel     = 255 // characters
	mostExtension = 32  // characters of an ending that is kept when a label is cut
	unnamed       = "backup"
)

// Label returns the part of a file's name that is kept: its last element after any / and \, without
// what can't be seen or turns the writing around, in NFC, at most 255 characters with its extension.
// Where nothing is left of it, it is "backup".
func Label(typed string) string {
	last := typed[strings.LastIndexAny(typed, `/\`)+1:]
	label := strings.TrimSpace(norm.NFC.String(strings.Map(visible, strings.ToValidUTF8(last, "\ufffd"))))
	if label = cut(label); label == "" || label == "." || label == ".." {
		return unnamed
	}
	return label
}

// visible drops control characters, line separators, and what has no shape of its own (Cf), such as the
// marks that reverse the order in which a name is shown ("photo\u202egpj.exe") and those that make two
// names look alike; the two joiners stay, as emoji and scripts need them.
func visible(r rune) rune {
	switch {
	case r == '\u200c', r == '\u200d':
		return r
	case unicode.IsControl(r), r == '\u2028', r == '\u2029', unicode.Is(unicode.Cf, r):
		return -1
	default:
		return r
	}
}

// cut shortens a label before its extension.
func cut(label string) string {
	if utf8.RuneCountInString(label) <= mostLabel {
		return label
	}
	extension := path.Ext(label)
	length := utf8.RuneCountInString(extension)
	if length > mostExtension {
		extension, length = "", 0
	}
	stem := []rune(strings.TrimSuffix(label, extension))
	return strings.TrimSpace(string(stem[:mostLabel-length])) + extension
}
