package e2e_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// moving is the moving of a data folder by the real program, which is told of where to in its environment.
type moving struct {
	places
	t      testing.TB
	folder string
	as     []testbed.Option
}

// newMoving is a move of a folder to fresh places.
func newMoving(t *testing.T, folder string, as ...testbed.Option) *moving {
	t.Helper()
	return &moving{shared(t), t, folder, as}
}

// ran is what became of a run of caesar move.
type ran struct {
	answer     int // -1: it was killed
	said, told string
}

// command is caesar move, ready to be started.
func (m *moving) command(args ...string) *exec.Cmd {
	m.t.Helper()
	options := m.as
	for name, value := range map[string]string{"CAESAR_DATABASE": m.database, "CAESAR_BLOBS": m.blobs} {
		if value != "" {
			options = append(slices.Clip(options), testbed.Env(name, value))
		}
	}
	return testbed.Command(m.t, append([]string{"move", "--from-data", m.folder}, args...), options...)
}

// running is a run of caesar move that has not ended, and what it has told so far.
type running struct {
	*os.Process
	*heard
}

// heard is what a process writes, to be looked at meanwhile.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

// String returns what was written so far.
func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// run runs caesar move, and interrupts it by what is given.
func (m *moving) run(interrupt func(running), args ...string) ran {
	m.t.Helper()
	cmd := m.command(args...)
	var said, told heard
	cmd.Stdout, cmd.Stderr = &said, &told
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	if interrupt != nil {
		interrupt(running{cmd.Process, &told})
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	r := ran{cmd.ProcessState.ExitCode(), said.String(), told.String()}
	for _, secret := range []string{secretOf(m.database), secretOf(m.blobs)} {
		if secret != "" && strings.Contains(r.said+r.told, secret) {
			m.t.Errorf("a secret is told:\n%s%s", r.said, r.told)
		}
	}
	return r
}

// secretOf returns the password of a URL.
func secretOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	user, _, found := strings.Cut(rest, "@")
	_, password, _ := strings.Cut(user, ":")
	if !found {
		return ""
	}
	return password
}

// finish runs caesar move to its end.
func (m *moving) finish(args ...string) ran {
	m.t.Helper()
	r := m.run(nil, args...)
	if r.answer != 0 {
		m.t.Fatalf("it answers %d:\n%s%s", r.answer, r.said, r.told)
	}
	return r
}

// fails demands that a run fails and says all of these.
func (m *moving) fails(what string, r ran, words ...string) {
	m.t.Helper()
	if r.answer != 1 || r.said != "" {
		m.t.Errorf("%s: it answers %d, and says %s", what, r.answer, r.said)
	}
	for _, word := range words {
		if !strings.Contains(r.told, word) {
			m.t.Errorf("%s: %q is not told in\n%s", what, word, r.told)
		}
	}
}

// killAfter kills a run after a while, unless it has ended by then.
func killAfter(while time.Duration) func(running) {
	return func(p running) { time.AfterFunc(while, func() { _ = p.Kill() }) }
}

// served starts a server on what was moved, on another machine as it were: all it has besides are the keys.
func (m *moving) served(t *testing.T, options ...testbed.Option) *lab {
	t.Helper()
	data := t.TempDir()
	keyFiles(filepath.Join(m.folder, "keys")).copyTo(t, filepath.Join(data, "keys"))
	return open(t, append(append(m.options(), testbed.Folder(data)), options...)...)
}

// refused demands that no server serves what is not all there yet.
func (m *moving) refused() {
	m.t.Helper()
	options := append(m.options(), testbed.Folder(m.t.TempDir()))
	if answer, said := testbed.Refuse(m.t, options...); answer != 1 || !strings.Contains(said, "a move into this database has not finished: run caesar move again") {
		m.t.Errorf("serve answers %d and says %s", answer, said)
	}
}

// compare demands that all rows and blobs of the folder are in the places, and no others. Parts of blobs that
// a killed run left are not looked for: the server sweeps them.
func (m *moving) compare() {
	m.t.Helper()
	for table, rows := range movetest.Compare(m.t, m.folder, m.database) {
		if rows == 0 {
			m.t.Errorf("of the table %s nothing was to be moved: this tests nothing", table)
		}
	}
	m.sameBlobs()
}

// sameBlobs demands that as many blobs are in the bucket as in the folder: that they are the same is what the
// move has looked at, and what downloads show.
func (m *moving) sameBlobs() {
	m.t.Helper()
	r := &replicas{places: m.places, t: m.t}
	whole, _ := r.objects()
	files, err := filepath.Glob(filepath.Join(m.folder, "blobs", "*.age"))
	if err != nil {
		m.t.Fatal(err)
	}
	if len(whole) != len(files) {
		m.t.Errorf("%d blobs are there of %d", len(whole), len(files))
	}
}
