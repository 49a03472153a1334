package httpd_test

import (
	"strings"
	"testing"

	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

const listed = "https://vault.example"

func originServer(t *testing.T) *httpd.Server {
	t.Helper()
	s, _ := newServer(t, httpd.Options{
		Surfaces: []wire.Surface{vault(), member()}, PublicURL: "https://Caesar.example:443/base/", Origins: []string{"HTTPS://vault.example:443/"},
	})
	return s
}

func TestAnyOriginMayCallTheVaultWithoutCredentials(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Surfaces: []wire.Surface{vault(), member()}})
	for _, target := range []string{"/api/captcha", "/api/none"} {
		for _, origin := range []string{"https://anywhere.example", "null", ""} {
			w := send(s, "GET", target, "Origin", origin)
			for name, want := range map[string]string{
				"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "", "Access-Control-Expose-Headers": "Retry-After, X-Request-Id", "Vary": "",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s from %q: got %s %q, want %q", target, origin, name, got, want)
				}
			}
		}
	}
	for _, target := range []string{"/user/login/", "/healthz", "/none"} {
		if got := send(s, "POST", target, "Origin", "https://anywhere.example").Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: got Access-Control-Allow-Origin %q", target, got)
		}
	}
}

func TestAListedOriginMayCallWithCredentials(t *testing.T) {
	t.Parallel()
	s := originServer(t)
	for _, target := range []string{"/api/captcha", "/user/login/", "/api/none"} {
		w := send(s, "POST", target, "Origin", listed)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != listed {
			t.Errorf("%s: got Access-Control-Allow-Origin %q", target, got)
		}
		if got := w.Header().Get("Access-Control-Allow-Credentials"); got != "true" {
			t.Errorf("%s: got Access-Control-Allow-Credentials %q", target, got)
		}
		if got := w.Header().Get("Vary"); got != "Origin" {
			t.Errorf("%s: got Vary %q", target, got)
		}
	}
	for _, origin := range []string{"http://vault.example", "https://vault.example.evil.example", "https://vault.example:444", "https://evil.example", "null"} {
		w := send(s, "GET", "/api/captcha", "Origin", origin)
		if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Allow-Credentials") != "" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: got %v", origin, w.Header())
		}
	}
}

func TestAPreflightIsAnswered(t *testing.T) {
	t.Parallel()
	s := originServer(t)
	const general = "Authorization, Content-Type, Accept-Language"
	for target, c := range map[string]struct{ origin, allowed string }{
		"/api/auth/account/12": {"https://anywhere.example", general},
		"/api/login":           {listed, general},
		"/user/login/":         {listed, general + ", Range, If-Range, If-None-Match"},
	} {
		w := send(s, "OPTIONS", target, "Origin", c.origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization")
		if w.Code != 204 || w.Body.Len() != 0 {
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE",
			"Access-Control-Allow-Headers": c.allowed,
			"Access-Control-Max-Age":       "600",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: got %s %q, want %q", target, name, got, want)
			}
		}
	}
	w := send(s, "OPTIONS", "/user/login/", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
	if w.Code != 405 || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("an origin that is not listed: got %d %v", w.Code, w.Header())
	}
	if w := send(s, "OPTIONS", "/api/login", "Origin", listed); w.Code != 405 {
		t.Errorf("no preflight: got %d", w.Code)
	}
}

func TestACookieIsTakenFromOurOwnPagesOnly(t *testing.T) {
	t.Parallel()
	s := originServer(t)
	for name, c := range map[string]struct {
		refused bool
		headers []string
	}{
		"no browser":                        {false, nil},
		"same origin":                       {false, []string{"Sec-Fetch-Site", "same-origin"}},
		"typed by the user":                 {false, []string{"Sec-Fetch-Site", "none"}},
		"same site":                         {true, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://other.caesar.example"}},
		"cross site":                        {true, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		"cross site without origin":         {true, []string{"Sec-Fetch-Site", "cross-site"}},
		"old browser":                       {true, []string{"Origin", "https://evil.example"}},
		"old browser, null":                 {true, []string{"Origin", "null"}},
		"old browser, same origin":          {false, []string{"Origin", "http://example.com"}},
		"old browser, same origin, proxied": {false, []string{"Origin", "https://caesar.example"}},
		"listed":                            {false, []string{"Sec-Fetch-Site", "cross-site", "Origin", listed}},
	} {
		w := send(s, "POST", "/api/auth/account/12", append(c.headers, "Cookie", "sessionid=abc")...)
		if c.refused {
			mustError(t, w, 403, "cross_site", phrase.CrossSite)
		} else if w.Code != 200 {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
		for kind, headers := range map[string][]string{
			"with a bearer token": {"Cookie", "sessionid=abc", "Authorization", "Bearer abc"},
			"without a session":   {"Cookie", "other=abc"},
		} {
			if w := send(s, "POST", "/api/auth/account/12", append(c.headers, headers...)...); w.Code != 200 {
				t.Errorf("%s %s: got %d %s", name, kind, w.Code, w.Body)
			}
		}
	}
}

func TestAnUnusedAuthorizationDoesNotCoverForACookie(t *testing.T) {
	t.Parallel()
	s := originServer(t)
	for _, authorization := range []string{"Basic YTpi", "Bearer", "Bearer ", "x"} {
		w := send(s, "POST", "/api/login", "Cookie", "sessionid=abc", "Authorization", authorization, "Sec-Fetch-Site", "cross-site")
		mustError(t, w, 403, "cross_site", phrase.CrossSite)
	}
}

func TestACrossSiteRequestIsRefusedInTheShapeOfItsSurface(t *testing.T) {
	t.Parallel()
	w := send(originServer(t), "POST", "/user/login/", "Cookie", "sessionid=abc", "Sec-Fetch-Site", "cross-site")
	if w.Code != 403 || w.Body.String() != `{"code":403}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestWhatIsNoOriginIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"vault.example", "*", "null", "https://", "https://a.example/path", "https://a.example?x", "ftp://a.example", "https://u:hunter2@a.example", "https://u:hunter2@a b", ""} {
		if _, err := httpd.New(httpd.Options{Origins: []string{origin}}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q as an origin: got error %v", origin, err)
		}
	}
	for _, public := range []string{"caesar.example", "mailto:a@b", "https://:80/", "%"} {
		if _, err := httpd.New(httpd.Options{PublicURL: public}); err == nil {
			t.Errorf("%q is taken for a public URL", public)
		}
	}
}
