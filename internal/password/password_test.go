package password_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"caesar/internal/password"
	"caesar/internal/phrase"
)

// typed draws what somebody could type as a password.
func typed() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.OneOf(
			rapid.StringN(0, 8, -1),
			rapid.SampledFrom([]string{"é", "e\u0301", "Å", "\u212b", "ｐａｓｓ", "ﬁ", "Ⅳ", "密码", "ｶﾞ", "ガ", "가", "각", "\u1100\u1161\u11a8", "①", " ", "\u00a0", "🔑", "👨‍👩‍👧", "ﷺ"}),
		), 1, 8).Draw(t, "parts")
		return strings.Join(parts, "")
	})
}

func TestAllSpellingsOfAPasswordAreOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := typed().Draw(t, "password")
		want, _, ok := password.Normalize(s)
		if !ok {
			t.Skip("no password")
		}
		for _, form := range []norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD} {
			spelled := form.String(s)
			if len(spelled) > password.MaxBytes {
				continue
			}
			if got, _, ok := password.Normalize(spelled); !ok || got != want {
				t.Fatalf("%+q is %+q, %+q is %+q", s, want, spelled, got)
			}
		}
	})
}

func TestNormalizingTwiceIsNormalizingOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once, _, ok := password.Normalize(typed().Draw(t, "password"))
		if !ok {
			t.Skip("no password")
		}
		if twice, _, ok := password.Normalize(once); !ok || twice != once {
			t.Fatalf("%+q becomes %+q", once, twice)
		}
	})
}

func TestDifferentPasswordsStayDifferent(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"secret", "Secret"}, {"secret", "secret "}, {" secret", "secret"}, {"straße", "strasse"}, {"a b", "ab"}, {"café", "cafe"}, {"0", "O"},
	} {
		a, _, _ := password.Normalize(pair[0])
		b, _, _ := password.Normalize(pair[1])
		if a == b {
			t.Errorf("%q and %q are one password", pair[0], pair[1])
		}
	}
}

func TestWhatCannotBeAPasswordIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, typed string
		want        phrase.Phrase
	}{
		{"empty", "", phrase.Required},
		{"too long", strings.Repeat("a", password.MaxBytes+1), phrase.PasswordTooLong.With(password.MaxBytes)},
		{"too long when normalised", strings.Repeat("ﷺ", 100), phrase.PasswordTooLong.With(password.MaxBytes)},
		{"NUL", "pass\x00word", phrase.NoControls},
		{"line end", "password\r\n", phrase.NoControls},
		{"tab", "pass\tword", phrase.NoControls},
		{"C1", "pass\u0085word", phrase.NoControls},
	} {
		got, wrong, ok := password.Normalize(c.typed)
		if ok || got != "" || wrong.In(phrase.English) != c.want.In(phrase.English) {
			t.Errorf("%s: %.20q, %q, %v", c.name, got, wrong, ok)
		}
	}
	for _, fine := range []string{"a", strings.Repeat("a", password.MaxBytes), "   ", "correct horse 电池 staple", "🔑"} {
		if _, wrong, ok := password.Normalize(fine); !ok {
			t.Errorf("%.20q is refused: %s", fine, wrong)
		}
	}
}

func TestTheLeastLengthIsOfCharactersAndBindsNewPasswordsOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"12345": false, "123456": true, "密码密码密": false, "密码密码密码": true,
		"e\u0301e\u0301e\u0301e\u0301e\u0301": false, // five characters, however many keys were pressed
		"🔑🔑🔑🔑🔑🔑":                              true,
		"ﬃﬃ":                                  true, // typed as six letters elsewhere
	} {
		_, wrong, ok := password.NormalizeNew(text, 6)
		if ok != want || !ok && wrong.In(phrase.English) != phrase.TooShort.With(6).In(phrase.English) {
			t.Errorf("%q as a new password: %v, %s", text, ok, wrong)
		}
		if _, _, ok := password.Normalize(text); !ok {
			t.Errorf("%q, shown, is refused for its length", text)
		}
	}
	if _, wrong, ok := password.NormalizeNew("", 6); ok || wrong.In(phrase.English) != phrase.Required.In(phrase.English) {
		t.Errorf("no new password: %s", wrong)
	}
}

func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"", "secret", "e\u0301", "\xff\xfe", "\x00", strings.Repeat("ﷺ", 60), "\u0345\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, wrong, ok := password.Normalize(s)
		switch {
		case ok && (got == "" || len(got) > password.MaxBytes || !norm.NFKC.IsNormalString(got)):
			t.Errorf("%+q is taken as %+q", s, got)
		case !ok && (got != "" || wrong.In(phrase.English) == ""):
			t.Errorf("%+q is refused without a word", s)
		case ok && utf8.ValidString(s) && !utf8.ValidString(got):
			t.Errorf("%+q is broken to %+q", s, got)
		}
	})
}
