// Command backends runs the tests on the services that Caesar works with, PostgreSQL and an S3 store:
//
//	backends -- command args…    has them run while the command does
//	backends test args…          is go test -json args…, and then the tests of package e2e once more on them
//	backends install packages…   installs packages of Debian whose programs are missing, where it is root there
//
// The first finds the services by CAESAR_TEST_POSTGRES and CAESAR_TEST_S3. What these do not name it starts,
// on loopback and in a folder of its own, after it has installed what is missing where it is root on Debian;
// elsewhere it says what is left out for want of it. The command sees both variables, and its status is the answer.
//
// What always holds: what was started has ended and its folder is gone when the command has ended, also by
// a signal; nothing that ran before is touched; with CI=true all is there or nothing runs.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "backends:", err)
	}
	os.Exit(status)
}

// run returns the status to answer with, which is the command's where it ran.
func run(args []string) (status int, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if len(args) > 1 && args[0] == "test" {
		return suite{signals: signals, out: os.Stdout}.run(args[1:])
	}
	if len(args) > 1 && args[0] == "install" {
		if err := install(lacking(args[1:])); err != nil {
			return 1, err
		}
		return 0, nil
	}
	if len(args) < 2 || args[0] != "--" {
		return 2, errors.New("usage: backends -- command args…, backends test args…, or backends install packages…")
	}
	parts, err := gather(os.Getenv("CI") == "true")
	if err == nil && len(signals) == 0 {
		status, err = follow(exec.Command(args[1], args[2:]...), signals)
	}
	if err = errors.Join(err, parts.end()); err != nil {
		status = max(status, 1)
	}
	return status, err
}

// follow runs a command, with the program's output where it has none of its own, and returns its status. A
// signal is passed on to it, and is an error once it has ended.
func follow(cmd *exec.Cmd, signals <-chan os.Signal) (status int, err error) {
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	if cmd.Stdout == nil {
		cmd.Stdout = os.Stdout
	}
	if err := cmd.Start(); err != nil {
		return 127, fmt.Errorf("start command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var signalled error
	for {
		select {
		case s := <-signals:
			signalled = fmt.Errorf("ended by a signal: %v", s)
			_ = cmd.Process.Signal(s) // it may have ended just now
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.Exited() {
				return exit.ExitCode(), signalled
			}
			if err != nil {
				return 1, fmt.Errorf("run %s: %w", cmd.Path, err)
			}
			return 0, signalled
		}
	}
}
