package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// twice is the package whose tests run on both back ends, and second what it is called the second time:
// who reads the stream, which is one, tells the two runs apart by it.
const (
	twice  = "caesar/e2e"
	second = twice + "[postgres]"
)

// suite runs the tests as one stream of go test -json.
type suite struct {
	signals <-chan os.Signal
	out     io.Writer
}

// run tests what the arguments of go test say, each server on the back end of one machine, and then the
// tests of package e2e again on PostgreSQL and S3, where it is among the packages and both are there. The
// second run does not depend on how the first one ended, but for a signal. The status tells of both.
func (s suite) run(args []string) (status int, err error) {
	status, err = s.test("", s.out, args)
	if err != nil || os.Getenv(postgresVariable) == "" || os.Getenv(s3Variable) == "" {
		return status, err
	}
	flags, packages := split(args)
	list := exec.Command("go", append([]string{"list", "-e"}, packages...)...)
	list.Stderr = os.Stderr
	listed, err := list.Output()
	if err != nil {
		return max(status, 1), fmt.Errorf("list packages: %w", err)
	}
	if !slices.Contains(strings.Fields(string(listed)), twice) {
		return status, nil
	}
	again, err := s.test("postgres", &renamer{out: s.out}, append(flags, twice))
	return cmp.Or(status, again), err
}

// test runs go test -json once, with every server on a back end.
func (s suite) test(backend string, out io.Writer, args []string) (status int, err error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(), "CAESAR_TEST_BACKEND="+backend)
	cmd.Stdout = out
	return follow(cmd, s.signals)
}

// split parts the flags of go test, each given as one argument, from the packages.
func split(args []string) (flags, packages []string) {
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			flags = append(flags, arg)
		} else {
			packages = append(packages, arg)
		}
	}
	return flags, packages
}

// renamer passes on what go test -json writes, with the package twice called second. What a test printed
// stands there with its quotes escaped, and is never taken for the name.
type renamer struct {
	out  io.Writer
	rest []byte // of a line whose end has not come yet
}

// Write implements io.Writer.
func (r *renamer) Write(p []byte) (int, error) {
	r.rest = append(r.rest, p...)
	end := bytes.LastIndexByte(r.rest, '\n') + 1
	lines := bytes.ReplaceAll(r.rest[:end], []byte(`"Package":"`+twice+`"`), []byte(`"Package":"`+second+`"`))
	if _, err := r.out.Write(lines); err != nil {
		return 0, err
	}
	r.rest = r.rest[end:]
	return len(p), nil
}
