package e2e_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// logIn is the request of a login under /user.
func (m *member) logIn(remember string) question {
	return asForm.form("/user/login/", "", "email", m.email, "password", m.password, "remember", remember)
}

func TestTheCookieIsForThisSiteAloneAndLastsAsAskedFor(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	for _, c := range []struct {
		name   string
		q      question
		maxAge int
		life   time.Duration
	}{
		{"remember 1", m.logIn("1"), 30 * 24 * 60 * 60, 30 * 24 * time.Hour},
		{"remember 0", m.logIn("0"), 0, 12 * time.Hour},
		{"remember empty", m.logIn(""), 0, 12 * time.Hour},
		{"remember left out", asForm.form("/user/login", "", "email", m.email, "password", m.password), 0, 12 * time.Hour},
		{"remember as a number", m.logInJSON("1"), 30 * 24 * 60 * 60, 30 * 24 * time.Hour},
		{"remember as true", m.logInJSON("true"), 30 * 24 * 60 * 60, 30 * 24 * time.Hour},
		{"remember as 0", m.logInJSON("0"), 0, 12 * time.Hour},
		{"remember as false", m.logInJSON("false"), 0, 12 * time.Hour},
		{"remember as null", m.logInJSON("null"), 0, 12 * time.Hour},
	} {
		r := l.ask(c.q)
		r.says(t, c.name, 200, `{"code":200,"message":"登录成功"}`)
		cookie := r.sessionCookie(t)
		if cookie == nil {
			t.Fatalf("%s: no cookie", c.name)
		}
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.Secure {
			t.Errorf("%s: the cookie is %s", c.name, cookie.Raw)
		}
		if cookie.MaxAge != c.maxAge || !cookie.Expires.IsZero() {
			t.Errorf("%s: the cookie is kept for %d s", c.name, cookie.MaxAge)
		}
		if life := l.newestSession(); (life - c.life).Abs() > time.Minute {
			t.Errorf("%s: the session lives %v, not %v", c.name, life, c.life)
		}
	}
	for _, remember := range []string{"2", "-1", "yes", "on", "01", "1.0", " 1"} {
		r := l.ask(m.logIn(remember))
		r.says(t, "remember "+remember, 400, `{"message":"form is invalid","errors":{"remember":[{"message":"请传入 1 或 0！","code":"invalid"}]},"code":400}`)
		if r.sessionCookie(t) != nil {
			t.Errorf("remember %s: it sets a cookie", remember)
		}
	}
}

func (m *member) logInJSON(remember string) question {
	q := question{method: http.MethodPost, path: "/user/login/", header: asJSON.header()}
	q.body = asJSON.body([]pair{sound(asJSON, "email", m.email), sound(asJSON, "password", m.password), {"remember", remember}})
	return q
}

// newestSession is how long the session lives that was opened last.
func (l *lab) newestSession() time.Duration {
	l.t.Helper()
	db := l.Database()
	defer func() { _ = db.Close() }()
	left := one[int64](l.t, db, "SELECT expires_at - created_at FROM sessions ORDER BY id DESC LIMIT 1")
	return time.Duration(left) * time.Second
}

func TestTheCookieGoesByTLSOnlyWhereTheClientComesByTLS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options []testbed.Option
		proto   string // X-Forwarded-Proto
		secure  bool
	}{
		"the public URL is https":                 {[]testbed.Option{testbed.Args("--public-url", "https://caesar.example")}, "", true},
		"the public URL is http":                  {[]testbed.Option{testbed.Args("--public-url", "http://caesar.example")}, "", false},
		"a trusted proxy heard TLS":               {[]testbed.Option{testbed.Args("--trusted-proxies", "127.0.0.1/32")}, "https", true},
		"a trusted proxy heard none":              {[]testbed.Option{testbed.Args("--trusted-proxies", "127.0.0.1/32")}, "http", false},
		"somebody who is no proxy tells of TLS":   {nil, "https", false},
		"https is public, and a proxy heard none": {[]testbed.Option{testbed.Args("--public-url", "https://caesar.example", "--trusted-proxies", "127.0.0.1/32")}, "http", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t, append(quick(), c.options...)...)
			m := l.member()
			for _, q := range []question{m.logIn("1"), m.logIn("0"), {method: http.MethodGet, path: "/user/logout/"}} {
				if c.proto != "" {
					q = q.with("X-Forwarded-Proto", c.proto)
				}
				cookie := l.ask(q).sessionCookie(t)
				if cookie == nil || cookie.Secure != c.secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
					t.Errorf("%s %s sets %v", q.method, q.path, cookie)
				}
			}
		})
	}
}

func TestEveryLoginOpensANewSessionAndEndsTheOneItCameWith(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m, other := l.member(), l.member()
	alive := func(token string) bool {
		return l.ask(question{method: http.MethodGet, path: "/user/get_user_info/", token: token}).status == 200
	}
	seen := map[string]bool{m.token: true}
	before := m.token
	for range 3 {
		cookie := l.ask(m.logIn("1").byCookie(before)).sessionCookie(t)
		if seen[cookie.Value] {
			t.Error("a session was given twice")
		}
		if alive(before) || !alive(cookie.Value) {
			t.Errorf("the session that came along lives: %v; the new one: %v", alive(before), alive(cookie.Value))
		}
		seen[cookie.Value], before = true, cookie.Value
	}
	// One that somebody else had set in the browser is not taken on, and is theirs no longer.
	if cookie := l.ask(m.logIn("0").byCookie(other.token)).sessionCookie(t); cookie.Value == other.token || alive(other.token) {
		t.Error("a login goes on with another's session")
	}
	made := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if cookie := l.ask(m.logIn("0").byCookie(made)).sessionCookie(t); cookie.Value == made || alive(made) {
		t.Error("a login takes the session that a client made up")
	}
	// A login that fails ends nothing, and neither does one elsewhere.
	if l.ask(asForm.form("/user/login/", "", "email", m.email, "password", "wrong").byCookie(before)).status != 401 || !alive(before) {
		t.Error("a login that failed ended the session that came along")
	}
	m.login(t)
	if !alive(before) {
		t.Error("a login elsewhere ended a session")
	}
}

func TestALogoutEndsWhatTheRequestShowsAndClearsTheCookie(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	first := m.token
	m.login(t)
	second := m.token
	m.login(t)
	r := l.ask(question{method: http.MethodGet, path: "/user/logout/", token: first, header: http.Header{"Cookie": {"sessionid=" + second}}})
	r.says(t, "the logout", 200, "{}")
	if cookie := r.sessionCookie(t); cookie == nil || cookie.Value != "" || cookie.MaxAge != -1 || cookie.Path != "/" {
		t.Errorf("the cookie is not cleared: %v", cookie)
	}
	for what, c := range map[string]struct {
		token  string
		status int
	}{"the token shown": {first, 401}, "the cookie shown": {second, 401}, "another session": {m.token, 200}} {
		if r := l.ask(question{method: http.MethodGet, path: "/user/get_user_info/", token: c.token}); r.status != c.status {
			t.Errorf("%s is answered %d", what, r.status)
		}
	}
	l.ask(question{method: http.MethodGet, path: "/user/logout/"}.byCookie("no session at all")).says(t, "a cookie that is none", 200, "{}")
}

func TestAChangeOfPasswordOrEmailEndsOtherSessionsAndIsToldByMail(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	other := m.token
	m.login(t)
	next, email, name := "a new password", "new."+m.email, m.name+" 2"
	if err := m.Member.UpdateProfile(t.Context(), client.MemberUpdate{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	if r := l.ask(question{method: http.MethodGet, path: "/user/get_user_info/", token: other}); r.status != 200 {
		t.Errorf("a new name ended another session: %d", r.status)
	}
	for _, change := range []client.MemberUpdate{{Password: &next}, {Email: &email}} {
		if err := m.Member.UpdateProfile(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if r := l.ask(question{method: http.MethodGet, path: "/user/get_user_info/", token: other}); r.status != 401 {
			t.Errorf("another session is answered %d", r.status)
		}
		if _, err := m.Member.Profile(t.Context()); err != nil {
			t.Errorf("the session that changed it: %v", err)
		}
		m.password = next
		if change.Email == nil {
			c := l.client()
			if err := c.Member().Login(t.Context(), m.email, m.password, false); err != nil {
				t.Fatal(err)
			}
			other = c.Token()
		}
	}
	if mails := l.Mails(m.email, 3); len(mails) != 3 { // the code, and what changed
		t.Errorf("%d mails came to the old address", len(mails))
	}
}

func TestASessionThatRanOutServesNoMore(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	l.Stop()
	func() {
		db := l.Database()
		defer func(db *sql.DB) { _ = db.Close() }(db)
		change(t, db, "UPDATE sessions SET expires_at = $1", time.Now().Unix()-1)
	}()
	l.Restart()
	for _, path := range []string{"/user/get_user_info/", "/user/download_file/", "/user/files/"} {
		r := l.ask(question{method: http.MethodGet, path: path}.byCookie(m.token))
		r.says(t, path, 401, `{"code":401,"message":"请先登录"}`)
	}
}

// Each time somebody is written to, at an address that nobody need have proven.
func TestTheEmailCanBeChangedOnlySoOftenOverBothSurfacesTogether(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	var err error
	moves := 0
	for ; moves < 20 && err == nil; moves++ {
		m.email = fmt.Sprintf("%d.%s", moves, m.email)
		if moves%2 == 0 {
			err = m.Member.UpdateProfile(t.Context(), client.MemberUpdate{Email: &m.email})
		} else {
			err = m.Client.UpdateProfile(t.Context(), client.ProfileUpdate{RealName: "x", Email: m.email, Phone: "1"})
		}
	}
	if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Slug != client.TooMany || refused.RetryAfter == 0 {
		t.Errorf("after %d changes: %v", moves, err)
	}
	if err := m.Member.UpdateProfile(t.Context(), client.MemberUpdate{Career: new("x")}); err != nil {
		t.Errorf("all else: %v", err)
	}
}
