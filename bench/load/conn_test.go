package load_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
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
