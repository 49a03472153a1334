package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/rootkey"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// started makes a data folder as a first start leaves it, and returns the public half of its backup key.
func started(t *testing.T) (folder, key, recipient string) {
	t.Helper()
	folder = t.TempDir()
	key = filepath.Join(folder, "keys", "backup.age")
	root, err := rootkey.LoadOrCreate(filepath.Join(folder, "keys", "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(folder, "caesar.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := &settings.Settings{Data: folder, BackupKeyFile: key, BackupFileMax: 1 << 20, BackupQuota: 1 << 20, BackupKeep: 1}
	place, err := openBlobs(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wireBackups(t.Context(), s, root, store, place, nil); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	keys, err := backup.LoadKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	return folder, key, keys.Current()
}

func TestALostBackupKeyDoesNotPassForAFirstStart(t *testing.T) {
	t.Parallel()
	folder, key, recipient := started(t)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	refusal := func() {
		t.Helper()
		said := refused(t, "--listen", "127.0.0.1:0", "--data", folder)
		if !strings.Contains(said, recipient) || !strings.Contains(said, key) || !strings.Contains(said, "bring back") {
			t.Error(said)
		}
	}
	refusal()
	if _, err := os.Stat(key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key was made in its place: %v", err)
	}
	if _, err := backup.LoadOrCreateKeys(key, time.Now()); err != nil {
		t.Fatal(err)
	}
	refusal() // another key is no better
}

func TestABackupKeyThatOthersMayReadIsOneClearLine(t *testing.T) {
	t.Parallel()
	folder, key, _ := started(t)
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if said := refused(t, "--listen", "127.0.0.1:0", "--data", folder); !strings.Contains(said, "chmod 600 "+key) || strings.Contains(said, "SECRET") {
		t.Error(said)
	}
}

func TestAFolderOfBackupsThatCannotBeMadeIsOneClearLine(t *testing.T) {
	t.Parallel()
	folder, _, _ := started(t)
	blobs := filepath.Join(folder, "blobs")
	if err := os.Remove(blobs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blobs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := refused(t, "--listen", "127.0.0.1:0", "--data", folder); !strings.Contains(said, blobs) {
		t.Error(said)
	}
}
