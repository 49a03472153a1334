package httpd_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"caesar/internal/fault"
	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

func TestEveryAnswerBearsARequestIDAndTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
		route("GET /api/panic", func(http.ResponseWriter, *http.Request) { panic("oops") }),
	)}})
	seen := map[string]bool{}
	for _, target := range []string{"/api/captcha", "/api/none", "/none", "/healthz", "/readyz", "/", "/api/panic"} {
		w := send(s, "GET", target, "X-Request-Id", "forged")
		id := w.Header().Get("X-Request-Id")
		if !regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString(id) || seen[id] {
			t.Errorf("%s: got request id %q", target, id)
		}
		seen[id] = true
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "DENY",
			"Referrer-Policy":         "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: got %s %q, want %q", target, name, got, want)
			}
		}
	}
}

func TestTheLogHasOneLineForARequest(t *testing.T) {
	t.Parallel()
	s, journal := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault()}})
	r := httptest.NewRequest(http.MethodPost, "/api/auth/account/7700770077?token=Qsecret", strings.NewReader("Bsecret"))
	r.Header.Set("Authorization", "Bearer Hsecret")
	r.Header.Set("User-Agent", "Asecret")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	line := journal.line(t, "request")
	for name, want := range map[string]any{
		"level": "INFO", "method": "POST", "route": "POST /api/auth/account/{id}", "status": 200.0, "bytes": 10.0,
		"request_id": w.Header().Get("X-Request-Id"),
	} {
		if line[name] != want {
			t.Errorf("%s: got %v, want %v", name, line[name], want)
		}
	}
	if took, ok := line["took"].(float64); !ok || took <= 0 {
		t.Errorf("took %v", line["took"])
	}
	if log := journal.String(); strings.Contains(log, "secret") || strings.Contains(log, "7700770077") || strings.Contains(log, "192.0.2.1") {
		t.Errorf("the log says too much: %s", log)
	}
}

func TestTheLogCutsWhatAClientMadeUp(t *testing.T) {
	t.Parallel()
	s, journal := newServer(t, httpd.Options{})
	send(s, strings.Repeat("M", 1000), "/"+strings.Repeat("p", 1000))
	line := journal.line(t, "request")
	if line["method"] != strings.Repeat("M", 16)+"…" || line["path"] != "/"+strings.Repeat("p", 63)+"…" || line["status"] != 404.0 || line["fault"] != "not_found" {
		t.Errorf("got %v", line)
	}
}

func TestTheLogSaysWhatWentWrongInside(t *testing.T) {
	t.Parallel()
	s, journal := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
		route("GET /api/broken", func(w http.ResponseWriter, r *http.Request) {
			wire.Fail(w, r, errors.New("open database: disk is gone"))
		}),
	)}})
	w := send(s, "GET", "/api/broken")
	mustError(t, w, 500, "internal", phrase.Internal)
	if strings.Contains(w.Body.String(), "disk") || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
		t.Errorf("got %s", w.Body)
	}
	if line := journal.line(t, "request"); line["level"] != "ERROR" || line["err"] != "open database: disk is gone" {
		t.Errorf("got %v", line)
	}
}

func TestHealthIsNotLoggedAboveDebug(t *testing.T) {
	t.Parallel()
	s, journal := newServer(t, httpd.Options{})
	send(s, "GET", "/healthz")
	if line := journal.line(t, "request"); line["level"] != "DEBUG" {
		t.Errorf("got %v", line)
	}
}

func TestAPanicEndsItsOwnRequestOnly(t *testing.T) {
	t.Parallel()
	s, journal := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
		route("GET /api/panic", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "a=b")
			w.Header().Set("Content-Length", "1")
			panic("oops")
		}),
	)}})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	response, err := server.Client().Get(server.URL + "/api/panic")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusInternalServerError || !strings.Contains(string(body), `"error":"internal"`) || strings.Contains(string(body), "oops") || response.Header.Get("Set-Cookie") != "" {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
	line := journal.line(t, "panic")
	if stack, _ := line["stack"].(string); line["panic"] != "oops" || !strings.Contains(stack, "exchange_test.go") || line["request_id"] != response.Header.Get("X-Request-Id") {
		t.Errorf("got %v", line)
	}
	if w := send(s, "GET", "/api/captcha"); w.Code != 200 {
		t.Errorf("the next request: got %d", w.Code)
	}
}

func TestAPanicAfterTheHeaderCutsTheAnswer(t *testing.T) {
	t.Parallel()
	s, journal := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
		route("GET /api/panic", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
			panic("oops")
		}),
		route("GET /api/abort", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
			panic(http.ErrAbortHandler)
		}),
	)}})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for _, path := range []string{"/api/panic", "/api/abort"} {
		response, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("%s: the answer looks whole", path)
		}
		_ = response.Body.Close()
	}
	if line := journal.line(t, "panic"); line["panic"] != "oops" {
		t.Errorf("got %v", line)
	}
}

func TestAPanicIsAnsweredInTheShapeOfItsSurface(t *testing.T) {
	t.Parallel()
	surface := member()
	surface.Routes = append(surface.Routes, route("GET /user/panic/{$}", func(http.ResponseWriter, *http.Request) { panic(errors.New("oops")) }))
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{surface}})
	if w := send(s, "GET", "/user/panic/"); w.Code != 500 || w.Body.String() != `{"code":500}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestRoutesKnowTheRequest(t *testing.T) {
	t.Parallel()
	var id, pattern string
	var language phrase.Language
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
		route("GET /api/know", func(_ http.ResponseWriter, r *http.Request) {
			id, language, pattern = wire.RequestID(r.Context()), wire.Language(r.Context()), r.Pattern
		}),
	)}})
	w := send(s, "GET", "/api/know", "Accept-Language", "en-GB")
	if id == "" || id != w.Header().Get("X-Request-Id") || language != phrase.English || pattern != "GET /api/know" {
		t.Errorf("got %q %v %q", id, language, pattern)
	}
}

func TestRoutesCanReachTheConnection(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(
		route("GET /api/flush", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			if err := http.NewResponseController(w).Flush(); err != nil {
				wire.Fail(w, r, fault.New(fault.Full, "full", phrase.Required))
			}
		}),
	)}})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	response, err := server.Client().Get(server.URL + "/api/flush")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %d", response.StatusCode)
	}
}
