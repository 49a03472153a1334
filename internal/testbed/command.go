package testbed

import (
	"os/exec"
	"testing"
)

// Command returns the program with the arguments of another command than serve, ready to be started; it is
// killed at the end of the test. Of the environment it sees no CAESAR_ variable but those of the options.
func Command(t testing.TB, args []string, options ...Option) *exec.Cmd {
	t.Helper()
	s := newServer(t, append([]Option{Embedded()}, options...))
	path, err := s.program()
	if err != nil {
		t.Fatalf("testbed: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = s.environ
	return cmd
}
