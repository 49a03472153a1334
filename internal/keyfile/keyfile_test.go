package keyfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"caesar/internal/keyfile"
)

func TestWhatWasMadeIsReadByItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "keys", "a.key")
	if _, err := keyfile.Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without a file the error is %v", err)
	}
	if err := keyfile.Create(path, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if text, err := keyfile.Read(path); err != nil || string(text) != "secret" {
		t.Errorf("what is read is %q, %v", text, err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", p, info.Mode(), err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside it lie %v, %v", entries, err)
	}
}

func TestOfManyMakersOneSucceedsAndNothingIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.key")
	var makers sync.WaitGroup
	read := make([]string, 50)
	for i := range read {
		makers.Go(func() {
			if err := keyfile.Create(path, fmt.Append(nil, "key ", i)); err != nil {
				t.Error(err)
			}
			text, err := keyfile.Read(path)
			if err != nil {
				t.Error(err)
			}
			read[i] = string(text)
		})
	}
	makers.Wait()
	for _, text := range read {
		if text != read[0] || !strings.HasPrefix(text, "key ") {
			t.Fatalf("one reads %q, another %q", read[0], text)
		}
	}
}

func TestWhatIsNoKeyFileIsRefusedWithItsPathAndWithoutWhatIsInIt(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		write("group", "secret", 0o640):                                    "chmod 600",
		write("others", "secret", 0o604):                                   "chmod 600",
		write("large", "secret"+strings.Repeat("x", keyfile.Limit), 0o600): "larger",
		folder: "not a regular file",
	} {
		_, err := keyfile.Read(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error is %v", path, err)
		}
	}
}

func TestAFolderThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keyfile.Create(filepath.Join(file, "a.key"), []byte("secret")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("the error is %v", err)
	}
}
