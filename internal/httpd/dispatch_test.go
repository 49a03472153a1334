package httpd_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

func TestARequestReachesItsRoute(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(), member()}})
	for _, c := range []struct{ method, target, body string }{
		{"GET", "/api/captcha", "captcha"},
		{"GET", "/api/captcha?x=//y", "captcha"},
		{"GET", "/%61pi/captcha", "captcha"},
		{"POST", "/api/login", "login"},
		{"GET", "/api/auth/account/12", "12"},
		{"GET", "/api/auth/account/a%2Fb", "a/b"},
		{"GET", "/api/auth/account/%2e%2e", ".."},
		{"POST", "/user/login/", "member"},
	} {
		w := send(s, c.method, c.target)
		if w.Code != 200 || w.Body.String() != c.body {
			t.Errorf("%s %s: got %d %s", c.method, c.target, w.Code, w.Body)
		}
	}
}

func TestAnUnknownPathIsNotFoundInTheShapeOfItsSurface(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(), member()}})
	for _, target := range []string{"/api", "/api/", "/api/none", "/api/captcha/", "/api/auth/account/", "/apis", "/none", "/favicon.ico", "/healthz/"} {
		for _, method := range []string{"GET", "POST", "HEAD", "DELETE", "OPTIONS", "PATCH", "X"} {
			w := send(s, method, target)
			mustError(t, w, 404, "not_found", phrase.NoSuchAddress)
		}
	}
	for _, target := range []string{"/user", "/user/none", "/user/login/x"} {
		if w := send(s, "POST", target); w.Code != 404 || w.Body.String() != `{"code":404}` {
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
		}
	}
}

func TestAPathThatCouldBeCleanedIsNotRedirected(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(), member()}})
	for _, target := range []string{
		"//api/login", "/api//login", "/api/./login", "/api/x/../login", "/x/../api/login", "/api/login/.", "/api/auth/account/..",
		"/../etc/passwd", "//evil.example/api/login", "/api/auth/account//",
	} {
		for _, method := range []string{"GET", "POST"} {
			r := httptest.NewRequest(method, "/", nil)
			r.URL.Path = target
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			mustError(t, w, 404, "not_found", phrase.NoSuchAddress)
			if location := w.Header().Get("Location"); location != "" {
				t.Errorf("%s %s: is sent to %s", method, target, location)
			}
		}
	}
}

func TestAnotherMethodIsToldWhichAreAllowed(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(), member()}})
	for _, c := range []struct{ method, target, allow string }{
		{"POST", "/api/captcha", "GET, HEAD"},
		{"GET", "/api/login", "POST"},
		{"HEAD", "/api/login", "POST"},
		{"OPTIONS", "/api/login", "POST"},
		{"TRACE", "/api/login", "POST"},
		{"DELETE", "/api/auth/account/12", "GET, HEAD, POST"},
		{"get", "/api/captcha", "GET, HEAD"},
		{"POST", "/healthz", "GET, HEAD"},
		{"POST", "/", "GET, HEAD"},
	} {
		w := send(s, c.method, c.target)
		mustError(t, w, 405, "method_not_allowed", phrase.MethodNotAllowed)
		if got := w.Header().Get("Allow"); got != c.allow {
			t.Errorf("%s %s: got Allow %q, want %q", c.method, c.target, got, c.allow)
		}
	}
	w := send(s, "GET", "/user/login/")
	if w.Code != 405 || w.Body.String() != `{"code":405}` || w.Header().Get("Allow") != "POST" {
		t.Errorf("got %d %s, Allow %q", w.Code, w.Body, w.Header().Get("Allow"))
	}
}

func TestHeadAnswersLikeGetWithoutABody(t *testing.T) {
	t.Parallel()
	pages := []httpd.Page{{Path: "/docs", ContentType: "text/html; charset=utf-8", Body: []byte("<p>docs")}}
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault()}, Pages: pages})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for path, status := range map[string]int{"/api/captcha": 200, "/healthz": 200, "/readyz": 200, "/docs": 200, "/": 303} {
		get, err := client.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = get.Body.Close()
		head, err := client.Head(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = head.Body.Close()
		if get.StatusCode != status || head.StatusCode != status {
			t.Errorf("%s: GET answers %d, HEAD %d, want %d", path, get.StatusCode, head.StatusCode, status)
		}
		if got, want := head.Header.Get("Content-Type"), get.Header.Get("Content-Type"); got != want {
			t.Errorf("%s: HEAD has type %q, GET %q", path, got, want)
		}
	}
}
