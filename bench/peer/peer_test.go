//go:build linux

package peer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"caesar/bench/load"
	"caesar/bench/plain"
)

// TestMain is also the plain server that the tests start: their own program.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "plain" {
		if err := plain.Serve(context.Background(), os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// folder returns a folder in a temporary one, where there is room for a log beside it.
func folder(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "files")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func running(pid int) bool { return syscall.Kill(pid, 0) == nil }

func get(t *testing.T, address, path string) load.Answer {
	t.Helper()
	conn, err := load.Dial(t.Context(), address, time.Now().Add(20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	a, err := conn.Do([]byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAProgramAnswersOnceItIsStartedAndIsGoneOnceItIsStopped(t *testing.T) {
	t.Parallel()
	p, err := StartPlain(t.Context(), folder(t))
	if err != nil {
		t.Fatal(err)
	}
	if a := get(t, p.Address, "/answer/100"); !a.OK() || len(a.Body) != 100 {
		t.Errorf("%+v", a)
	}
	if !strings.HasPrefix(p.Address, "127.0.0.1:") || p.Took <= 0 || p.Took > startsWithin || !running(p.PID) {
		t.Errorf("%+v", p)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if running(p.PID) {
		t.Errorf("process %d runs on", p.PID)
	}
}

func TestAProgramEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := StartPlain(ctx, folder(t))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-p.ended
	for range 20 {
		if err := p.Stop(); err != nil || running(p.PID) {
			t.Errorf("it runs: %v, %v", running(p.PID), err)
		}
	}
}

func TestAProgramThatEndsByItselfIsAnErrorThatTellsItsLastWords(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	c := Command{Name: "the liar", Path: "/bin/sh", Args: []string{"-c", "echo no room >&2; exit 3"}, Address: "127.0.0.1:1", Ready: "/", Log: log}
	if _, err := Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
	p, err := StartPlain(t.Context(), folder(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "by itself") {
		t.Errorf("%v", err)
	}
}

func TestAProgramThatCannotBeStartedIsAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []Command{
		{Path: filepath.Join(t.TempDir(), "none"), Log: filepath.Join(t.TempDir(), "log")},
		{Path: "/bin/true", Log: filepath.Join(t.TempDir(), "no", "log")},
	} {
		if _, err := Start(t.Context(), c); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestNginxSendsTheFilesOfAFolder(t *testing.T) {
	t.Parallel()
	if _, err := NginxVersion(t.Context()); errors.Is(err, ErrAbsent) {
		t.Skip(err)
	}
	files := folder(t)
	if err := os.WriteFile(filepath.Join(files, "a.bin"), []byte("what it holds"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := StartNginx(t.Context(), files, filepath.Join(t.TempDir(), "nginx"))
	if err != nil {
		t.Fatal(err)
	}
	if a := get(t, p.Address, "/files/a.bin"); !a.OK() || string(a.Body) != "what it holds" {
		t.Errorf("%+v", a)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	version, err := NginxVersion(t.Context())
	if err != nil || !strings.Contains(version, ".") || strings.ContainsAny(version, " \n") {
		t.Errorf("%q, %v", version, err)
	}
}

func TestWhatIsNoPostgresHasNoVersion(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	sleeper := exec.CommandContext(ctx, "sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = sleeper.Wait() }()
	if version, err := PostgresVersion(t.Context(), sleeper.Process.Pid); err == nil {
		t.Errorf("it is %q", version)
	}
	if _, err := PostgresVersion(t.Context(), -1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestThePostgresOfAClusterIsFound(t *testing.T) {
	t.Parallel()
	cluster := t.TempDir()
	if _, err := PostgresPID(cluster); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	file := filepath.Join(cluster, "postmaster.pid")
	for text, want := range map[string]int{"4711\n/var/lib/data\n1700000000\n5432\n": 4711, "": 0, "x\n": 0} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if pid, err := PostgresPID(cluster); pid != want || (err == nil) != (want != 0) {
			t.Errorf("%q is %d, %v", text, pid, err)
		}
	}
}

func TestTheSourcesAreFoundFromWithin(t *testing.T) {
	t.Parallel()
	root, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "cmd", "caesar", "main.go")); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeBuiltIsAnErrorThatTellsWhy(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module x\n", "main.go": "package main\n\nfunc main() { y() }\n"} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Built{Path: filepath.Join(t.TempDir(), "x")}.build(t.Context(), module, "", ".")
	if err == nil || !strings.Contains(err.Error(), "undefined: y") {
		t.Errorf("%v", err)
	}
}
