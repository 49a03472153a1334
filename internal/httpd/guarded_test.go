package httpd_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
)

// guardedServer has a guarded route of a safe method and one of another.
func guardedServer(t *testing.T) *httpd.Server {
	t.Helper()
	surface := member()
	for _, pattern := range []string{"GET /user/logout/{$}", "POST /user/enter/{$}"} {
		route := route(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
		route.Guarded = true
		surface.Routes = append(surface.Routes, route)
	}
	s, _ := newServer(t, httpd.Options{
		Surfaces: []wire.Surface{surface}, PublicURL: "https://caesar.example", Origins: []string{listed},
	})
	return s
}

func TestAGuardedRouteIsRefusedToPagesOfOtherSitesWhateverTheMethodAndWithoutACookie(t *testing.T) {
	t.Parallel()
	s := guardedServer(t)
	for name, c := range map[string]struct {
		refused bool
		headers []string
	}{
		"no browser":                     {false, nil},
		"same origin":                    {false, []string{"Sec-Fetch-Site", "same-origin", "Referer", "http://example.com/x"}},
		"typed by the user":              {false, []string{"Sec-Fetch-Site", "none"}},
		"same site":                      {true, []string{"Sec-Fetch-Site", "same-site"}},
		"a link elsewhere":               {true, []string{"Sec-Fetch-Site", "cross-site"}},
		"a link elsewhere, with referer": {true, []string{"Sec-Fetch-Site", "cross-site", "Referer", "http://example.com/"}},
		"a script elsewhere":             {true, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		"a script of a listed origin":    {false, []string{"Sec-Fetch-Site", "cross-site", "Origin", listed}},
		"old browser, origin":            {true, []string{"Origin", "https://evil.example"}},
		"old browser, null":              {true, []string{"Origin", "null"}},
		"old browser, same origin":       {false, []string{"Origin", "http://example.com", "Referer", "https://evil.example/"}},
		"old browser, link":              {true, []string{"Referer", "https://evil.example/page"}},
		"old browser, link of an app":    {true, []string{"Referer", "android-app://com.example"}},
		"old browser, broken link":       {true, []string{"Referer", "https://e%zz"}},
		"old browser, our link":          {false, []string{"Referer", "http://example.com/page"}},
		"old browser, our public link":   {false, []string{"Referer", "https://Caesar.example/page"}},
		"old browser, listed link":       {false, []string{"Referer", listed + "/page"}},
		"old browser, listed as a path":  {true, []string{"Referer", "https://evil.example/" + listed}},
	} {
		for _, session := range [][]string{nil, {"Cookie", "sessionid=abc"}, {"Authorization", "Bearer abc"}} {
			headers := append(append([]string{}, c.headers...), session...)
			for _, w := range []*httptest.ResponseRecorder{send(s, "GET", "/user/logout/", headers...), send(s, "HEAD", "/user/logout/", headers...), send(s, "POST", "/user/enter/", headers...)} {
				switch {
				case c.refused && (w.Code != 403 || w.Body.String() != `{"code":403}`):
					t.Errorf("%s with %v: got %d %s", name, session, w.Code, w.Body)
				case !c.refused && (w.Code != 200 || w.Body.String() != "done"):
					t.Errorf("%s with %v: got %d %s", name, session, w.Code, w.Body)
				}
			}
		}
	}
}

// Such is a link of rel=noreferrer on plain http, where browsers send no Sec-Fetch-Site.
func TestALinkWithoutATraceOfItsPageEndsNothing(t *testing.T) {
	t.Parallel()
	s := guardedServer(t)
	const page, cookie = "text/html,application/xhtml+xml,*/*;q=0.8", "sessionid=abc"
	for name, c := range map[string]struct {
		refused bool
		method  string
		headers []string
	}{
		"a link":                     {true, "GET", []string{"Accept", page, "Cookie", cookie}},
		"in capitals":                {true, "GET", []string{"Accept", "*/*, Text/HTML", "Cookie", cookie}},
		"in a second header":         {true, "GET", []string{"Accept", "*/*", "Accept", page, "Cookie", cookie}},
		"by HEAD":                    {true, "HEAD", []string{"Accept", page, "Cookie", cookie}},
		"with a useless header":      {true, "GET", []string{"Accept", page, "Cookie", cookie, "Authorization", "Basic YTpi"}},
		"a program":                  {false, "GET", []string{"Accept", "*/*", "Cookie", cookie}},
		"a program without Accept":   {false, "GET", []string{"Cookie", cookie}},
		"without a session":          {false, "GET", []string{"Accept", page}},
		"by a bearer token":          {false, "GET", []string{"Accept", page, "Cookie", cookie, "Authorization", "Bearer abc"}},
		"a link of our page":         {false, "GET", []string{"Accept", page, "Cookie", cookie, "Referer", "http://example.com/"}},
		"typed, in a newer browser":  {false, "GET", []string{"Accept", page, "Cookie", cookie, "Sec-Fetch-Site", "none"}},
		"what is sent, not followed": {false, "POST", []string{"Accept", page, "Cookie", cookie}},
	} {
		target, status := "/user/logout/", 200
		if c.method == "POST" {
			target = "/user/enter/"
		}
		if c.refused {
			status = 403
		}
		if w := send(s, c.method, target, c.headers...); w.Code != status {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, status)
		}
	}
}

func TestTheClientIsKnownToComeByTLS(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's peer is 192.0.2.1
	for name, c := range map[string]struct {
		want    bool
		options httpd.Options
		tls     bool
		headers []string
	}{
		"plain":                          {false, httpd.Options{}, false, nil},
		"by TLS":                         {true, httpd.Options{}, true, nil},
		"known by an https address":      {true, httpd.Options{PublicURL: "HTTPS://caesar.example"}, false, nil},
		"known by an http address":       {false, httpd.Options{PublicURL: "http://caesar.example"}, false, nil},
		"a proxy that nobody trusts":     {false, httpd.Options{}, false, []string{"https"}},
		"a trusted proxy":                {true, httpd.Options{TrustedProxies: proxies}, false, []string{" HTTPS "}},
		"a trusted proxy without TLS":    {false, httpd.Options{TrustedProxies: proxies}, false, []string{"http"}},
		"what was before is hearsay":     {false, httpd.Options{TrustedProxies: proxies}, false, []string{"https", "https, http"}},
		"the trusted proxy has the word": {true, httpd.Options{TrustedProxies: proxies}, false, []string{"http", "http,https"}},
		"a trusted proxy that is silent": {false, httpd.Options{TrustedProxies: proxies}, false, nil},
	} {
		var got bool
		c.options.Surfaces = []wire.Surface{{Prefix: "/user", Fail: wire.Fail, Routes: []wire.Route{
			route("GET /user/x", func(_ http.ResponseWriter, r *http.Request) { got = wire.Secure(r.Context()) }),
		}}}
		s, _ := newServer(t, c.options)
		r := httptest.NewRequest("GET", "/user/x", nil)
		r.Header["X-Forwarded-Proto"] = c.headers
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		s.ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestAListedOriginMayReadWhatIsSaidOfAFile(t *testing.T) {
	t.Parallel()
	s := originServer(t)
	if got := send(s, "POST", "/user/login/", "Origin", listed).Header().Get("Access-Control-Expose-Headers"); got != "Retry-After, X-Request-Id, Content-Disposition, Content-Range, Accept-Ranges, ETag" {
		t.Errorf("got %q", got)
	}
}
