// Package password says what may be a password, and brings all spellings of one password to one.
//
// What always holds: a password is normalised before it is hashed, compared or used as a key, on every
// surface, so that a password typed on one keyboard opens what was locked from another.
package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"caesar/internal/phrase"
)

// MaxBytes is the most that is taken of a password, as it was sent and normalised.
const MaxBytes = 1024

// Normalize returns the NFKC form of a password that somebody shows (Unicode Standard Annex 15). Where
// it can't be a password at all, it says why. Least lengths are not asked here: they bind new passwords.
func Normalize(s string) (normalised string, wrong phrase.Phrase, ok bool) {
	switch {
	case s == "":
		return "", phrase.Required, false
	case len(s) > MaxBytes:
		return "", phrase.PasswordTooLong.With(MaxBytes), false
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", phrase.NoControls, false
	}
	s = norm.NFKC.String(s)
	if len(s) > MaxBytes {
		return "", phrase.PasswordTooLong.With(MaxBytes), false
	}
	return s, phrase.Phrase{}, true
}

// NormalizeNew is Normalize for a password that is to be set: it must have at least as many characters.
func NormalizeNew(s string, least int) (normalised string, wrong phrase.Phrase, ok bool) {
	s, wrong, ok = Normalize(s)
	if ok && utf8.RuneCountInString(s) < least {
		return "", phrase.TooShort.With(least), false
	}
	return s, wrong, ok
}
