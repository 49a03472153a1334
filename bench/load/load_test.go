package load_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"caesar/bench/load"
)

// serve returns the address of a server and a connection to it.
func serve(t *testing.T, handler http.HandlerFunc) (address string, conn *load.Conn) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	address = server.Listener.Addr().String()
	return address, dial(t, address)
}

func dial(t *testing.T, address string) *load.Conn {
	t.Helper()
	conn, err := load.Dial(t.Context(), address, time.Now().Add(20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func get(path string) []byte { return []byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n") }

func TestAnswersOfEverySizeAndFormAreReadOnOneConnection(t *testing.T) {
	t.Parallel()
	_, conn := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var size int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &size)
		if r.URL.RawQuery == "chunked" {
			for i := range size {
				_, _ = io.WriteString(w, string(rune('a'+i%26)))
				if i%1000 == 999 {
					_ = http.NewResponseController(w).Flush()
				}
			}
			return
		}
		_, _ = w.Write(bytes.Repeat([]byte("b"), size))
	})
	for _, size := range []int{1, 5000, 40_000, 0, 300_000, 17} {
		for _, query := range []string{"", "?chunked"} {
			a, err := conn.Do(get(fmt.Sprintf("/%d%s", size, query)))
			if err != nil || a.Status != http.StatusOK || len(a.Body) != size || a.Err() != nil {
				t.Fatalf("%d%s: status %d with %d bytes, %v, %v", size, query, a.Status, len(a.Body), err, a.Err())
			}
			if query != "" && size > 30 && string(a.Body[:28]) != "abcdefghijklmnopqrstuvwxyzab" {
				t.Errorf("%d chunked is %.30q", size, a.Body)
			}
		}
	}
}

func TestAnAnswerWithoutABodyEndsWithItsHead(t *testing.T) {
	t.Parallel()
	_, conn := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		http.Error(w, "no such thing", http.StatusNotFound)
	})
	for range 2 {
		if a, err := conn.Do(get("/none")); err != nil || a.Status != http.StatusNoContent || len(a.Body) != 0 || !a.OK() {
			t.Fatalf("%+v, %v", a, err)
		}
		a, err := conn.Do(get("/"))
		if err != nil || a.OK() || a.Err() == nil || !strings.Contains(a.Err().Error(), "404") || !strings.Contains(a.Err().Error(), "no such thing") {
			t.Fatalf("%+v, %v", a, err)
		}
	}
}

func TestAnAnswerThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing":                    "",
		"another protocol":           "SSH-2.0-OpenSSH\r\n\r\n",
		"a cut head":                 "HTTP/1.1 200 OK\r\nContent-Le",
		"a cut body":                 "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
		"a status of letters":        "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
		"a length of letters":        "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
		"a length below zero":        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"no length":                  "HTTP/1.1 200 OK\r\n\r\nabc",
		"a chunk without its size":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"a chunk that is too long":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
		"a cut chunk":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
		"chunks without an end":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"a body larger than is kept": "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
		"a head without an end":      "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-More: and more\r\n", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, says(t, answer))
			if a, err := conn.Do(get("/")); err == nil {
				t.Errorf("it was read as %+v", a)
			}
		})
	}
}

// says listens, and answers each connection with a text once it has asked.
func says(t *testing.T, text string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1024))
			_, _ = io.WriteString(conn, text)
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

func TestWhatIsLargeGoesThroughInPieces(t *testing.T) {
	t.Parallel()
	const size = 5<<20 + 17
	_, conn := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("z", size)))
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	for range 2 {
		var got, calls int
		a, err := conn.Download(get("/"), func(piece []byte) error {
			got += len(piece)
			calls++
			return nil
		})
		if err != nil || !a.OK() || got != size || calls < 2 {
			t.Fatalf("%+v with %d bytes in %d pieces, %v", a, got, calls, err)
		}
		a, err = conn.Upload(fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size), func(w io.Writer) error {
			_, err := io.CopyN(w, endless{}, size)
			return err
		})
		if want := fmt.Sprint(size, " <nil>"); err != nil || string(a.Body) != want {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	wrong := errors.New("not what was asked for")
	if _, err := conn.Download(get("/"), func([]byte) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("a piece that was refused is %v", err)
	}
}

func TestAnUploadThatIsTurnedAwayTellsWhy(t *testing.T) {
	t.Parallel()
	address := says(t, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")
	a, err := dial(t, address).Upload([]byte("POST / HTTP/1.1\r\n\r\n"), func(io.Writer) error { return nil })
	if err != nil || a.Status != http.StatusRequestEntityTooLarge || string(a.Body) != "no!" {
		t.Errorf("%+v, %v", a, err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// asker asks for one path until it is told to stop.
type asker struct {
	request []byte
	left    int // how often it asks; below 0 without end
	checked *atomic.Int64
	wrong   error
}

func (a *asker) Next() []byte {
	if a.left == 0 {
		return nil
	}
	a.left--
	return a.request
}

func (a *asker) Check([]byte) error {
	a.checked.Add(1)
	return a.wrong
}

// plan is a short run of so many connections.
func plan(address string, connections int, a asker) (p load.Plan, phases *atomic.Int64) {
	phases = new(atomic.Int64)
	a.checked = new(atomic.Int64)
	p = load.Plan{
		Address: address, Warm: 20 * time.Millisecond, Measure: 100 * time.Millisecond, Limit: 20 * time.Second, Every: 1000,
		Begin: func() error { phases.Add(1); return nil },
		End:   func() error { phases.Add(1); return nil },
	}
	for range connections {
		one := a
		p.Askers = append(p.Askers, &one)
	}
	return p, phases
}

func TestARunCountsWhatIsAnsweredInTheTimeThatIsMeasured(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		time.Sleep(5 * time.Millisecond)
	})
	p, phases := plan(address, 4, asker{request: get("/"), left: -1})
	r, err := load.Run(t.Context(), p)
	if err != nil || phases.Load() != 2 {
		t.Fatalf("%v after %d phases", err, phases.Load())
	}
	if r.Requests < 8 || int64(r.Requests) >= asked.Load() || r.Elapsed < p.Measure || r.Elapsed > 10*time.Second {
		t.Errorf("%d requests in %v, of %d that were asked", r.Requests, r.Elapsed, asked.Load())
	}
	if fastest := r.Latency.Quantile(0); fastest < 5*time.Millisecond {
		t.Errorf("the fastest took %v", fastest)
	}
}

func TestARunGoesOnUntilWhatComesInBurstsHasComeTwice(t *testing.T) {
	t.Parallel()
	var begun atomic.Int64
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {
		begun.Add(1)
		time.Sleep(150 * time.Millisecond)
	})
	p, _ := plan(address, 8, asker{request: get("/"), left: -1})
	p.Measure = time.Millisecond
	r, err := load.Run(t.Context(), p)
	if err != nil || r.Requests < 16 || r.Elapsed < 200*time.Millisecond || begun.Load() < 24 {
		t.Errorf("%d requests in %v of %d, %v", r.Requests, r.Elapsed, begun.Load(), err)
	}
}

func TestARunEndsWhereThereIsNothingLeftToAsk(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(5 * time.Millisecond) })
	p, phases := plan(address, 2, asker{request: get("/"), left: 12})
	p.Measure = time.Hour
	r, err := load.Run(t.Context(), p)
	if err != nil || r.Requests < 1 || r.Requests > 24 || phases.Load() != 2 {
		t.Errorf("%d requests, %d phases, %v", r.Requests, phases.Load(), err)
	}
	p, _ = plan(address, 2, asker{request: get("/"), left: 0})
	if _, err := load.Run(t.Context(), p); err == nil {
		t.Error("a run that never asked was measured")
	}
}

func TestAStatusOtherThanThatOfSuccessFailsTheRun(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 20 {
			http.Error(w, "too many", http.StatusTooManyRequests)
		}
	})
	p, _ := plan(address, 3, asker{request: get("/"), left: -1})
	p.Measure = time.Hour
	if _, err := load.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("the run ended with %v", err)
	}
}

func TestAWrongAnswerFailsTheRun(t *testing.T) {
	t.Parallel()
	wrong := errors.New("19 rows")
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	p, _ := plan(address, 1, asker{request: get("/"), left: -1, wrong: wrong})
	if _, err := load.Run(t.Context(), p); !errors.Is(err, wrong) {
		t.Errorf("the run ended with %v", err)
	}
}

func TestOneAnswerInSoManyIsChecked(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	p, _ := plan(address, 1, asker{})
	checked := new(atomic.Int64)
	p.Askers[0] = &asker{request: get("/"), left: 1001, checked: checked}
	p.Every, p.Warm, p.Measure = 100, 0, time.Hour
	if _, err := load.Run(t.Context(), p); err != nil || checked.Load() != 11 {
		t.Errorf("%d of 1001 were checked, %v", checked.Load(), err)
	}
}

func TestARunThatIsGivenUpEndsAtOnce(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) { <-held })
	t.Cleanup(func() { close(held) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	p, _ := plan(address, 2, asker{request: get("/"), left: -1})
	begun := time.Now()
	if _, err := load.Run(ctx, p); err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("it ended after %v with %v", time.Since(begun), err)
	}
	p.Limit = 50 * time.Millisecond
	if _, err := load.Run(t.Context(), p); err == nil {
		t.Error("a run outlived its limit")
	}
}

func TestTransfersAreSharedByTheConnections(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Millisecond) })
	var phases atomic.Int64
	seen := make([]atomic.Int64, 20)
	phase := func() error { phases.Add(1); return nil }
	plan := load.Transfers{
		Address: address, Connections: 3, Count: len(seen), Limit: 20 * time.Second, Begin: phase, End: phase,
		Do: func(c *load.Conn, n int) error {
			seen[n].Add(1)
			_, err := c.Do(get("/"))
			return err
		},
	}
	r, err := load.Transfer(t.Context(), plan)
	if err != nil || r.Requests != len(seen) || phases.Load() != 2 || r.Elapsed < 12*time.Millisecond {
		t.Fatalf("%d in %v, %d phases, %v", r.Requests, r.Elapsed, phases.Load(), err)
	}
	for n := range seen {
		if seen[n].Load() != 1 {
			t.Errorf("transfer %d was done %d times", n, seen[n].Load())
		}
	}
	broken := errors.New("broken")
	plan.Do = func(_ *load.Conn, n int) error {
		if n == 5 {
			return broken
		}
		return nil
	}
	if _, err := load.Transfer(t.Context(), plan); !errors.Is(err, broken) {
		t.Errorf("it ended with %v", err)
	}
}
