package backup_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"caesar/internal/backup"
)

func TestTheOperatorOpensABlobWithAgeItself(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	content := noise(200_000)
	v := l.upload(l.person("ada"), "x", content)
	text, err := os.ReadFile(l.key)
	l.must(err)
	identities, err := age.ParseIdentities(bytes.NewReader(text))
	l.must(err)
	sealed, err := os.Open(filepath.Join(l.folder, v.Blob+".age"))
	l.must(err)
	defer sealed.Close()
	plain, err := age.Decrypt(sealed, identities...)
	l.must(err)
	if got, err := io.ReadAll(plain); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came out, and %v", len(got), err)
	}
}

func TestKeysAreMadeOnceInTheFormatOfAgeKeygen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "backup.age")
	if _, err := backup.LoadKeys(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without a file the error is %v", err)
	}
	var all sync.WaitGroup
	current := make([]string, 20)
	for i := range current {
		all.Go(func() {
			keys, err := backup.LoadOrCreateKeys(path, noon)
			if err != nil {
				t.Error(err)
				return
			}
			current[i] = keys.Current()
		})
	}
	all.Wait()
	for _, c := range current {
		if c != current[0] {
			t.Fatalf("two have been made: %s and %s", c, current[0])
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[0] != "# created: 2027-01-15T08:00:00Z" || lines[1] != "# public key: "+current[0] || !strings.HasPrefix(lines[2], "AGE-SECRET-KEY-1") {
		t.Errorf("the file is\n%s", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
}

func TestOlderKeysStillOpen(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	old := l.upload(ada, "old", []byte("old"))
	next, err := age.GenerateX25519Identity()
	l.must(err)
	text, err := os.ReadFile(l.key)
	l.must(err)
	l.must(os.WriteFile(l.key, append([]byte(next.String()+"\n"), text...), 0o600))
	keys, err := backup.LoadKeys(l.key)
	l.must(err)
	if keys.Current() != next.Recipient().String() || !keys.Holds(l.keys.Current()) || keys.Holds("age1x") {
		t.Errorf("the current key is %s", keys.Current())
	}
	l.keys = keys
	l.Service = l.service(func(*backup.Config) {})
	fresh := l.upload(ada, "new", []byte("new"))
	if got := string(l.download(ada, old.ID)) + string(l.download(ada, fresh.ID)); got != "oldnew" {
		t.Errorf("what is read is %q", got)
	}
	sealed, err := os.Open(filepath.Join(l.folder, fresh.Blob+".age"))
	l.must(err)
	defer sealed.Close()
	if _, err := age.Decrypt(sealed, next); err != nil {
		t.Errorf("a new version is not sealed under the new key: %v", err)
	}
}

func TestAKeyFileThatIsNotRightIsRefusedAndNeverRepeated(t *testing.T) {
	t.Parallel()
	const secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup.age")
	for _, text := range []string{"", "# nothing\n", secret, "# c\n" + secret + "\n", "age1xyz", hybrid.String(), strings.Repeat("#\n", 40_000)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := backup.LoadOrCreateKeys(path, noon)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "SECRET-KEY-") {
			t.Errorf("%.20q: the error is %v", text, err)
		}
	}
}

func TestAKeyFileThatOthersMayReadIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backup.age")
	if _, err := backup.LoadOrCreateKeys(path, noon); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o601} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.LoadKeys(path); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: the error is %v", mode, err)
		}
	}
}
