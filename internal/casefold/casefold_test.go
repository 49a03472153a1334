package casefold_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"caesar/internal/casefold"
)

func TestLettersThatDifferInCaseOnlyFoldToOne(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		folded := casefold.String(string(r))
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if got := casefold.String(string(other)); got != folded {
				t.Errorf("%U folds to %+q, and %U to %+q", r, folded, other, got)
			}
		}
		if twice := casefold.String(folded); twice != folded {
			t.Errorf("%U folds to %+q, and that to %+q", r, folded, twice)
		}
	}
}

func TestFoldingFollowsUnicode(t *testing.T) {
	t.Parallel()
	// From https://www.unicode.org/Public/16.0.0/ucd/CaseFolding.txt, statuses C and F.
	for text, want := range map[string]string{
		"A": "a", "ß": "ss", "ẞ": "ss", "İ": "i\u0307", "ſ": "s", "K": "k", "ς": "σ", "ŉ": "\u02bcn", "ǰ": "j\u030c", "ΐ": "\u03b9\u0308\u0301",
		"\u0345": "ι", "ﬁ": "fi", "և": "եւ", "Ꭰ": "Ꭰ", "ꭰ": "Ꭰ", "ꮿ": "Ꮿ", "ᏸ": "Ᏸ", "ᏽ": "Ᏽ", "ꙋ": "ꙋ", "Ꙋ": "ꙋ", "ᲈ": "ꙋ", "𐐀": "𐐨", "微信": "微信", "": "",
	} {
		if got := casefold.String(text); got != want {
			t.Errorf("%+q folds to %+q, want %+q", text, got, want)
		}
	}
}
