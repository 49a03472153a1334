package settings_test

import (
	"slices"
	"strings"
	"testing"

	"caesar/internal/phrase"
	"caesar/internal/settings"
)

// wrong holds, for each setting, values that must not be taken.
var wrong = map[string][]string{
	"CAESAR_LISTEN":          {"localhost", "8888", ":", "h:99999", "h:http", "h:-1", "a b:1", "::1:80", "http://localhost:1"},
	"CAESAR_DATA":            {"a\x00b"},
	"CAESAR_ROOT_KEY_FILE":   {"a\x00b"},
	"CAESAR_BACKUP_KEY_FILE": {"a\x00b"},
	"CAESAR_DATABASE": {
		"db.corp.invalid", "mysql://ada:pw@db/x", "http://db", "postgres:db", "postgres://?", "postgres:///x", "postgres://ada:pw@/x", "postgres://ada:pw@:5432/x",
		"postgres://a.example,:5433/x", "postgres://a.example,,b.example/x", "postgres://ada:p/w@db.example/x", "postgres://ada:p@w@db.example/x", "postgres://ada:p w@db.example/x",
		"postgres://db/x?sslmode=%zz", "POSTGRES://db/x", "host=db password=hunter2",
	},
	"CAESAR_DATABASE_POOL": {"0", "-1", "1001", "many", "+5"},
	"CAESAR_BLOBS": {
		"bucket.corp.invalid", "http://bucket", "s3://", "s3:///prefix", "s3://key:secret@/prefix", "s3://bucket:9000/x", "s3://key:sec/ret@bucket", "s3://buck et",
		"s3+http://bucket", "s3+http://key:secret@bucket/prefix?region=here", "s3://bucket?region=%zz", "s3://bucket/x#prefix", "s3+https://bucket",
	},
	"CAESAR_SMTP":                {"mail.corp.invalid", "http://mail", "smtp://", "smtp://:25", "smtp://ada:%zz@mail", "ldap://x"},
	"CAESAR_MAIL_FROM":           {"caesar", "<a@b.c>", "A <a@b.c>", "a@b.c,d@e.f", "a@b.c\r\nBcc: x@y.z"},
	"CAESAR_PUBLIC_URL":          {"vault.example.org", "ftp://a", "https://a/b", "https://u:p@a", "https://a?b", "https://a#b", "http://", "http://a:0", "http://a:99999", "https://你好"},
	"CAESAR_CAPTCHA":             {"ON", "true", "1", "no"},
	"CAESAR_TRUSTED_PROXIES":     {"10.0.0.0/33", "proxy", "10.0.0", "0.0.0.0/0", "::/0", "fe80::1%eth0", "10.0.0.1;10.0.0.2"},
	"CAESAR_ORIGINS":             {"*", "null", "corp.invalid", "https://*.example.org", "https://a/b", "file://x"},
	"CAESAR_LOGIN_PASSWORD_MIN":  {"0", "-1", "129", "six", "6.5", "99999999999999999999"},
	"CAESAR_MEMBER_PASSWORD_MIN": {"0", "129", "five"},
	"CAESAR_HIDE_MEMBERS":        {"yes", "true", "ON"},
	"CAESAR_REQUIRE_OLD":         {"yes", "true", "ON"},
	"CAESAR_MAIN_PASSWORD_MIN":   {"0", "+6", "0x6"},
	"CAESAR_CLOSING_GRACE":       {"30", "-1h", "30d", "87601h"},
	"CAESAR_MAIN_KDF":            {"64", "64MiB", "64,3", "15MiB,3", "1025MiB,3", "64MiB,1", "64MiB,11", "64MiB,3,1", "-64MiB,3", "64GiB,3"},
	"CAESAR_HASH_MEMORY":         {"64", "63MiB", "1KiB", "2TiB", "64MB", "-1GiB"},
	"CAESAR_BACKUP_FILE_MAX":     {"10", "10GB", "0GiB", "-1GiB", "1.5GiB", "GiB", "65TiB", "99999999999999999999KiB", "10GiBs"},
	"CAESAR_BACKUP_QUOTA":        {"unlimited", "0KiB", "10 gib"},
	"CAESAR_BACKUP_KEEP":         {"0", "-1", "1001", "ten"},
	"CAESAR_LOG_LEVEL":           {"INFO", "trace", "4"},
	"CAESAR_LOG_FORMAT":          {"JSON", "logfmt"},
}

func TestWrongValuesAreRefusedAndNeverRepeated(t *testing.T) {
	t.Parallel()
	for name, values := range wrong {
		for _, value := range values {
			_, err := settings.Load(nil, []string{name + "=" + value})
			if err == nil {
				t.Errorf("%s=%q was taken", name, value)
				continue
			}
			got := faultsOf(t, err)
			if got[name] == "" || len(got) != 1 {
				t.Errorf("%s=%q: the faults are %v", name, value, got)
			}
			if len(value) > 10 && strings.Contains(got[name], value) {
				t.Errorf("%s: the fault repeats %q", name, value)
			}
		}
	}
}

func TestEverySettingIsTriedWithWrongValuesAndExplainedInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, f := range settings.Flags() {
		if f.Help.In(phrase.English) == "" || f.Help.In(phrase.Chinese) == f.Help.In(phrase.English) || f.Value == "" {
			t.Errorf("--%s is not explained in both languages", f.Name)
		}
		name := "CAESAR_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		file, isFile := strings.CutSuffix(name, "_FILE")
		if f.Name != "config" && wrong[name] == nil && (!isFile || wrong[file] == nil) {
			t.Errorf("%s has no wrong values in this test", name)
		}
	}
}

func TestTheLeastAndTheMostAreTaken(t *testing.T) {
	t.Parallel()
	load(t, nil, "CAESAR_MAIN_KDF=16MiB,2", "CAESAR_LOGIN_PASSWORD_MIN=1", "CAESAR_CLOSING_GRACE=0s", "CAESAR_LISTEN=[::1]:0", "CAESAR_BACKUP_QUOTA=1KiB", "CAESAR_BACKUP_KEEP=1", "CAESAR_DATABASE_POOL=1")
	load(t, nil, "CAESAR_MAIN_KDF=1024MiB,10", "CAESAR_LOGIN_PASSWORD_MIN=128", "CAESAR_CLOSING_GRACE=87600h", "CAESAR_LISTEN=:65535", "CAESAR_BACKUP_QUOTA=64TiB", "CAESAR_BACKUP_KEEP=1000", "CAESAR_DATABASE_POOL=1000")
}

func TestPlacesAreTakenInEveryFormThatTheirDriversRead(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://db", "postgresql://ada@db:5432/caesar", "postgres://ada:p%2Fw@[2001:db8::1]:5432/caesar?sslmode=verify-full&application_name=x",
		"postgres://ada:pw@a.example:5432,b.example:5433/caesar?target_session_attrs=read-write", "postgres:///caesar?host=/run/postgresql", "postgres://ada:p?w@db/caesar",
	} {
		if got := load(t, nil, "CAESAR_DATABASE="+url).Database.Reveal(); got != url {
			t.Errorf("%s: %q", url, got)
		}
	}
	for _, url := range []string{
		"s3://bucket", "s3://bucket/a/prefix/", "s3://KEY:SEC%2FRET@bucket.example/prefix?endpoint=storage.example:9000&region=eu-1",
		"s3+http://KEY:SECRET@bucket?endpoint=127.0.0.1:7070",
	} {
		if got := load(t, nil, "CAESAR_BLOBS="+url).Blobs.Reveal(); got != url {
			t.Errorf("%s: %q", url, got)
		}
	}
}

func TestTheDataFolderIsUsedUnlessAllThatLiesInItIsElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := []string{"CAESAR_DATABASE=postgres://db/x", "CAESAR_BLOBS=s3://bucket", "CAESAR_SMTP=smtp://mail"}
	if load(t, nil, elsewhere...).InDataFolder() {
		t.Error("nothing lies in it")
	}
	for i := range elsewhere {
		if without := slices.Delete(slices.Clone(elsewhere), i, i+1); !load(t, nil, without...).InDataFolder() {
			t.Errorf("with %v alone, something lies in it", without)
		}
	}
}

func TestTheHashMemoryHoldsTheDearestHash(t *testing.T) {
	t.Parallel()
	load(t, nil, "CAESAR_MAIN_KDF=256MiB,3", "CAESAR_HASH_MEMORY=256MiB")
	load(t, nil, "CAESAR_MAIN_KDF=16MiB,3", "CAESAR_HASH_MEMORY=19MiB")
	for kdf, memory := range map[string]string{"256MiB,3": "255MiB", "16MiB,3": "18MiB"} {
		_, err := settings.Load(map[string]string{"main-kdf": kdf}, []string{"CAESAR_HASH_MEMORY=" + memory})
		got := faultsOf(t, err)
		if len(got) != 1 || !strings.Contains(got["CAESAR_HASH_MEMORY"], "--main-kdf") {
			t.Errorf("%s in %s: the faults are %v", kdf, memory, got)
		}
	}
}

func TestALineOfAFileStandsAsItIs(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`A=b`:                    "b",
		"\ufeffA=b":              "b",
		`  export A = b  `:       "b",
		`A=`:                     "",
		`A=pa$HOME${X}#no\n`:     `pa$HOME${X}#no\n`,
		`A="pa$$ # \t"`:          `pa$$ # \t`,
		`A=' b '`:                " b ",
		`A=b=c`:                  "b=c",
		`A=it's`:                 "it's",
		"# a comment\r\nA=b\r\n": "b",
	} {
		pairs, broken := settings.ParseFile(line)
		if broken != 0 || len(pairs) != 1 || pairs[0] != [2]string{"A", want} {
			t.Errorf("%q: %q, %d broken", line, pairs, broken)
		}
	}
	for _, line := range []string{`A`, `=b`, `1A=b`, `A B=c`, `smtp://ada:pw=x@mail`, `A="b`, `A='b' # c`, `A="b"c"`, `A="`} {
		if pairs, broken := settings.ParseFile(line); broken != 1 || len(pairs) != 0 {
			t.Errorf("%q: %q, %d broken", line, pairs, broken)
		}
	}
}

// What is read of a file, written out again, reads the same; every line is read, skipped or broken.
func FuzzSettingsFile(f *testing.F) {
	for _, seed := range []string{"A=b\nB='c'\n", "export A=\"x y\"", "#\n\n=", "A='", "\ufeffA=\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pairs, broken := settings.ParseFile(text)
		if len(pairs)+broken > strings.Count(text, "\n")+1 {
			t.Fatalf("%d entries and %d faults from fewer lines", len(pairs), broken)
		}
		for _, p := range pairs {
			quote := `"`
			if strings.Contains(p[1], quote) {
				quote = "'"
			}
			if strings.Contains(p[1], quote) {
				continue // holds both kinds: it was not quoted, and stands as it is
			}
			again, broken := settings.ParseFile(p[0] + "=" + quote + p[1] + quote)
			if broken != 0 || len(again) != 1 || again[0] != p {
				t.Fatalf("%q reads %q the second time", p, again)
			}
		}
	})
}
