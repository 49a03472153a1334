//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/bench/fill"
	"caesar/bench/report"
)

// TestMain is also the plain server that a run starts: its own program.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "plain" {
		if err := start(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// small is a run of what needs nothing that is not here, with results in a folder of its own.
func small(t *testing.T, work string, more ...string) plan {
	t.Helper()
	p := parsed(t, append([]string{"--quick", "--concurrency", "2", "--duration", "20ms", "--out", t.TempDir()}, more...)...)
	p.work, p.size = work, fill.Size{People: 4, Items: 100}
	return p
}

// left returns what is left of a run: its folder, and processes that have to do with it.
func left(t *testing.T, p plan) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(p.work, "run-*"))
	if err != nil {
		t.Fatal(err)
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(p.work)) {
			all = append(all, string(text))
		}
	}
	return all
}

func TestARunLeavesNothingButItsResultsAndNotEvenTheseWhenBrokenOff(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	t.Run("whole", func(t *testing.T) { wholeRun(t, small(t, work, "--scenario", "captcha", "--rounds", "2")) })
	for _, at := range []string{"building Caesar", "filling Caesar", "captcha, 2 connections, round 1 of 50"} {
		t.Run(at, func(t *testing.T) {
			brokenRun(t, small(t, work, "--scenario", "captcha", "--rounds", "50", "--duration", "200ms"), at)
		})
	}
}

func wholeRun(t *testing.T, p plan) {
	t.Helper()
	if err := run(t.Context(), p, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(p.out, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- A short run over little data", "### Captcha", "|  | 2 | Caesar | ", "|  | 2 | plain Go | ", "| Caesar | ", "a program of "} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if bytes.Contains(text, []byte("### List")) || bytes.Contains(text, []byte("NaN")) {
		t.Errorf("there is more than was measured in\n%s", text)
	}
	if rest := left(t, p); len(rest) > 0 {
		t.Errorf("%q is left", rest)
	}
}

// breaker ends a run once it has said something.
type breaker struct {
	at    string
	cause context.CancelCauseFunc
	said  bytes.Buffer
}

var errBroken = errors.New("broken off")

// Write implements io.Writer.
func (b *breaker) Write(text []byte) (int, error) {
	if b.said.Write(text); strings.Contains(b.said.String(), b.at) {
		b.cause(errBroken)
	}
	return len(text), nil
}

func brokenRun(t *testing.T, p plan, at string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := time.Now()
	err := run(ctx, p, &breaker{at: at, cause: cancel})
	if !errors.Is(err, errBroken) || time.Since(begun) > time.Minute {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	if rest := left(t, p); len(rest) > 0 {
		t.Errorf("%q is left", rest)
	}
	if _, err := os.Stat(filepath.Join(p.out, "RESULTS.md")); err == nil {
		t.Error("half a run wrote results")
	}
}

func TestARunThatTakesTooLongIsEnded(t *testing.T) {
	t.Parallel()
	p := small(t, t.TempDir(), "--scenario", "limits", "--rounds", "1000")
	p.limit = 300 * time.Millisecond
	if err := run(t.Context(), p, io.Discard); err == nil || !strings.Contains(err.Error(), "longer than 300ms") {
		t.Errorf("%v", err)
	}
}

func TestAPeerThatIsMissingIsToldOrIsAnErrorWhereAllHaveToBeHere(t *testing.T) {
	t.Parallel()
	s := &stage{plan: full(), progress: io.Discard, results: &report.Results{}}
	if !s.has(report.Nginx) {
		t.Error("nginx is not looked for")
	}
	if err := s.lack(report.Nginx, "no nginx"); err != nil || s.has(report.Nginx) || !slices.Equal(s.results.Notes, []string{"no nginx"}) {
		t.Errorf("%v, with notes %q", err, s.results.Notes)
	}
	s.strict = true
	if err := s.lack(report.Postgres, "no PostgreSQL"); err == nil || err.Error() != "no PostgreSQL" {
		t.Errorf("%v", err)
	}
}
