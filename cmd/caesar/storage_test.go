package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestADatabaseThatCannotBeLookedForDoesNotPassForAFirstStart(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "root.key")
	if _, err := openRootKey(key, "caesar\x00.db"); err == nil {
		t.Error("it passes for a first start")
	}
	if _, err := os.Stat(key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a root key was made: %v", err)
	}
}
