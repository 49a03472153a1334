package testbed

import (
	"bytes"
	"errors"
	"os/exec"
	"testing"
	"time"
)

// Refuse starts the program where it has to refuse, and returns what the process answered and all that it
// said. A program that has not ended in time fails the test.
func Refuse(t testing.TB, options ...Option) (answer int, said string) {
	t.Helper()
	s := newServer(t, options)
	path, err := s.program()
	if err != nil {
		t.Fatalf("testbed: %v", err)
	}
	cmd := exec.Command(path, s.arguments("127.0.0.1:0")...)
	cmd.Env = s.environ
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("testbed: start caesar: %v", err)
	}
	late := time.AfterFunc(startsWithin, func() {
		t.Errorf("testbed: caesar had not refused to start after %v", startsWithin)
		_ = cmd.Process.Kill()
	})
	defer late.Stop()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("testbed: %v", err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}
