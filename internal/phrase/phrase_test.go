package phrase_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"caesar/internal/phrase"
)

func TestEveryPhraseIsThereInBothLanguages(t *testing.T) {
	t.Parallel()
	catalogue := phrase.Catalogue()
	if len(catalogue) < 50 {
		t.Fatalf("the catalogue has only %d phrases", len(catalogue))
	}
	for _, texts := range catalogue {
		chinese, english := texts[0], texts[1]
		bound := chinese == english && chinese != "" // a text of document 000, which knows one language
		if !bound && !containsHan(chinese) {
			t.Errorf("this is not Chinese: %q (%q)", chinese, english)
		}
		if !bound && (english == "" || containsHan(english)) {
			t.Errorf("this is not English: %q (%q)", english, chinese)
		}
		for _, text := range texts {
			if text != strings.TrimSpace(text) || !utf8.ValidString(text) {
				t.Errorf("blanks or broken text at the edge of %q", text)
			}
		}
	}
}

func containsHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func TestBothLanguagesOfAPhraseTakeTheSameArguments(t *testing.T) {
	t.Parallel()
	for _, texts := range phrase.Catalogue() {
		chinese, english := verbs(t, texts[0]), verbs(t, texts[1])
		if !slices.Equal(chinese, english) {
			t.Errorf("%q takes %q, %q takes %q", texts[0], chinese, texts[1], english)
		}
	}
}

var verb = regexp.MustCompile(`%(\[(\d+)\])?([sdvq%])`)

// verbs returns the verbs of a format by the arguments that they take.
func verbs(t *testing.T, format string) []string {
	t.Helper()
	if found := len(verb.FindAllString(format, -1)) + strings.Count(format, "%%"); found != strings.Count(format, "%") {
		t.Errorf("%q has a verb that no phrase uses", format)
	}
	var takes []string
	next := 1
	for _, match := range verb.FindAllStringSubmatch(format, -1) {
		if match[3] == "%" {
			continue
		}
		if match[2] != "" {
			n, err := strconv.Atoi(match[2])
			if err != nil {
				t.Fatal(err)
			}
			next = n
		}
		takes = append(takes, strconv.Itoa(next)+match[3])
		next++
	}
	slices.Sort(takes)
	return slices.Compact(takes)
}

func TestAPhraseIsSaidInTheLanguageAskedFor(t *testing.T) {
	t.Parallel()
	wait := phrase.Define("请等 %d 秒", "wait %d seconds")
	three := wait.With(3)
	if got := three.In(phrase.Chinese); got != "请等 3 秒" {
		t.Errorf("in Chinese: %q", got)
	}
	if got := three.In(phrase.English); got != "wait 3 seconds" || three.String() != got {
		t.Errorf("in English: %q, in a log: %q", got, three.String())
	}
	if four := wait.With(4); three.In(phrase.English) == four.In(phrase.English) {
		t.Error("two uses of one phrase share their arguments")
	}
	if percent := phrase.Define("百分之一百", "100%"); percent.In(phrase.English) != "100%" {
		t.Errorf("a phrase without arguments is taken for a format: %q", percent.In(phrase.English))
	}
	if (phrase.Phrase{}).In(phrase.Chinese) != "" {
		t.Error("no phrase says something")
	}
}

func TestALanguageHasItsTag(t *testing.T) {
	t.Parallel()
	if phrase.Chinese.Tag() != "zh-CN" || phrase.English.Tag() != "en" {
		t.Errorf("tags %q and %q", phrase.Chinese.Tag(), phrase.English.Tag())
	}
}

func TestEnglishIsSpokenWhereItIsPreferred(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]phrase.Language{
		"":                              phrase.Chinese,
		"en":                            phrase.English,
		"en-US,en;q=0.9":                phrase.English,
		"en-GB":                         phrase.English,
		"zh-CN,zh;q=0.9,en;q=0.8":       phrase.Chinese,
		"zh":                            phrase.Chinese,
		"zh-TW":                         phrase.Chinese,
		"zh-Hant-HK, en;q=0.5":          phrase.Chinese,
		"en;q=0.5, zh;q=0.9":            phrase.Chinese,
		"zh;q=0.3, en;q=0.4":            phrase.English,
		"fr, en;q=0.5":                  phrase.English,
		"fr":                            phrase.Chinese,
		"*":                             phrase.Chinese,
		"nonsense!!":                    phrase.Chinese,
		"en;q=nonsense":                 phrase.Chinese,
		strings.Repeat("en,", 10_000):   phrase.English,
		strings.Repeat("x-a-b;", 9_000): phrase.Chinese,
	} {
		if got := phrase.Preferred(header); got != want {
			t.Errorf("%.40q asks for %v, want %v", header, got, want)
		}
	}
}

func FuzzPreferred(f *testing.F) {
	for _, seed := range []string{"", "en", "zh-CN,zh;q=0.9,en;q=0.8", "*;q=0", "en;q=1e9", "\x00", "_", "zh;;q="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if l := phrase.Preferred(header); l != phrase.Chinese && l != phrase.English {
			t.Errorf("%q asks for %d", header, l)
		}
	})
}
