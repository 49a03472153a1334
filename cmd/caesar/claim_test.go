//go:build unix && !aix && !solaris

package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caesar/internal/settings"
)

func settingsIn(folder string) *settings.Settings {
	return &settings.Settings{
		Listen: "127.0.0.1:0", Data: folder, RootKeyFile: filepath.Join(folder, "keys", "root.key"), BackupKeyFile: filepath.Join(folder, "keys", "backup.age"),
		BackupFileMax: 1 << 20, BackupQuota: 1 << 20, BackupKeep: 1,
	}
}

func TestASecondServerOnTheSameFolderIsOneClearLineAndTouchesNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	release, err := claim(folder)
	if err != nil {
		t.Fatal(err)
	}
	second, err := wire(t.Context(), settingsIn(folder), slog.New(slog.DiscardHandler))
	if err == nil {
		_ = second.close()
		t.Fatal("it starts")
	}
	if said := err.Error(); !strings.Contains(said, "another server runs on the data folder "+folder) || strings.Contains(said, "\n") {
		t.Error(said)
	}
	for _, made := range []string{"caesar.db", "keys"} {
		if _, err := os.Stat(filepath.Join(folder, made)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was touched: %v", made, err)
		}
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = claim(folder)
	if err != nil {
		t.Fatalf("a folder that was let go of is not free: %v", err)
	}
	_ = release()
}

func TestAServerHoldsItsFolderUntilItIsClosed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	a, err := wire(t.Context(), settingsIn(folder), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claim(folder); err == nil {
		t.Error("a second one gets the folder")
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	release, err := claim(folder)
	if err != nil {
		t.Fatal(err)
	}
	_ = release()
}
