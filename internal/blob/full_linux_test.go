package blob_test

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"testing"

	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// small mounts a file system of a MiB, which takes root.
func small(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m,nr_inodes=100,mode=0700"); err != nil {
		if os.Geteuid() == 0 && os.Getenv("CI") != "" {
			t.Fatalf("mount a small file system: %v", err)
		}
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

var full = fault.New(fault.Full, "full", phrase.StorageFull)

func TestAFullDiskIsAFaultAndGivesTheRoomBack(t *testing.T) {
	t.Parallel()
	folder := small(t)
	d := open(t, folder)
	for range 3 { // each finds the room that the one before it gave back
		w, err := d.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		written := 0
		for err == nil && written < 2<<20 {
			var n int
			n, err = w.Write(bytes.Repeat([]byte{1}, 64<<10))
			written += n
		}
		if !errors.Is(err, full) || written < 512<<10 {
			t.Fatalf("after %d bytes the error is %v, want one of the kind Full", written, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if left := files(t, folder); len(left) != 0 {
			t.Fatalf("what is left: %v", left)
		}
	}
	if _, err := begin(t, d, "there is room again").Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADiskThatIsFullFromTheStartIsAFault(t *testing.T) {
	t.Parallel()
	folder := small(t)
	d := open(t, folder)
	for range 1000 { // until not even a name finds room
		f, err := os.CreateTemp(folder, "filler")
		if err != nil {
			break
		}
		f.Close()
	}
	if w, err := d.Create(t.Context()); err == nil || !errors.Is(err, full) {
		if err == nil {
			w.Close()
		}
		t.Errorf("the error is %v, want one of the kind Full", err)
	}
	if _, err := blob.OpenDir(folder + "/more"); !errors.Is(err, full) {
		t.Errorf("making a folder: the error is %v, want one of the kind Full", err)
	}
}
