package user

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"caesar/internal/casefold"
	"caesar/internal/mail"
	"caesar/internal/phrase"
)

// The most characters of a profile's fields.
const (
	maxName  = 64
	maxPhone = 32
)

// parseName returns the NFC form of a user's name, or what is wrong with it.
func parseName(s string) (name string, wrong phrase.Phrase, ok bool) {
	name = strings.TrimSpace(norm.NFC.String(s))
	switch {
	case name == "" || foldName(name) == "":
		return "", phrase.Required, false
	case utf8.RuneCountInString(name) > maxName:
		return "", phrase.TooLong.With(maxName), false
	case strings.ContainsFunc(s, isUnprintable):
		return "", phrase.NoControls, false
	case strings.ContainsRune(foldName(name), '@'): // folded: other forms of the sign are it too
		return "", phrase.NameHasAt, false
	}
	return name, phrase.Phrase{}, true
}

// isUnprintable holds for what can't be seen and could make one name look like another. The joiners
// are part of how some scripts and emoji are written.
func isUnprintable(r rune) bool {
	switch {
	case r == '\u200c', r == '\u200d':
		return false
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
		return true
	}
	return false
}

// foldName returns the form in which names are unique: without regard to case, width, the number of
// blanks, and what shows nothing, such as joiners.
func foldName(name string) string {
	shown := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return -1
		}
		return r
	}, norm.NFKC.String(name))
	// Each step can undo the order of marks that the one before it made.
	folded := norm.NFKC.String(casefold.String(norm.NFKC.String(shown)))
	return strings.Join(strings.Fields(folded), " ")
}

// nameHandle returns the handle of a name that was parsed.
func nameHandle(name string) Handle { return Handle(foldName(name)) }

// handleOf returns the handle that a login field means. What can be no user's has one too, so that
// guessing at it is slowed like all guessing.
func handleOf(typed string) Handle {
	typed = strings.TrimSpace(typed)
	if address, err := mail.ParseAddress(typed); err == nil {
		return Handle(address.Folded())
	}
	return nameHandle(typed)
}

// maxHandle is the most characters of a login field, composed as names are; no name or email is longer.
const maxHandle = 320

// checkHandle says what is wrong with a login field that can't be anybody's.
func checkHandle(typed string) (phrase.Phrase, bool) {
	switch {
	case strings.TrimSpace(typed) == "":
		return phrase.Required, false
	case utf8.RuneCountInString(norm.NFC.String(typed)) > maxHandle:
		return phrase.TooLong.With(maxHandle), false
	case strings.ContainsFunc(typed, unicode.IsControl):
		return phrase.NoControls, false
	}
	return phrase.Phrase{}, true
}

func checkRealName(s string) (phrase.Phrase, bool) {
	switch {
	case strings.TrimSpace(s) == "":
		return phrase.Required, false
	case utf8.RuneCountInString(s) > maxName:
		return phrase.TooLong.With(maxName), false
	case strings.ContainsFunc(s, isUnprintable):
		return phrase.NoControls, false
	}
	return phrase.Phrase{}, true
}

func checkPhone(s string) (phrase.Phrase, bool) {
	if s == "" {
		return phrase.Required, false
	}
	if len(s) > maxPhone || strings.Trim(s, "0123456789 +-()") != "" || !strings.ContainsAny(s, "0123456789") {
		return phrase.BadPhone, false
	}
	return phrase.Phrase{}, true
}
