package backup_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"caesar/internal/backup"
)

func TestALabelIsTheLastElementWithoutWhatCannotBeShown(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 400)
	for typed, want := range map[string]string{
		"vault.kdbx":                            "vault.kdbx",
		`C:\Users\22446\Downloads\response.txt`: "response.txt",
		"../../etc/passwd":                      "passwd",
		`..\..\boot.ini`:                        "boot.ini",
		"/":                                     "backup",
		"a/":                                    "backup",
		"":                                      "backup",
		" \t ":                                  "backup",
		".":                                     "backup",
		"..":                                    "backup",
		"..\x00":                                "backup",
		".bashrc":                               ".bashrc",
		"a\r\nSet-Cookie: x.txt":                "aSet-Cookie: x.txt",
		"a\x00b\x7f.txt":                        "ab.txt",
		"quote\"d;'s.txt":                       "quote\"d;'s.txt",
		"photo\u202egpj.exe":                    "photogpj.exe",
		"line\u2028break":                       "linebreak",
		"a\u200bb\u00adc\u2060d\ufeffe\u061c.txt": "abcde.txt",
		"\U000e0061\u200e\u2066":                  "backup",
		"می\u200cخواهم.txt":                       "می\u200cخواهم.txt",
		"备份 🗝️ 👨‍👩‍👧.zip":                         "备份 🗝️ 👨‍👩‍👧.zip",
		"e\u0301.txt":                             "é.txt",
		"\xff\xfe.txt":                            "\ufffd.txt",
		long + ".tar":                             long[:251] + ".tar",
		long:                                      long[:255],
		"a." + long:                               "a." + long[:253],
		strings.Repeat("备", 300) + ".zip":         strings.Repeat("备", 251) + ".zip",
	} {
		if got := backup.Label(typed); got != want {
			t.Errorf("Label(%q) = %q, want %q", typed, got, want)
		}
	}
}

func FuzzLabel(f *testing.F) {
	for _, seed := range []string{"a.txt", `..\x`, "a/b", "\u202e", strings.Repeat("é.", 300), "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		label := backup.Label(typed)
		if label == "" || utf8.RuneCountInString(label) > 255 || !utf8.ValidString(label) || strings.ContainsAny(label, `/\`) || strings.ContainsFunc(label, unicode.IsControl) {
			t.Errorf("Label(%q) = %q", typed, label)
		}
		if again := backup.Label(label); again != label {
			t.Errorf("Label(%q) = %q, whose label is %q", typed, label, again)
		}
	})
}
