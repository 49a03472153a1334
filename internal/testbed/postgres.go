package testbed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoPostgres says that no PostgreSQL of a version that serves is installed.
var ErrNoPostgres = errors.New("no PostgreSQL of version 15 or later is installed")

// oldestPostgres is the oldest major version that Caesar runs on.
const oldestPostgres = 15

// PostgresServer is a PostgreSQL server of the tests, in a folder of its own, at one port of the loopback
// interface for as long as it lives. It is for one goroutine at a time.
type PostgresServer struct {
	folder   string // holds data, the cluster, and log
	binaries string // the folder of initdb and postgres
	password string
	address  string // host and port
	durable  bool
	how      *syscall.SysProcAttr
	process  *process // nil while it is not running
}

// HasPostgres reports whether a PostgreSQL that serves is installed.
func HasPostgres() bool {
	_, err := postgresBinaries()
	return err == nil
}

// RunPostgres makes a cluster in an empty folder and starts a server on it. Where the tests run as root the
// server runs as another user, to whom the folder is given and who has to be able to come by the folders above it.
// One that is not durable syncs nothing, which is fast, and may have lost what it answered last after Kill.
// ErrNoPostgres says that there is nothing to start.
func RunPostgres(folder string, durable bool) (*PostgresServer, error) {
	binaries, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	p := &PostgresServer{folder: folder, binaries: binaries, password: rand.Text(), durable: durable}
	if p.how, err = unprivileged(folder); err != nil {
		return nil, err
	}
	if err := p.initialise(); err != nil {
		return nil, err
	}
	for range 5 { // another process may be quicker to take the port
		if p.address, err = freeAddress(); err != nil {
			return nil, err
		}
		if err = p.Start(); err == nil {
			return p, nil
		}
	}
	return nil, err
}

// StartPostgres runs a durable server for one test alone, which may stop and kill it; where none is
// installed the test is skipped, but fails with CI=true.
func StartPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	folder, err := os.MkdirTemp("", "caesar-postgres-") //nolint:usetesting // that lies in one that only its owner may enter
	if err != nil {
		t.Fatalf("testbed: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Errorf("testbed: %v", err)
		}
	})
	p, err := RunPostgres(folder, true)
	if errors.Is(err, ErrNoPostgres) {
		without(t, err.Error())
	}
	if err != nil {
		t.Fatalf("testbed: %v", err)
	}
	t.Cleanup(func() {
		if p.process == nil {
			return
		}
		if err := p.Stop(); err != nil {
			t.Errorf("testbed: %v", err)
		}
	})
	return p
}

// URL returns where the server's superuser finds its first database, with the password in it.
func (p *PostgresServer) URL() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("caesar", p.password),
		Host: p.address, Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop ends the server in order: what is connected is cut off, what was committed is there after Start.
func (p *PostgresServer) Stop() error { return p.end(syscall.SIGINT) }

// Kill ends the server at once, as if the machine had gone: it has to recover when it starts.
func (p *PostgresServer) Kill() error { return p.end(syscall.SIGQUIT) }

// end ends the server by a signal that has a meaning to it.
func (p *PostgresServer) end(signal os.Signal) error {
	if p.process == nil {
		return errors.New("end PostgreSQL: it is not running")
	}
	ended := p.process
	p.process = nil
	if !ended.running() {
		return fmt.Errorf("end PostgreSQL: it had ended by itself: %w\n%s", ended.err, p.log())
	}
	if !ended.end(signal) {
		return fmt.Errorf("end PostgreSQL: it had not ended %v after %v", stopsWithin, signal)
	}
	return nil
}

// Start starts a server that was ended, on its folder and its port, and waits until it answers.
func (p *PostgresServer) Start() error {
	if p.process != nil {
		return errors.New("start PostgreSQL: it is running")
	}
	host, port, err := net.SplitHostPort(p.address)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	settings := []string{"listen_addresses=" + host, "port=" + port, "unix_socket_directories=", "max_connections=300"}
	if !p.durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	args := []string{"-D", filepath.Join(p.folder, "data")}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	output, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { _ = output.Close() }()
	cmd := p.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = output, output
	if p.process, err = begin(cmd); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := p.await(); err != nil {
		p.process.end(syscall.SIGQUIT)
		p.process = nil
		return fmt.Errorf("start PostgreSQL: %w\n%s", err, p.log())
	}
	return nil
}

// await waits until the server answers.
func (p *PostgresServer) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startsWithin)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.process.ended:
			return fmt.Errorf("it ended: %w", p.process.err)
		case <-ctx.Done():
			return fmt.Errorf("it does not answer after %v: %w", startsWithin, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// initialise makes the cluster. Text is compared by its bytes, as SQLite does.
func (p *PostgresServer) initialise() error {
	file := filepath.Join(p.folder, "password")
	if err := os.WriteFile(file, []byte(p.password), 0o600); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	if who := p.how; who != nil && who.Credential != nil {
		if err := os.Chown(file, int(who.Credential.Uid), int(who.Credential.Gid)); err != nil {
			return fmt.Errorf("make cluster: %w", err)
		}
	}
	cmd := p.command("initdb", "--pgdata", filepath.Join(p.folder, "data"), "--username", "caesar", "--pwfile", file,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make cluster: %w\n%s", err, out)
	}
	return os.Remove(file)
}

func (p *PostgresServer) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.binaries, name), args...)
	cmd.Dir, cmd.SysProcAttr = p.folder, p.how
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	return cmd
}

func (p *PostgresServer) logPath() string { return filepath.Join(p.folder, "log") }

// log returns the end of what the server has logged.
func (p *PostgresServer) log() string {
	text, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}

// postgresBinaries returns the folder of the programs: the one on the PATH, or else the newest one where
// Debian's packages put them, which is on nobody's PATH.
func postgresBinaries() (string, error) {
	var folders []string
	if path, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(debian, func(a, b string) int { return postgresVersion(b) - postgresVersion(a) })
	for _, folder := range append(folders, debian...) {
		if postgresVersion(folder) >= oldestPostgres {
			return folder, nil
		}
	}
	return "", ErrNoPostgres
}

// postgresVersion returns the major version of the server in a folder, and 0 where there is none.
func postgresVersion(folder string) int {
	out, err := exec.Command(filepath.Join(folder, "postgres"), "--version").Output() // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
	words := strings.Fields(string(out))
	if err != nil || len(words) < 3 {
		return 0
	}
	digits, _, _ := strings.Cut(words[2], ".")
	version, err := strconv.Atoi(strings.TrimRight(digits, "abcdehlprtv")) // 18beta1
	if err != nil {
		return 0
	}
	return version
}
