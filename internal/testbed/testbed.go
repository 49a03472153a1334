// Package testbed starts the real program for tests: the binary that ./cmd/caesar builds, in a process of
// its own, on a data folder of its own and a free port of the loopback interface. It also starts what the
// program works with, PostgreSQL, an S3 server and a balancer.
//
// With CAESAR_TEST_BACKEND=postgres each server has a fresh database of the PostgreSQL and a fresh place of
// the S3 server that CAESAR_TEST_POSTGRES and CAESAR_TEST_S3 name, in place of the database and the blobs in
// its data folder, but for those that ask for these or bring their own.
//
// What always holds: no process outlives its test; a server that a test did not kill has to end by SIGTERM
// with 0, in time; where the tests look for races the program does, unless the test measures it, and one
// found fails the test; what the program logged is shown where the test fails.
package testbed

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// How long the program may take: generous, for tests share the machine's cores.
const (
	startsWithin = 30 * time.Second
	stopsWithin  = 10 * time.Second
)

// Server is a running program and its data folder.
type Server struct {
	URL  string // http://127.0.0.1:port, without a trailing slash; the same after Restart
	Data string // the data folder

	t       testing.TB
	places  places
	program func() (path string, err error)
	args    []string
	environ []string
	process *process // nil while it is not running
	logs    []*log   // one for each start
}

// Option changes how the program is started.
type Option func(*Server)

// Env sets a variable of the environment. CAESAR_DATABASE and CAESAR_BLOBS are set by no other option.
func Env(name, value string) Option {
	return func(s *Server) {
		s.environ = append(s.environ, name+"="+value)
		s.places.set(name, value)
	}
}

// Args adds arguments behind caesar serve. The log level has to stay at info or below: the line that
// tells where the program listens is read from it.
func Args(args ...string) Option {
	return func(s *Server) { s.args = append(s.args, args...) }
}

// Folder has the program run on a data folder that the test made, in place of a fresh one.
func Folder(path string) Option {
	return func(s *Server) { s.Data = path }
}

// Shipped has the program run as people get it, also where the tests look for races, which takes several
// times the memory and the time: for tests that measure it.
func Shipped() Option {
	return func(s *Server) { s.program = shipped }
}

// Start builds the program where this process has not yet, starts it, and waits until it is ready. Of the
// environment it sees no CAESAR_ variable but those of the options.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s := newServer(t, options)
	t.Cleanup(s.finish)
	s.launch("127.0.0.1:0")
	return s
}

// newServer is a server that was not started yet.
func newServer(t testing.TB, options []Option) *Server {
	t.Helper()
	s := &Server{t: t, program: tested}
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "CAESAR_") {
			s.environ = append(s.environ, pair)
		}
	}
	if raced {
		// A raced program waits a second before it ends, for reports: each has been written by then here.
		s.environ = append(s.environ, "GORACE=atexit_sleep_ms=50")
	}
	for _, option := range options {
		option(s)
	}
	if s.Data == "" {
		s.Data = t.TempDir()
	}
	s.settle()
	return s
}

// arguments are those of the program, to listen on an address.
func (s *Server) arguments(listen string) []string {
	return append([]string{"serve", "--listen", listen, "--data", s.Data}, s.args...)
}

// Restart starts the program again on the same folder and port, after Stop where it is still running.
func (s *Server) Restart() {
	s.t.Helper()
	if s.process != nil {
		s.Stop()
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatalf("testbed: %v", err)
	}
	s.launch(u.Host)
}

// Stop ends the program by SIGTERM. It has to answer 0 within ten seconds.
func (s *Server) Stop() {
	s.t.Helper()
	p := s.end(syscall.SIGTERM)
	if p.err != nil {
		s.t.Errorf("testbed: caesar did not end well: %v", p.err)
	}
}

// Kill ends the program by SIGKILL, as a power cut would.
func (s *Server) Kill() {
	s.t.Helper()
	p := s.end(syscall.SIGKILL)
	var exit *exec.ExitError
	if !errors.As(p.err, &exit) || exit.Exited() {
		s.t.Errorf("testbed: caesar had ended before it was killed: %v", p.err)
	}
}

// Log returns all that the program has logged so far, over all its starts.
func (s *Server) Log() string {
	var all strings.Builder
	for _, l := range s.logs {
		all.WriteString(l.String())
	}
	return all.String()
}

// Pid returns the id of the running process, for tests that measure it.
func (s *Server) Pid() int { return s.process.cmd.Process.Pid }

// launch starts the program on an address and waits until it is ready.
func (s *Server) launch(listen string) {
	s.t.Helper()
	path, err := s.program()
	if err != nil {
		s.t.Fatalf("testbed: %v", err)
	}
	l := &log{listening: make(chan string, 1)}
	cmd := exec.Command(path, s.arguments(listen)...)
	cmd.Env = s.environ
	cmd.Stdout, cmd.Stderr = l, l
	if s.process, err = begin(cmd); err != nil {
		s.t.Fatalf("testbed: start caesar: %v", err)
	}
	s.logs = append(s.logs, l)
	s.await(l)
}

// await waits until the program has said where it listens, and answers that it is ready.
func (s *Server) await(l *log) {
	s.t.Helper()
	deadline := time.After(startsWithin)
	select {
	case s.URL = <-l.listening:
	case <-s.process.ended:
		err := s.process.err
		s.process = nil
		s.t.Fatalf("testbed: caesar ended before it listened: %v", err)
	case <-deadline:
		s.t.Fatalf("testbed: caesar did not say within %v where it listens", startsWithin)
	}
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for !ready(client, s.URL+"/readyz") {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			s.t.Fatalf("testbed: caesar was not ready within %v", startsWithin)
		}
	}
}

func ready(client *http.Client, url string) bool {
	response, err := client.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// end sends a signal to the program and waits for its end.
func (s *Server) end(signal os.Signal) *process {
	s.t.Helper()
	p := s.process
	if p == nil {
		s.t.Fatal("testbed: caesar is not running")
	}
	s.process = nil
	if !p.end(signal) {
		s.t.Errorf("testbed: caesar had not ended %v after %v", stopsWithin, signal)
	}
	return p
}

// finish is what every test ends with.
func (s *Server) finish() {
	if s.process != nil {
		s.Stop()
	}
	all := s.Log()
	if strings.Contains(all, "WARNING: DATA RACE") {
		s.t.Error("testbed: caesar raced")
	}
	if s.t.Failed() {
		s.t.Logf("caesar logged:\n%s", all)
	}
}
