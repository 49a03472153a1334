package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"caesar/internal/fault"
	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

// journal keeps what was logged, and can be read while it is written.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}

// line returns the only line that has a message.
func (j *journal) line(t *testing.T, message string) map[string]any {
	t.Helper()
	var found map[string]any
	scanner := bufio.NewScanner(strings.NewReader(j.String()))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line["msg"] == message {
			if found != nil {
				t.Fatalf("two lines say %q", message)
			}
			found = line
		}
	}
	if found == nil {
		t.Fatalf("no line says %q: %s", message, j)
	}
	return found
}

// newServer returns a server and its log. What o leaves out is filled in.
func newServer(t *testing.T, o httpd.Options) (*httpd.Server, *journal) {
	t.Helper()
	j := &journal{}
	o.Log = slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if o.Ready == nil {
		o.Ready = func(context.Context) map[string]error { return nil }
	}
	s, err := httpd.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, j
}

// vault is a surface in the shape of /api, with a route for all that the tests need.
func vault(routes ...wire.Route) wire.Surface {
	return wire.Surface{Prefix: "/api", AnyOrigin: true, Fail: wire.Fail, Routes: append(routes,
		route("GET /api/captcha", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "captcha") }),
		route("POST /api/login", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "login") }),
		route("GET /api/auth/account/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("id")) }),
		route("POST /api/auth/account/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("id")) }),
	)}
}

// member is a surface with slashes at the ends of its paths and a shape of its own for errors.
func member() wire.Surface {
	return wire.Surface{
		Prefix: "/user",
		Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
			status := http.StatusInternalServerError
			if f, ok := errors.AsType[*fault.Error](err); ok {
				status = wire.Status(f.Kind)
			}
			wire.WriteJSON(w, status, func(b []byte) []byte {
				return append(wire.AppendInt(append(b, '{'), "code", int64(status)), '}')
			})
		},
		Routes: []wire.Route{
			route("POST /user/login/{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "member") }),
		},
	}
}

func route(pattern string, handler http.HandlerFunc) wire.Route {
	return wire.Route{Pattern: pattern, Handler: handler}
}

// send has the server answer a request with headers given as name, value, name, value.
func send(s http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// mustError fails the test unless the answer is an error in the shape of /api.
func mustError(t *testing.T, w *httptest.ResponseRecorder, status int, slug string, message phrase.Phrase) {
	t.Helper()
	var got struct {
		Message, Error string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("answer %d %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || got.Error != slug || got.Message != message.In(phrase.Chinese) {
		t.Errorf("got %d %s, want %d %s %s", w.Code, w.Body, status, slug, message.In(phrase.Chinese))
	}
}
