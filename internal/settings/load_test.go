package settings_test

import (
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/settings"
)

// file writes a file of settings, or a secret, and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "caesar.env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, flags map[string]string, environ ...string) *settings.Settings {
	t.Helper()
	s, err := settings.Load(flags, environ)
	if err != nil {
		t.Fatalf("Load: %v, fields %v", err, faultsOf(t, err))
	}
	return s
}

// faultsOf returns what is wrong, in English, by the name under which it was said.
func faultsOf(t *testing.T, err error) map[string]string {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("the error %v is no *fault.Error", err)
	}
	said := map[string]string{}
	for name, p := range f.Fields {
		said[name] = p.In(phrase.English)
		if p.In(phrase.Chinese) == said[name] {
			t.Errorf("%s is not told in Chinese: %s", name, said[name])
		}
	}
	return said
}

func TestNothingSaidGivesTheDefaults(t *testing.T) {
	t.Parallel()
	want := &settings.Settings{
		Listen: "localhost:8888", Data: "./caesar-data", Captcha: true,
		DatabasePool: 20, BackupKeyFile: filepath.Join("caesar-data", "keys", "backup.age"),
		RootKeyFile: filepath.Join("caesar-data", "keys", "root.key"), LoginPasswordMin: 6, MemberPasswordMin: 5, MainPasswordMin: 6,
		ClosingGrace: 720 * time.Hour, MainKDF: settings.KDF{MemoryMiB: 64, Passes: 3}, LogLevel: slog.LevelInfo,
		BackupFileMax: 10 << 30, BackupQuota: 20 << 30, BackupKeep: 10,
	}
	if got := load(t, nil, "HOME=/home/ada", "LANG=C"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEverySettingCanBeSaidByVariable(t *testing.T) {
	t.Parallel()
	got := load(t, nil,
		"CAESAR_LISTEN=:80", "CAESAR_DATA=/srv/caesar", "CAESAR_SMTP=smtps://ada:pw@mail.example.org", "CAESAR_MAIL_FROM=vault@example.org",
		"CAESAR_PUBLIC_URL=HTTPS://Vault.Example.org:443/", "CAESAR_CAPTCHA=off", "CAESAR_TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.1,2001:db8::/32",
		"CAESAR_ORIGINS=https://a.example.org,http://b.example.org:8080", "CAESAR_LOGIN_PASSWORD_MIN=8", "CAESAR_MAIN_PASSWORD_MIN=12",
		"CAESAR_MEMBER_PASSWORD_MIN=7", "CAESAR_HIDE_MEMBERS=on", "CAESAR_REQUIRE_OLD=on",
		"CAESAR_CLOSING_GRACE=48h", "CAESAR_MAIN_KDF=16MiB, 2", "CAESAR_LOG_LEVEL=debug", "CAESAR_LOG_FORMAT=json",
		"CAESAR_BACKUP_FILE_MAX=500MiB", "CAESAR_BACKUP_QUOTA=2 TiB", "CAESAR_BACKUP_KEEP=3", "CAESAR_HASH_MEMORY=512MiB",
		"CAESAR_DATABASE=postgres://ada:pw@db.example.org/caesar", "CAESAR_DATABASE_POOL=7", "CAESAR_BLOBS=s3://ada:pw@bucket/at",
		"CAESAR_ROOT_KEY_FILE=/run/root.key", "CAESAR_BACKUP_KEY_FILE=/run/backup.age",
	)
	want := &settings.Settings{
		Listen: ":80", Data: "/srv/caesar", SMTP: settings.NewSecret("smtps://ada:pw@mail.example.org"),
		MailFrom: "vault@example.org", PublicURL: "https://vault.example.org",
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32"),
		},
		Origins:  []string{"https://a.example.org", "http://b.example.org:8080"},
		Database: settings.NewSecret("postgres://ada:pw@db.example.org/caesar"), DatabasePool: 7, Blobs: settings.NewSecret("s3://ada:pw@bucket/at"),
		RootKeyFile: "/run/root.key", BackupKeyFile: "/run/backup.age", LoginPasswordMin: 8, MainPasswordMin: 12,
		MemberPasswordMin: 7, HideMembers: true, RequireOld: true,
		ClosingGrace: 48 * time.Hour, MainKDF: settings.KDF{MemoryMiB: 16, Passes: 2}, LogLevel: slog.LevelDebug, LogJSON: true,
		BackupFileMax: 500 << 20, BackupQuota: 2 << 40, BackupKeep: 3, HashMemory: 512 << 20,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAFlagBeatsTheEnvironmentWhichBeatsTheFileWhichBeatsTheDefault(t *testing.T) {
	t.Parallel()
	config := file(t, "CAESAR_LISTEN=:1\nCAESAR_DATA=/file\nCAESAR_MAIL_FROM=file@example.org\n")
	got := load(t, map[string]string{"config": config, "listen": ":3"}, "CAESAR_LISTEN=:2", "CAESAR_DATA=/env", "CAESAR_CONFIG=/absent")
	if got.Listen != ":3" || got.Data != "/env" || got.MailFrom != "file@example.org" || got.MainPasswordMin != 6 {
		t.Errorf("listen %s, data %s, mail_from %s, main_password_min %d", got.Listen, got.Data, got.MailFrom, got.MainPasswordMin)
	}
}

func TestAnEmptyValueStandsForTheDefault(t *testing.T) {
	t.Parallel()
	config := file(t, "CAESAR_SMTP=smtp://file.example.org\nCAESAR_LISTEN=:1\n")
	got := load(t, map[string]string{"smtp": ""}, "CAESAR_CONFIG="+config, "CAESAR_LISTEN=", "CAESAR_DATABASE=")
	if got.SMTP.Reveal() != "" || got.Listen != "localhost:8888" {
		t.Errorf("smtp %q, listen %s", got.SMTP.Reveal(), got.Listen)
	}
}

func TestASecretCanComeFromAFileAtEveryLayer(t *testing.T) {
	t.Parallel()
	const want = "smtps://ada:p$w%23'@mail.example.org"
	secret := file(t, want+"\r\n")
	for name, s := range map[string]*settings.Settings{
		"flag":     load(t, map[string]string{"smtp-file": secret}, "CAESAR_SMTP=smtp://other.example.org"),
		"variable": load(t, nil, "CAESAR_SMTP_FILE="+secret, "CAESAR_SMTP="),
		"file":     load(t, nil, "CAESAR_CONFIG="+file(t, "CAESAR_SMTP_FILE="+secret)),
	} {
		if s.SMTP.Reveal() != want {
			t.Errorf("by %s: %q", name, s.SMTP.Reveal())
		}
	}
}

func TestAllFaultsAreToldAtOnceByTheNameUnderWhichTheyWereSaid(t *testing.T) {
	t.Parallel()
	config := file(t, "CAESAR_MAIL_FROM=Ada <ada@example.org>\nnonsense\nCAESAR_MAIN_KDF='64MiB,3\nCAESAR_DTAA=x\nCAESAR_DATA=a\nCAESAR_DATA=b\nPATH=/bin\nCAESAR_CONFIG=x\nCAESAR_BLOBS=b\n")
	_, err := settings.Load(
		map[string]string{"listen": "8888", "config": config},
		[]string{"CAESAR_CAPTCHA=maybe", "CAESAR_LISTNE=:1", "CAESAR_smtp=x", "CAESAR_DATABASE=mysql://db", "CAESAR_SMTP=smtp://a", "CAESAR_SMTP_FILE=/b"})
	got := slices.Sorted(maps.Keys(faultsOf(t, err)))
	want := []string{
		"--listen", "CAESAR_CAPTCHA", "CAESAR_DATABASE", "CAESAR_LISTNE", "CAESAR_SMTP_FILE", "CAESAR_smtp",
		config + ":1: CAESAR_MAIL_FROM", config + ":2", config + ":3", config + ":4: CAESAR_DTAA", config + ":6: CAESAR_DATA",
		config + ":7: PATH", config + ":8: CAESAR_CONFIG", config + ":9: CAESAR_BLOBS",
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAnEmptyFileOfASecretIsAFaultAndNoFileIsTheDefault(t *testing.T) {
	t.Parallel()
	if got := load(t, nil, "CAESAR_DATABASE_FILE=", "CAESAR_BLOBS_FILE="); got.Database.Reveal() != "" || got.Blobs.Reveal() != "" {
		t.Error("an empty secret is one")
	}
	for _, empty := range []string{"", "\n", "\r\n\r\n"} {
		_, err := settings.Load(nil, []string{"CAESAR_DATABASE_FILE=" + file(t, empty)})
		if err == nil {
			t.Errorf("a file that holds %q passes for no setting", empty)
			continue
		}
		if faults := faultsOf(t, err); len(faults) != 1 || faults["CAESAR_DATABASE_FILE"] != "the file it names is empty" {
			t.Errorf("a file that holds %q: %v", empty, faults)
		}
	}
}

func TestVariablesOfTestsAndOfKubernetesAreLeftAlone(t *testing.T) {
	t.Parallel()
	load(t, nil, "CAESAR_TEST_X=1", "CAESAR_SERVICE_HOST=10.0.0.1", "CAESAR_SERVICE_PORT_HTTP=80",
		"CAESAR_PORT=tcp://10.0.0.1:80", "CAESAR_PORT_80_TCP_ADDR=10.0.0.1")
	_, err := settings.Load(nil, []string{"CAESAR_PORT=80"})
	if got := faultsOf(t, err); got["CAESAR_PORT"] == "" {
		t.Errorf("CAESAR_PORT=80 is somebody's mistake, and was ignored: %v", got)
	}
}

func TestAFileThatCannotBeReadIsAFaultWithoutItsPath(t *testing.T) {
	t.Parallel()
	// People do put a secret where its file is asked for.
	_, err := settings.Load(nil, []string{"CAESAR_SMTP_FILE=smtp://ada:hunter2@mail", "CAESAR_CONFIG=/absent/caesar.env"})
	got := faultsOf(t, err)
	if got["CAESAR_SMTP_FILE"] == "" || got["CAESAR_CONFIG"] == "" || len(got) != 2 || strings.Contains(got["CAESAR_SMTP_FILE"], "hunter2") {
		t.Errorf("%v", got)
	}
	_, err = settings.Load(map[string]string{"smtp-file": file(t, strings.Repeat("a", 70_000))}, nil)
	if got := faultsOf(t, err); !strings.Contains(got["--smtp-file"], "too large") {
		t.Errorf("%v", got)
	}
}
