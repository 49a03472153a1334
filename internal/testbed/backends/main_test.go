package main

import (
	"bufio"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caesar/internal/testbed"
)

// started is the command as built, while it runs a shell.
type started struct {
	*exec.Cmd
	in       io.Closer // ends what the shell reads
	folder   string    // where it keeps what it starts
	services []string
}

// start has it run a shell that tells both variables and then does as it is told.
func start(t *testing.T, script string) *started {
	t.Helper()
	if !testbed.HasPostgres() && os.Getenv("CI") != "true" {
		t.Skip(testbed.ErrNoPostgres)
	}
	folder, err := os.MkdirTemp("", "caesar-backends-test-") //nolint:usetesting // that lies in one that only its owner may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(folder, 0o711); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backends")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), path, "--", "sh", "-c", "echo $CAESAR_TEST_POSTGRES; echo $CAESAR_TEST_S3; "+script)
	cmd.Env = append(os.Environ(), "TMPDIR="+folder, postgresVariable+"=", s3Variable+"=")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &started{Cmd: cmd, in: in, folder: folder}
	lines := bufio.NewScanner(out)
	for len(s.services) < 2 && lines.Scan() {
		u, err := url.Parse(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		address := u.Host
		if strings.HasPrefix(u.Scheme, "s3") {
			address = u.Query().Get("endpoint")
		}
		s.services = append(s.services, address)
	}
	if len(s.services) != 2 {
		t.Fatalf("it told %d services, and %v", len(s.services), lines.Err())
	}
	return s
}

// isGone fails the test where anything is left of what was started.
func (s *started) isGone(t *testing.T) {
	t.Helper()
	for _, address := range s.services {
		if conn, err := net.Dial("tcp", address); err == nil {
			t.Errorf("%s still answers: %v", address, conn.Close())
		}
	}
	left, err := os.ReadDir(s.folder)
	if err != nil || len(left) > 0 {
		t.Errorf("there are left %v, and %v", left, err)
	}
}

func TestACommandFindsBothServicesAndItsStatusIsTheAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, "read line; exit 7")
	for _, address := range s.services {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.in.Close(); err != nil {
		t.Error(err)
	}
	_ = s.Wait()
	if status := s.ProcessState.ExitCode(); status != 7 {
		t.Errorf("it answers %d", status)
	}
	s.isGone(t)
}

func TestASignalEndsTheCommandAndLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "exec sleep 60")
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = s.Wait()
	if status := s.ProcessState.ExitCode(); status != 1 {
		t.Errorf("it answers %d", status)
	}
	s.isGone(t)
}
