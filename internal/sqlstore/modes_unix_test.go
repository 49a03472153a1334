//go:build unix

package sqlstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caesar/internal/sqlstore"
)

func TestMain(m *testing.M) {
	// The files must be private by themselves, not by the grace of whoever starts the server.
	syscall.Umask(0)
	m.Run()
}

func TestWhatLiesOnDiskIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "caesar.db")
	store := openSQLite(t, path)
	register(t, store, "marcus")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	upgraded, err := sqlstore.OpenSQLiteWith(t.Context(), path, next(t, "sqlite", "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = upgraded.Close() }()
	register(t, upgraded, "tullius")

	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 4 { // the database, its log and its index of that, and the copy
		t.Errorf("the folder holds %v", files)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", f.Name(), info.Mode())
		}
	}
}

func TestADatabaseThatOthersMayReadIsRefusedWithItsMend(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	if err := openSQLite(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	chmod := func(mode os.FileMode, files ...string) {
		t.Helper()
		for _, file := range files {
			if err := os.Chmod(file, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		chmod(mode, path)
		store, err := sqlstore.OpenSQLite(t.Context(), path)
		if err == nil {
			_ = store.Close()
			t.Errorf("mode %04o is taken", mode)
		} else if said := err.Error(); !strings.HasSuffix(said, "run chmod 600 "+path) || strings.Contains(said, "\n") {
			t.Error(said)
		}
	}
	chmod(0o600, path)
	log := path + "-wal"
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if store, err := sqlstore.OpenSQLite(t.Context(), path); err == nil || !strings.HasSuffix(err.Error(), "run chmod 600 "+log) {
		if err == nil {
			_ = store.Close()
		}
		t.Errorf("a log that others may read: %v", err)
	}
	chmod(0o600, log)
	if err := openSQLite(t, path).Close(); err != nil {
		t.Error(err)
	}
}
