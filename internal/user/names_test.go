package user_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"caesar/internal/phrase"
	"caesar/internal/user"
)

// name draws what somebody could type as a name, and what folding could stumble over.
func name() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.StringN(0, 5, -1),
			rapid.StringMatching(`[A-Za-z ]{1,6}`),
			rapid.SampledFrom([]string{
				"é", "e\u0301", "Å", "ß", "ẞ", "ſ", "İ", "ı", "ς", "ﬁ", "Ａ", "ｶﾞ", "\u3000", "\u00a0", "  ", "\u200d", "\u200c", "\u034f", "\ufe0f", "\u3164", "\uffa0",
				"\u0345", "\u0301", "ᾳ", "가", "\u1100\u1161", "①", "马可", "🏛️", "👨‍👩‍👧", "ǰ", "\u1e9b\u0323", "\u0fb2\u0f71\u0f80", "ﷺ", "Ⅳ",
			}),
		), 1, 6).Draw(t, "parts"), "")
	})
}

func TestFoldingANameTwiceIsFoldingItOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := name().Draw(t, "name")
		once := user.FoldName(s)
		if twice := user.FoldName(once); twice != once {
			t.Fatalf("%+q folds to %+q, and that to %+q", s, once, twice)
		}
	})
}

func TestAllFormsOfANameFoldToOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := name().Draw(t, "name")
		if !utf8.ValidString(s) {
			t.Skip("no text")
		}
		forms := map[string]string{
			"NFC": norm.NFC.String(s), "NFD": norm.NFD.String(s), "NFKC": norm.NFKC.String(s), "NFKD": norm.NFKD.String(s),
			"blanks around": "\u3000" + s + " ", "wide": strings.Map(wide, s),
		}
		for name, form := range forms {
			if user.FoldName(form) != user.FoldName(s) {
				t.Fatalf("%+q folds to %+q, its form %s %+q to %+q", s, user.FoldName(s), name, form, user.FoldName(form))
			}
		}
	})
}

// wide returns the full-width form of what has one.
func wide(r rune) rune {
	if '!' <= r && r <= '~' {
		return r - '!' + '！'
	}
	return r
}

func TestWhatShowsNothingMakesNoOtherName(t *testing.T) {
	t.Parallel()
	invisible := rapid.SampledFrom([]string{"\u200d", "\u200c", "\u034f", "\ufe0f", "\u2060", "\u00ad", "\u180e", "\u3164", "\U000e0100"})
	rapid.Check(t, func(t *rapid.T) {
		runes := []rune(name().Draw(t, "name"))
		at := rapid.IntRange(0, len(runes)).Draw(t, "at") // also within a letter and its marks
		s := string(runes)
		other := string(runes[:at]) + invisible.Draw(t, "invisible") + string(runes[at:])
		if user.FoldName(other) != user.FoldName(s) {
			t.Fatalf("%+q folds to %+q, %+q to %+q", s, user.FoldName(s), other, user.FoldName(other))
		}
	})
}

func TestAJoinerBetweenMarksMakesNoOtherName(t *testing.T) {
	t.Parallel()
	if with, without := user.FoldName("α\u0345\u200d\u0301"), user.FoldName("α\u0345\u0301"); with != without {
		t.Errorf("with a joiner the name folds to %+q, without to %+q", with, without)
	}
}

func TestLettersOfAnyCaseFoldToOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[A-Za-zÀ-ÖØ-öø-þΑ-ΡΣ-Ωа-яА-Я ]{1,20}`).Draw(t, "name")
		for _, other := range []string{strings.ToUpper(s), strings.ToLower(s)} {
			if user.FoldName(other) != user.FoldName(s) {
				t.Fatalf("%q folds to %q, %q to %q", s, user.FoldName(s), other, user.FoldName(other))
			}
		}
	})
}

func TestALoginFieldMeansWhatItLooksLike(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]user.Handle{
		"Marcus": "marcus", " marcus ": "marcus", "MARCUS@Example.org": "marcus@example.org", " marcus@example.org ": "marcus@example.org",
		"马可 波罗": "马可 波罗", "ＭＡＲＣＵＳ": "marcus",
	} {
		if got := user.HandleOf(typed); got != want {
			t.Errorf("%q means %q, want %q", typed, got, want)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"", "marcus", "É", "＠", "\u200d", "a\x00", "\xff", strings.Repeat("名", 65), "\u3164", "\u0345\u200d\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, wrong, ok := user.ParseName(s)
		if !ok {
			if name != "" || wrong.In(phrase.English) == "" {
				t.Errorf("%+q is refused as %+q without a word", s, name)
			}
			return
		}
		folded := user.FoldName(name)
		if folded == "" || strings.Contains(folded, "@") || utf8.RuneCountInString(name) > 64 || strings.TrimSpace(name) != name {
			t.Errorf("%+q is taken as %+q, which folds to %+q", s, name, folded)
		}
		if again, _, ok := user.ParseName(name); !ok || again != name {
			t.Errorf("%+q is taken as %+q, and that as %+q, %v", s, name, again, ok)
		}
		if user.HandleOf(s) != user.Handle(folded) {
			t.Errorf("%+q at the login means %+q, and the name's handle is %+q", s, user.HandleOf(s), folded)
		}
	})
}
