package rootkey_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"caesar/internal/rootkey"
)

func TestTheFirstStartMakesAKeyThatTheNextOnesRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "root.key")
	first, err := rootkey.LoadOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := rootkey.LoadOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Sealer("test").Open(first.Sealer("test").Seal([]byte("x"))); err != nil {
		t.Errorf("the second start reads another key: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(string(text), "\n")); err != nil || len(key) != 32 {
		t.Errorf("the file holds %d bytes, %v", len(key), err)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", info.Mode())
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files are left beside the key", len(files)-1)
	}
}

func TestOfManyStartsAtOnceExactlyOneMakesTheKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "root.key")
	const starts = 16
	keys := make([][]byte, starts)
	var wg sync.WaitGroup
	for i := range starts {
		wg.Go(func() {
			r, err := rootkey.LoadOrCreate(path)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = r.MAC("test").Key()
		})
	}
	wg.Wait()
	for _, key := range keys {
		if !bytes.Equal(key, keys[0]) {
			t.Fatal("two starts hold different keys")
		}
	}
}

func TestAKeyThatOthersMayTouchIsRefusedWithTheMend(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("mode bits say nothing here")
	}
	path := filepath.Join(t.TempDir(), "root.key")
	if _, err := rootkey.LoadOrCreate(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644, 0o601, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := rootkey.LoadOrCreate(path)
		if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := rootkey.Load(path); err != nil {
		t.Errorf("mode 400: %v", err)
	}
}

func TestAnAbsentKeyIsToldApart(t *testing.T) {
	t.Parallel()
	if _, err := rootkey.Load(filepath.Join(t.TempDir(), "root.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load = %v", err)
	}
}

func TestAFolderIsNoKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if _, err := rootkey.LoadOrCreate(folder); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("LoadOrCreate = %v", err)
	}
}

func TestABrokenFileIsRefusedWithoutShowingWhatItHolds(t *testing.T) {
	t.Parallel()
	good := base64.StdEncoding.EncodeToString(secret(1))
	for name, text := range map[string]string{
		"empty":         "",
		"blank":         "\n \n",
		"short key":     good[:20] + "\n",
		"long key":      good[:43] + "AAAA=\n",
		"no base64":     strings.Repeat("*", 44),
		"url alphabet":  strings.Repeat("_", 43) + "=",
		"bad last line": good + "\n" + good[:43] + "\n",
		"not canonical": strings.Repeat("A", 42) + "B=\n",
		"huge":          strings.Repeat(good+"\n", 2000),
	} {
		path := filepath.Join(t.TempDir(), "root.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := rootkey.LoadOrCreate(path)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), good[:20]) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

func TestBlankLinesAndCarriageReturnsDoNotMatter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "root.key")
	text := "\r\n" + base64.StdEncoding.EncodeToString(secret(2)) + "\r\n\r\n" + base64.StdEncoding.EncodeToString(secret(1))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := rootkey.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Sealer("test").Open(ring(t, 1).Sealer("test").Seal(nil)); err != nil {
		t.Errorf("the older key is not read: %v", err)
	}
}
