//go:build unix

package sqlstore_test

import (
	"os"
	"path/filepath"
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
	upgraded, err := sqlstore.OpenSQLiteWith(t.Context(), path, next(t, "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT"))
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
