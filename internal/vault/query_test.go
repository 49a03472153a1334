package vault_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of these tests, wherever they run
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"caesar/internal/vault"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestAMomentIsReadInEachOfItsForms(t *testing.T) {
	t.Parallel()
	shanghai := zone(t, "Asia/Shanghai")
	for _, c := range []struct{ text, from, until string }{
		{"2024-02-29", "2024-02-29T00:00:00+08:00", "2024-02-29T23:59:59+08:00"},
		{"2024-12-31", "2024-12-31T00:00:00+08:00", "2024-12-31T23:59:59+08:00"},
		{"2024-02-29 13:14:15", "2024-02-29T13:14:15+08:00", "2024-02-29T13:14:15+08:00"},
		{"2024-02-29T13:14:15", "2024-02-29T13:14:15+08:00", "2024-02-29T13:14:15+08:00"},
		{"2024-02-29 00:00:00", "2024-02-29T00:00:00+08:00", "2024-02-29T00:00:00+08:00"},
		{"2024-02-29T13:14:15Z", "2024-02-29T13:14:15Z", "2024-02-29T13:14:15Z"},
		{"2024-02-29T13:14:15-03:30", "2024-02-29T13:14:15-03:30", "2024-02-29T13:14:15-03:30"},
		{"2024-02-29T13:14:15.999Z", "2024-02-29T13:14:15Z", "2024-02-29T13:14:15Z"},
		{"1709212455", "2024-02-29T13:14:15Z", "2024-02-29T13:14:15Z"},
		{"0", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"99999999999", "5138-11-16T09:46:39Z", "5138-11-16T09:46:39Z"},
	} {
		for name, parse := range map[string]func(string, *time.Location) (time.Time, bool){c.from: vault.ParseFrom, c.until: vault.ParseUntil} {
			want, err := time.Parse(time.RFC3339, name)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := parse(c.text, shanghai); !ok || !got.Equal(want) {
				t.Errorf("%s is read as %v, %v, want %v", c.text, got, ok, want)
			}
		}
	}
}

func TestWhatIsNoMomentIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-01-00", "2024-1-1", "24-01-01", "2024/01/01",
		"2024-01-01 ", " 2024-01-01", "2024-01-01 24:00:00", "2024-01-01 23:60:00", "2024-01-01 23:59:60", "2024-01-01 12:00",
		"2024-01-01T12:00:00+25:00", "-1", "+1", "1.5", "1e9", "0x10", "1_000", "1709212455000", "999999999999999999999", "now",
		"二〇二四", "２０２４-01-01", "2024-01-01\x00", "2024-01-01;", "' OR 1=1", strings.Repeat("1", 1<<20),
	} {
		if got, ok := vault.ParseFrom(text, time.UTC); ok {
			t.Errorf("%.40q is read as %v", text, got)
		}
		if got, ok := vault.ParseUntil(text, time.UTC); ok {
			t.Errorf("%.40q is read as the end %v", text, got)
		}
	}
}

// zones put their clocks on and back in all the ways there are: at 2:00, at midnight, within the first
// hour, by half an hour, over a whole day, and not at all.
var zones = []string{
	"UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Africa/Cairo", "Asia/Beirut",
	"Asia/Amman", "Asia/Damascus", "Asia/Tehran", "Asia/Gaza", "America/Asuncion", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia",
	"Pacific/Kiritimati", "Atlantic/Azores", "America/St_Johns", "America/Scoresbysund", "Africa/Casablanca", "Europe/Moscow", "Asia/Kathmandu",
}

func TestDaysFollowOneAnotherWithoutGapOrOverlap(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		z := zone(t, name)
		for day := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2038; day = day.AddDate(0, 0, 1) {
			today, tomorrow := day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)
			from, ok1 := vault.ParseFrom(today, z)
			until, ok2 := vault.ParseUntil(today, z)
			after, ok3 := vault.ParseFrom(tomorrow, z)
			if !ok1 || !ok2 || !ok3 || !until.Add(time.Second).Equal(after) {
				t.Fatalf("%s in %s is from %v until %v, and the next day from %v", today, name, from, until, after)
			}
			if until.Before(from) {
				if name == "Pacific/Apia" || name == "Pacific/Kiritimati" {
					continue // the day was left out when the zone moved over the date line
				}
				t.Fatalf("%s in %s is from %v until %v", today, name, from, until)
			}
			for _, moment := range []time.Time{from, until} {
				if got := moment.In(z).Format(time.DateOnly); got != today {
					t.Fatalf("%s in %s begins or ends at %v", today, name, moment.In(z))
				}
			}
			if before := from.Add(-time.Second).In(z).Format(time.DateOnly); before >= today {
				t.Fatalf("%s in %s begins at %v, and is on already before", today, name, from)
			}
		}
	}
}

func TestARangeOfOneDayIsAsLongAsTheDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day string
		hours     float64
	}{
		{"Europe/Berlin", "2024-03-31", 23},
		{"Europe/Berlin", "2024-10-27", 25},
		{"Europe/Berlin", "2024-06-01", 24},
		{"America/Sao_Paulo", "2018-11-04", 23}, // begins at 1:00
		{"America/Sao_Paulo", "2018-02-17", 25}, // its last hour comes twice
		{"America/Havana", "2018-11-04", 25},    // its first hour comes twice
		{"Australia/Lord_Howe", "2024-10-06", 23.5},
	} {
		z := zone(t, c.zone)
		from, _ := vault.ParseFrom(c.day, z)
		until, _ := vault.ParseUntil(c.day, z)
		if got := (until.Sub(from) + time.Second).Hours(); got != c.hours {
			t.Errorf("%s in %s has %v hours, want %v", c.day, c.zone, got, c.hours)
		}
	}
}

func FuzzParseFrom(f *testing.F) {
	seedMoments(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, z := range []*time.Location{time.UTC, time.FixedZone("", 8*3600)} {
			from, ok := vault.ParseFrom(text, z)
			if _, also := vault.ParseUntil(text, z); ok != also {
				t.Errorf("%q is a beginning: %v, an end: %v", text, ok, also)
			}
			if ok && (from.Nanosecond() != 0 || from.Year() > 9999 || from.Year() < -1) {
				t.Errorf("%q is read as %v", text, from)
			}
		}
	})
}

func FuzzParseUntil(f *testing.F) {
	seedMoments(f)
	f.Fuzz(func(t *testing.T, text string) {
		from, _ := vault.ParseFrom(text, time.UTC)
		until, ok := vault.ParseUntil(text, time.UTC)
		if ok && until.Before(from) || until.Sub(from) >= 24*time.Hour {
			t.Errorf("%q is from %v until %v", text, from, until)
		}
	})
}

func seedMoments(f *testing.F) {
	f.Helper()
	for _, seed := range []string{
		"2024-02-29", "2024-02-29 13:14:15", "2024-02-29T13:14:15+08:00", "1709212455", "", "9999-12-31", "0000-01-01", "2024-02-29 13:14:15,5", "-1",
	} {
		f.Add(seed)
	}
}

func TestFoldingJoinsWhatASearchDoesNotTellApart(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"GitHub", "github", "GITHUB"},
		{"Ünï", "ünï", "U\u0308ni\u0308"},
		{"Straße", "STRASSE", "strasse"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφοσ"},
		{"İ", "i\u0307"},
		{"微信"},
		{"ﬁ", "fi"},
	} {
		for _, s := range same {
			if vault.Fold(s) != vault.Fold(same[0]) {
				t.Errorf("%q folds to %q, %q to %q", s, vault.Fold(s), same[0], vault.Fold(same[0]))
			}
		}
	}
	for _, pair := range [][2]string{{"a", "b"}, {"a", "ä"}, {"微信", "微博"}, {"a b", "ab"}, {"%", "_"}} {
		if vault.Fold(pair[0]) == vault.Fold(pair[1]) {
			t.Errorf("%q and %q fold to one", pair[0], pair[1])
		}
	}
}

// text draws what folding could stumble over.
func text() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.StringN(0, 6, -1),
			rapid.SampledFrom([]string{"İ", "ı", "ß", "ẞ", "ς", "Σ", "ﬁ", "\u0345", "\u0301", "ᾳ", "ᾼ", "Ω", "K", "Å", "ǰ", "ΐ", "ſ", "\u1e9b\u0323", "\u0fb2\u0f71\u0f80", "가"}),
		), 0, 8).Draw(t, "parts"), "")
	})
}

func TestFoldingTwiceIsFoldingOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := text().Draw(t, "text")
		once := vault.Fold(s)
		if twice := vault.Fold(once); twice != once {
			t.Fatalf("%+q folds to %+q, and that to %+q", s, once, twice)
		}
	})
}

func TestFoldingKnowsNoFormsOfTheSameText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := text().Draw(t, "text")
		for name, other := range map[string]string{"NFC": norm.NFC.String(s), "NFD": norm.NFD.String(s)} {
			if vault.Fold(other) != vault.Fold(s) {
				t.Fatalf("%+q folds to %+q, its %s to %+q", s, vault.Fold(s), name, vault.Fold(other))
			}
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, seed := range []string{"", "GitHub", "微信", "İ", "\xff", "ᾳ\u0301", "\u0345"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := vault.Fold(s)
		if vault.Fold(folded) != folded {
			t.Errorf("%+q folds to %+q, and that to %+q", s, folded, vault.Fold(folded))
		}
		if strings.ContainsFunc(folded, func(r rune) bool { return r < utf8.RuneSelf && unicode.IsUpper(r) }) {
			t.Errorf("%+q folds to %+q", s, folded)
		}
	})
}
