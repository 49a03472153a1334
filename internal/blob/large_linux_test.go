package blob_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// limitedFolder has this test binary be a process whose files may not grow beyond a MiB.
const limitedFolder = "CAESAR_TEST_BLOB_LIMITED"

// TestWriterWithALimit is that process.
func TestWriterWithALimit(t *testing.T) {
	folder := os.Getenv(limitedFolder)
	if folder == "" {
		t.Skip("runs as a process of another test only")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	d := open(t, folder)
	w, err := d.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(bytes.Repeat([]byte{1}, 2<<20))
	f, ok := errors.AsType[*fault.Error](err)
	if want := phrase.BackupTooLarge.With("1048576 B"); !ok || f.Kind != fault.TooLarge || f.Slug != "too_large" || f.Message.In(phrase.English) != want.In(phrase.English) {
		t.Errorf("the error is %v, want that the file is too large", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if left := files(t, folder); len(left) != 0 {
		t.Errorf("what is left: %v", left)
	}
	if _, err := os.Stdout.WriteString("limited\n"); err != nil {
		t.Error(err)
	}
}

func TestAFileLargerThanTheFileSystemTakesIsTooLarge(t *testing.T) {
	// Not beside others: until it runs, a child holds what they have open, and so the room of what they delete.
	writer := exec.Command(os.Args[0], "-test.run=^TestWriterWithALimit$")
	writer.Env = append(os.Environ(), limitedFolder+"="+t.TempDir())
	if out, err := writer.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("limited")) {
		t.Errorf("%v\n%s", err, out)
	}
}
