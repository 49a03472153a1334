package blob_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/blob/blobtest"
)

func open(t *testing.T, folder string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func nobody(context.Context, string) (bool, error) { return false, nil }

func TestDirKeepsTheContract(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Place {
		t.Helper()
		folder := filepath.Join(t.TempDir(), "blobs")
		return blobtest.Place{Blobs: open(t, folder), Other: open(t, folder)}
	})
}

func begin(t *testing.T, d *blob.Dir, content string) backup.BlobWriter {
	t.Helper()
	w, err := d.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	return w
}

func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestOnlyTheOwnerMayReadWhatIsKept(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "deep", "blobs")
	d := open(t, folder)
	mode := func(path string) os.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if m := mode(folder); m != 0o700 {
		t.Errorf("the folder has mode %04o", m)
	}
	w := begin(t, d, "x")
	for _, name := range files(t, folder) {
		if m := mode(filepath.Join(folder, name)); m != 0o600 {
			t.Errorf("%s has mode %04o", name, m)
		}
	}
	name, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m := mode(filepath.Join(folder, name+".age")); m != 0o600 {
		t.Errorf("the blob has mode %04o", m)
	}
}

func TestASweepTakesWhatACrashedWriterLeft(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	// As a writer leaves it that was killed: nobody has it open any more.
	left := filepath.Join(folder, strings.Repeat("a", 26)+".part")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, folder).Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	if names := files(t, folder); len(names) != 0 {
		t.Errorf("what is left: %v", names)
	}
}

func TestASweepLeavesAloneWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	foreign := []string{".DS_Store", "README", "lost+found", "x.age", strings.Repeat("A", 26) + ".age", strings.Repeat("a", 26), strings.Repeat("a", 26) + ".age.bak"}
	for _, name := range foreign {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, folder).Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	slices.Sort(foreign)
	if got := files(t, folder); !slices.Equal(got, foreign) {
		t.Errorf("what is left: %v, want %v", got, foreign)
	}
}

func TestASweepOfAFolderThatIsGoneFails(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "blobs")
	d := open(t, folder)
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := d.Sweep(t.Context(), nobody); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	if _, err := d.Create(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestWhereFilesCannotBeLockedASweepTakesOnlyWhatIsOld(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := open(t, folder).WithoutHolds()
	w := begin(t, d, "young")
	name, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	begin(t, d, "being written")
	if err := d.Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	if names := files(t, folder); len(names) != 2 {
		t.Fatalf("what is left of two young files: %v", names)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(folder, name+".age"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := d.Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	if names := files(t, folder); len(names) != 1 || !strings.HasSuffix(names[0], ".part") {
		t.Errorf("what is left: %v", names)
	}
}

func TestACommitThatFailsLeavesNoBlob(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "blobs")
	d := open(t, folder)
	w := begin(t, d, "x")
	if err := os.Remove(filepath.Join(folder, files(t, folder)[0])); err != nil {
		t.Fatal(err)
	}
	if name, err := w.Commit(t.Context()); err == nil {
		t.Errorf("a file that is gone was committed as %s", name)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if names := files(t, folder); len(names) != 0 {
		t.Errorf("what is left: %v", names)
	}
}

func BenchmarkWrite(b *testing.B) {
	d, err := blob.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	chunk := bytes.Repeat([]byte{7}, 64<<10+16)
	b.SetBytes(64 << 20)
	for b.Loop() {
		w, err := d.Create(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for range 1 << 10 {
			if _, err := w.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
		name, err := w.Commit(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
		if err := d.Delete(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
}
