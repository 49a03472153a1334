package e2e_test

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"caesar/internal/testbed"
)

// How browsers tell that a request comes from a page of another site: new ones, and old ones.
var otherSites = map[string]http.Header{
	"Sec-Fetch-Site: cross-site":              {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
	"Sec-Fetch-Site: cross-site, no Origin":   {"Sec-Fetch-Site": {"cross-site"}},
	"Sec-Fetch-Site: same-site":               {"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://evil.caesar.example"}},
	"Origin of another":                       {"Origin": {"https://evil.example"}},
	"Origin of a frame without one":           {"Origin": {"null"}},
	"Origin of our name at another port":      {"Origin": {"http://127.0.0.1:1"}},
	"Sec-Fetch-Site that no standard has yet": {"Sec-Fetch-Site": {"far-site"}},
}

// oursToo are requests of our own pages, and of programs.
var oursToo = map[string]http.Header{
	"nothing of the kind":         {},
	"Sec-Fetch-Site: same-origin": {"Sec-Fetch-Site": {"same-origin"}},
	"Sec-Fetch-Site: none":        {"Sec-Fetch-Site": {"none"}},
}

// from is the question as a page sends it.
func (q question) from(headers http.Header) question {
	for name, values := range headers {
		q = q.with(name, values[0])
	}
	return q
}

func TestWhatAPageOfAnotherSiteAsksForWithTheCookieIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	id := strconv.FormatInt(l.uploaded(m.token, "kept", "kept").ID, 10)
	w := watch(l)
	w.settle()
	before := l.holdings(m.token)
	const refusal = `{"code":403,"message":"已拒绝跨站请求"}`
	for site, headers := range otherSites {
		for what, q := range map[string]question{
			"log in without a cookie": m.logIn("1"),
			"log in":                  m.logIn("1").byCookie(m.token),
			"log out":                 question{method: http.MethodGet, path: "/user/logout/"}.byCookie(m.token),
			"log out, without slash":  question{method: http.MethodGet, path: "/user/logout"}.byCookie(m.token),
			"log out by HEAD":         question{method: http.MethodHead, path: "/user/logout/"}.byCookie(m.token),
			"log out by the token":    {method: http.MethodGet, path: "/user/logout/", token: m.token},
			"upload":                  upload("", "evil", "evil").byCookie(m.token),
			"change the profile":      asForm.form("/user/update_user_info/", "", "career", "evil").byCookie(m.token),
			"delete a version":        question{method: http.MethodDelete, path: "/user/files/" + id + "/"}.byCookie(m.token),
		} {
			r := l.ask(q.from(headers))
			if q.method == http.MethodHead {
				refused := r.status == 403 && r.sessionCookie(t) == nil
				if !refused {
					t.Errorf("%s, %s: answers %d %v", site, what, r.status, r.header)
				}
				continue
			}
			r.says(t, site+", "+what, 403, refusal)
			if cookie := r.sessionCookie(t); cookie != nil {
				t.Errorf("%s, %s: sets %s", site, what, cookie.Raw)
			}
		}
	}
	for site, referer := range map[string]string{"a link": "https://evil.example/page", "what is no URL": "https://%zz"} {
		r := l.ask(question{method: http.MethodGet, path: "/user/logout/"}.byCookie(m.token).with("Referer", referer))
		r.says(t, "log out by "+site, 403, refusal)
	}
	noTrace := l.ask(question{method: http.MethodGet, path: "/user/logout/"}.byCookie(m.token).with("Accept", "text/html,*/*;q=0.8"))
	noTrace.says(t, "log out by a link that says nothing of its page", 403, refusal)
	if w.changed() {
		t.Error("something was changed")
	}
	l.unchanged("a cross-site request", m.token, before)
	for site, headers := range otherSites { // whoever put the token there is no page of another site
		q := upload(m.token, "kept too", "kept too")
		if r := l.ask(q.from(headers)); r.status != 200 {
			t.Errorf("%s: an upload by the token answers %d %s", site, r.status, r.body)
		}
	}
}

func TestWhatOurOwnPagesAndProgramsAskForIsDone(t *testing.T) {
	t.Parallel()
	l := open(t, append(quick(), testbed.Args("--public-url", "https://caesar.example"))...)
	m := l.member()
	ways := map[string]http.Header{
		"Origin of this host":         {"Origin": {l.URL}},
		"Origin of the public URL":    {"Origin": {"https://caesar.example"}},
		"Origin of it in a new one":   {"Origin": {"https://caesar.example"}, "Sec-Fetch-Site": {"same-origin"}},
		"Referer of this host":        {"Referer": {l.URL + "/page"}},
		"Referer of the public URL":   {"Referer": {"https://caesar.example/page"}},
		"Referer of another, no link": {"Referer": {"https://elsewhere.example/"}, "Sec-Fetch-Site": {"none"}},
	}
	maps.Copy(ways, oursToo)
	for way, headers := range ways {
		cookie := l.ask(m.logIn("0").from(headers)).sessionCookie(t)
		if cookie == nil {
			t.Errorf("%s: a login sets no cookie", way)
			continue
		}
		if r := l.ask(upload("", "x", "x").byCookie(cookie.Value).from(headers)); r.status != 200 {
			t.Errorf("%s: an upload answers %d %s", way, r.status, r.body)
		}
		l.ask(question{method: http.MethodGet, path: "/user/logout/"}.byCookie(cookie.Value).from(headers)).says(t, way, 200, "{}")
		if r := l.ask(question{method: http.MethodGet, path: "/user/get_user_info/", token: cookie.Value}); r.status != 401 {
			t.Errorf("%s: the session outlived its logout", way)
		}
	}
}

func TestAListedOriginMayAskWithCredentialsAndNoOther(t *testing.T) {
	t.Parallel()
	const listed = "https://pages.example"
	l := open(t, append(quick(), testbed.Env("CAESAR_ORIGINS", listed+",http://localhost:5173"))...)
	m := l.member()
	for _, origin := range []string{listed, "http://localhost:5173"} {
		page := http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"same-site"}} // from another site no cookie would come
		in := l.ask(m.logIn("1").from(page))
		in.says(t, origin, 200, `{"code":200,"message":"登录成功"}`)
		token := in.sessionCookie(t).Value
		for what, q := range map[string]question{
			"log in":       m.logIn("0"),
			"upload":       upload("", "x", "x").byCookie(token),
			"the profile":  question{method: http.MethodGet, path: "/user/get_user_info/"}.byCookie(token),
			"the download": question{method: http.MethodGet, path: "/user/download_file/"}.byCookie(token),
			"a refusal":    {method: http.MethodGet, path: "/user/get_user_info/"},
			"the vault":    question{method: http.MethodGet, path: "/api/auth/me"}.byCookie(token),
		} {
			r := l.ask(q.from(page))
			if r.header.Get("Access-Control-Allow-Origin") != origin || r.header.Get("Access-Control-Allow-Credentials") != "true" ||
				!strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s: the answer of %d to %s has the header %v", what, r.status, origin, r.header)
			}
			if r.status == 403 {
				t.Errorf("%s is refused to %s", what, origin)
			}
		}
		if r := l.ask(question{method: http.MethodGet, path: "/user/logout/"}.byCookie(token).from(page)); r.status != 200 {
			t.Errorf("a logout answers %d %s", r.status, r.body)
		}
	}
	for _, origin := range []string{"https://evil.example", "http://pages.example", "https://pages.example:8443", "https://pages.example.evil.example", "null", "https://PAGES.example"} {
		r := l.ask(question{method: http.MethodGet, path: "/user/get_user_info/"}.byCookie(m.token).from(http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}}))
		if r.header.Get("Access-Control-Allow-Origin") != "" || r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s may read the answer: %v", origin, r.header)
		}
		if in := l.ask(m.logIn("1").from(http.Header{"Origin": {origin}})); in.status != 403 {
			t.Errorf("%s logs in: %d", origin, in.status)
		}
	}
}

func TestPreflightsTellWhoMayAskForWhat(t *testing.T) {
	t.Parallel()
	const listed = "https://pages.example"
	l := open(t, append(quick(), testbed.Env("CAESAR_ORIGINS", listed))...)
	preflight := func(path, method, origin string) reply {
		return l.ask(question{method: http.MethodOptions, path: path, header: http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {"content-type"},
		}})
	}
	for path, method := range map[string]string{
		"/user/login/": "POST", "/user/logout/": "GET", "/user/upload_file/": "POST", "/user/upload_file": "POST", "/user/update_user_info/": "POST",
		"/user/download_file/": "GET", "/user/files/": "GET", "/user/files/1/": "DELETE", "/api/auth/account": "POST",
	} {
		r := preflight(path, method, listed)
		if r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != listed || r.header.Get("Access-Control-Allow-Credentials") != "true" ||
			!strings.Contains(r.header.Get("Access-Control-Allow-Methods"), method) ||
			!strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Content-Type") ||
			strings.HasPrefix(path, "/user/") != strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Range, If-Range, If-None-Match") {
			t.Errorf("%s %s from a listed origin: %d %v", method, path, r.status, r.header)
		}
		r = preflight(path, method, "https://evil.example")
		below := strings.HasPrefix(path, "/user/")
		if below && (r.status != 405 || r.header.Get("Access-Control-Allow-Origin") != "") {
			t.Errorf("%s %s from another origin: %d %v", method, path, r.status, r.header)
		}
		if !below && (r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != "*") {
			t.Errorf("%s %s from another origin: %d %v", method, path, r.status, r.header)
		}
		if r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s: another origin may send credentials", method, path)
		}
	}
}
