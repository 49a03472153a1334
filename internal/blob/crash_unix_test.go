//go:build unix

package blob_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// childFolder has this test binary be a writer in a process of its own, which the test kills.
const childFolder = "CAESAR_TEST_BLOB_FOLDER"

// TestWriterToBeKilled is that process: it commits a blob whose name it does not store, begins another,
// tells so, and waits for its end.
func TestWriterToBeKilled(t *testing.T) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		t.Skip("runs as a process of another test only")
	}
	d := open(t, folder)
	name, err := begin(t, d, "committed").Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begin(t, d, "begun")
	_, _ = io.WriteString(os.Stdout, "name "+name+"\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestWhatAKilledProcessHeldIsSweptAndNotBefore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	writer := exec.Command(os.Args[0], "-test.run=^TestWriterToBeKilled$")
	writer.Env = append(os.Environ(), childFolder+"="+folder)
	stdin, err := writer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	lines, name := bufio.NewScanner(stdout), ""
	for name == "" && lines.Scan() {
		name, _ = strings.CutPrefix(lines.Text(), "name ")
	}
	d := open(t, folder)
	if err := d.Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	if left := files(t, folder); len(left) != 2 {
		t.Fatalf("while the process lives, what is left is %v", left)
	}
	if err := writer.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = writer.Wait()
	isName := func(_ context.Context, n string) (bool, error) { return n == name, nil }
	if err := d.Sweep(t.Context(), isName); err != nil {
		t.Fatal(err)
	}
	if left := files(t, folder); len(left) != 1 || left[0] != name+".age" {
		t.Fatalf("what is left is %v, want the blob that is used", left)
	}
	if err := d.Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	if left := files(t, folder); len(left) != 0 {
		t.Errorf("what is left is %v", left)
	}
}
