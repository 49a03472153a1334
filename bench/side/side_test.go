//go:build linux

package side_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/bench/fill"
	"caesar/bench/load"
	"caesar/bench/peer"
	"caesar/bench/plain"
	"caesar/bench/sample"
	"caesar/bench/side"
	"caesar/bench/speak"
)

// caesar returns a side with a few people on it: the real program.
func caesar(t *testing.T, size fill.Size) *side.Side {
	t.Helper()
	root, err := peer.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	built, err := peer.BuildCaesar(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	first := start(t, func(ctx context.Context) (*peer.Process, error) { return peer.StartCaesar(ctx, built.Path, data, "") })
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := fill.Caesar(t.Context(), data, "", size); err != nil {
		t.Fatal(err)
	}
	p := start(t, func(ctx context.Context) (*peer.Process, error) { return peer.StartCaesar(ctx, built.Path, data, "") })
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &side.Side{Name: "caesar", Address: p.Address, PID: p.PID, Vault: speak.Caesar{}, Files: speak.Caesar{}, Size: size}
}

// start starts a process that a test stops in its cleanup: not with its context, which ends before.
func start(t *testing.T, how func(context.Context) (*peer.Process, error)) *peer.Process {
	t.Helper()
	p, err := how(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// check asks a side for a while, and has every answer checked.
func check(t *testing.T, s *side.Side, kind side.Kind, connections int) load.Result {
	t.Helper()
	nothing := func() error { return nil }
	r, err := load.Run(t.Context(), load.Plan{
		Address: s.Address, Askers: side.Askers(s, kind, connections, 1), Measure: 100 * time.Millisecond, Limit: time.Minute,
		Every: 1, Begin: nothing, End: nothing,
	})
	if err != nil || r.Requests < connections {
		t.Errorf("%d requests, %v", r.Requests, err)
	}
	return r
}

func TestEverythingThatIsMeasuredOfCaesarIsAnsweredRight(t *testing.T) {
	t.Parallel()
	s := caesar(t, fill.Size{People: 8, Items: 200})
	if err := s.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]side.Kind{
		"list": side.List, "search": side.Search, "view": side.View, "create": side.Create, "mixed": side.Mixed,
		"log": side.Log, "captcha": side.Captcha, "login": side.Login,
	} {
		for _, connections := range []int{1, 4} {
			t.Run(name, func(t *testing.T) { check(t, s, kind, connections) })
		}
	}
	if err := s.Refresh(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	if r := check(t, s, side.ColdView, 2); r.Requests > 6 || r.Latency.Quantile(0) < 10*time.Millisecond {
		t.Errorf("%d views, the fastest in %v, were cold", r.Requests, r.Latency.Quantile(0))
	}
	if got := s.PIDs(); len(got) != 1 || got[0] != s.PID {
		t.Errorf("%v work for it", got)
	}
	files(t, s)
}

func TestThePlainServerKeepsFilesAndAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(plain.Handler(t.TempDir()))
	t.Cleanup(server.Close)
	s := &side.Side{Name: "plain", Address: server.Listener.Addr().String(), Files: speak.Plain{}}
	check(t, s, side.Answer(5000), 2)
	check(t, s, side.Argon2id, 2)

	f := sample.File{Size: 100_000}
	check(t, s, side.Upload(f), 2)
	transfer(t, s, func(c *load.Conn) error {
		kept, err := s.Send(c, 0, f)
		if err != nil || kept.Name == "" {
			t.Errorf("%+v, %v", kept, err)
		}
		return s.Discard(c, 0, kept)
	})
}

// files sends a file, and has it back.
func files(t *testing.T, s *side.Side) {
	t.Helper()
	f := sample.File{Size: 3<<20 + 5}
	transfer(t, s, func(c *load.Conn) error {
		kept, err := s.Send(c, 0, f)
		if err != nil {
			return err
		}
		for _, whole := range []bool{true, false} {
			if err := s.Fetch(c, 0, kept, f, whole); err != nil {
				return err
			}
		}
		check(t, s, side.Download(f, kept), 2)
		if err := s.Fetch(c, 0, kept, sample.File{Size: 3<<20 + 6}, true); err == nil {
			t.Error("another file passes for this one")
		}
		return s.Discard(c, 0, kept)
	})
	check(t, s, side.Upload(sample.File{Size: 1024}), 3)
}

func transfer(t *testing.T, s *side.Side, do func(c *load.Conn) error) {
	t.Helper()
	nothing := func() error { return nil }
	_, err := load.Transfer(t.Context(), load.Transfers{
		Address: s.Address, Connections: 1, Count: 1, Limit: time.Minute, Begin: nothing, End: nothing,
		Do: func(c *load.Conn, _ int) error { return do(c) },
	})
	if err != nil {
		t.Error(err)
	}
}

// pretender answers every list with the same page, which is right for who keeps two items.
type pretender struct {
	mu   sync.Mutex
	page string
	asks atomic.Int64
}

func (p *pretender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asks.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Contains(r.URL.Path, "auth-with-password") {
		_, _ = w.Write([]byte(`{"token":"t","record":{"id":"u"}}`))
		return
	}
	_, _ = w.Write([]byte(p.page))
}

func TestAFastWrongAnswerIsAnError(t *testing.T) {
	t.Parallel()
	row := func(id string, n int) string {
		item := sample.Person(0).Item(n)
		return `{"id":"` + id + `","platform":"` + item.Platform + `","url":"` + item.URL + `"}`
	}
	page := func(count string, rows ...string) string {
		return `{"totalItems":` + count + `,"items":[` + strings.Join(rows, ",") + `]}`
	}
	right := page("2", row("a", 0), row("b", 1))
	p := &pretender{page: right}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	s := &side.Side{Name: "pretender", Address: server.Listener.Addr().String(), Vault: speak.PocketBase{}, Size: fill.Size{People: 1, Items: 2}}
	if err := s.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, s, side.List, 1)
	for name, wrong := range map[string]string{
		"a row less":        page("2", row("a", 0)),
		"a row and count":   page("1", row("a", 0)),
		"a count too large": page("3", row("a", 0), row("b", 1)),
		"a row twice":       page("2", row("a", 0), row("a", 0)),
		"no id":             page("2", row("", 0), row("b", 1)),
		"what is nobody's":  page("2", row("a", 0), row("b", 5)),
		"no answer":         "{",
		"nothing":           "{}",
	} {
		p.mu.Lock()
		p.page = wrong
		p.mu.Unlock()
		_, err := load.Run(t.Context(), load.Plan{
			Address: s.Address, Askers: side.Askers(s, side.List, 1, 1), Measure: time.Minute, Limit: time.Minute, Every: 1,
			Begin: func() error { return nil }, End: func() error { return nil },
		})
		if err == nil {
			t.Errorf("%s passes as a list", name)
		}
		if err := s.Enter(t.Context()); err == nil {
			t.Errorf("%s passes at the door", name)
		}
	}
}

func TestASearchThatFindsOtherThingsIsAnError(t *testing.T) {
	t.Parallel()
	// One item of a hundred is found, and always the same.
	item := sample.Person(0).Item(0)
	p := &pretender{page: `{"totalItems":1,"items":[{"id":"a","platform":"` + item.Platform + `","url":"` + item.URL + `"}]}`}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	s := &side.Side{Name: "pretender", Address: server.Listener.Addr().String(), Vault: speak.PocketBase{}, Size: fill.Size{People: 1, Items: 100}}
	_ = s.Enter(t.Context()) // it does not have all hundred
	_, err := load.Run(t.Context(), load.Plan{
		Address: s.Address, Askers: side.Askers(s, side.Search, 1, 1), Measure: time.Minute, Limit: time.Minute, Every: 1,
		Begin: func() error { return nil }, End: func() error { return nil },
	})
	if err == nil || !strings.Contains(err.Error(), "nothing that was searched for") {
		t.Errorf("it passes: %v", err)
	}
}
