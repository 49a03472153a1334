package e2e_test

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"caesar/internal/sqlstore/sqlmove/movetest"
)

// terminal opens a terminal of 100 columns (pty(7)): what is written to it comes out of its other end.
func terminal(t *testing.T) (tty, other *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this system has no terminals: %v", err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if err := unix.IoctlSetPointerInt(int(other.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(other.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: 100, Row: 25}); err != nil {
		t.Fatal(err)
	}
	return tty, other
}

func TestOnATerminalAMoveShowsABarForRowsAndOneForBackups(t *testing.T) {
	t.Parallel()
	alone(t)
	m := newMoving(t, t.TempDir())
	movetest.Fill(t, m.folder, movetest.Folder{People: 20, Items: 500, Versions: 5, Large: 5, LargeBytes: 1 << 20})
	tty, other := terminal(t)
	cmd := m.command()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close() // the program has it: when that ends, reading does
	shown, _ := io.ReadAll(other)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v:\n%s", err, shown)
	}
	lines := strings.Split(strings.TrimSuffix(string(shown), "\r\n"), "\r\n")
	want := []string{"copying rows", "checking rows", "copying backups and reading them back"}
	if len(lines) != len(want) {
		t.Fatalf("it shows %q", shown)
	}
	for i, line := range lines {
		last := line[strings.LastIndex(line, "\r")+1:]
		if !strings.HasPrefix(last, want[i]) || !strings.Contains(last, "100% |█") || !strings.Contains(last, "/s)") {
			t.Errorf("%q is not a full bar for %s", last, want[i])
		}
	}
	if strings.Contains(said.String(), "\r") || !strings.HasPrefix(said.String(), "Moved ") {
		t.Errorf("it says %q", &said)
	}
}
