package httpd_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
)

// pipes is a listener whose connections are pipes in memory, which tell the time by the clock of the test.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// serving runs a server on pipes in a bubble of synctest and stops it in the end.
func serving(t *testing.T, routes ...wire.Route) *pipes {
	t.Helper()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(routes...)}})
	p := newPipes()
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Serve(ctx, p) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	return p
}

// closesAfter tells how long the server keeps a connection, and what it sent on it.
func closesAfter(t *testing.T, conn net.Conn) (time.Duration, string) {
	t.Helper()
	began := time.Now()
	sent, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
	return time.Since(began), string(sent)
}

// drip sends a text and then a piece each second, until the connection is closed.
func drip(t *testing.T, conn net.Conn, text, piece string) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := io.WriteString(conn, text)
		for err == nil {
			time.Sleep(time.Second)
			_, err = io.WriteString(conn, piece)
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
}

func TestAConnectionThatSaysNothingIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := serving(t).dial()
		if after, _ := closesAfter(t, conn); after != 10*time.Second {
			t.Errorf("closed after %s", after)
		}
	})
}

func TestAHeaderThatDripsInIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := serving(t).dial()
		drip(t, conn, "GET /api/captcha HTTP/1.1\r\nHost: x\r\n", "A: b\r\n")
		if after, _ := closesAfter(t, conn); after != 10*time.Second {
			t.Errorf("closed after %s", after)
		}
	})
}

func TestABodyThatDripsInIsCutOffAsTheClientsFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := serving(t, route("POST /api/read", func(w http.ResponseWriter, r *http.Request) {
			_, err := wire.ReadBody(w, r, 1000)
			wire.Fail(w, r, err)
		})).dial()
		drip(t, conn, "POST /api/read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", " ")
		after, sent := closesAfter(t, conn)
		if after < 30*time.Second || after > 31*time.Second || !strings.HasPrefix(sent, "HTTP/1.1 400 ") {
			t.Errorf("closed after %s with %q", after, sent)
		}
	})
}

func TestAnAnswerThatNobodyReadsIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wrote := make(chan time.Duration, 1)
		conn := serving(t, route("GET /api/large", func(w http.ResponseWriter, _ *http.Request) {
			began := time.Now()
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					wrote <- time.Since(began)
					return
				}
			}
		})).dial()
		if _, err := io.WriteString(conn, "GET /api/large HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if took := <-wrote; took != time.Minute {
			t.Errorf("the answer was given up after %s", took)
		}
	})
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := serving(t).dial()
		if _, err := io.WriteString(conn, "GET /api/captcha HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(conn)
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != "captcha" {
			t.Fatalf("got %q, %v", body, err)
		}
		if after, _ := closesAfter(t, conn); after != 2*time.Minute {
			t.Errorf("closed after %s", after)
		}
	})
}

func TestALargeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := serving(t).dial()
		drip(t, conn, "GET /api/captcha HTTP/1.1\r\nHost: x\r\nA: "+strings.Repeat("a", 64<<10), "a")
		if _, sent := closesAfter(t, conn); !strings.HasPrefix(sent, "HTTP/1.1 431 ") {
			t.Errorf("got %q", sent)
		}
	})
}

func TestARequestThatRunsAtTheStopIsFinished(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
		route("GET /api/slow", func(w http.ResponseWriter, r *http.Request) {
			close(begun)
			<-finish
			if r.Context().Err() != nil {
				t.Error("the request was cancelled")
			}
			_, _ = io.WriteString(w, "done")
		}),
	)}})
	listener, err := httpd.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Serve(ctx, listener) }()
	answered := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + listener.Addr().String() + "/api/slow")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		answered <- string(body)
	}()
	<-begun
	stop()
	for { // until the listener is closed
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped over a running request: %v", err)
	default:
	}
	close(finish)
	if got := <-answered; got != "done" {
		t.Errorf("got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestTheGraceOfAStopHasAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
			route("GET /api/endless", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		)}})
		p := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- s.Serve(ctx, p) }()
		conn := p.dial()
		if _, err := io.WriteString(conn, "GET /api/endless HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		began := time.Now()
		stop()
		if err := <-stopped; err == nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v", err)
		}
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("stopped after %s", took)
		}
		_ = conn.Close()
	})
}

func TestAnAddressInUseIsToldPlainly(t *testing.T) {
	t.Parallel()
	first, err := httpd.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Close() })
	address := first.Addr().String()
	_, err = httpd.Listen(t.Context(), address)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), address) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got error %v", err)
	}
	if _, err := httpd.Listen(t.Context(), "no.such.host.invalid:1"); err == nil {
		t.Error("listens on a host that is not there")
	}
}

func TestAListenerThatBreaksEndsTheServer(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{})
	listener, err := httpd.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), listener); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got error %v", err)
	}
}
