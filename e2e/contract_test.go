package e2e_test

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"caesar/api/apitest"
	"caesar/internal/httpd/memberapi"
	"caesar/internal/httpd/vaultapi"
	"caesar/internal/httpd/wire"
)

// TestTheDocumentIsTheServer lives a user's life through every operation there is, in every encoding, and
// then demands that none was left out.
func TestTheDocumentIsTheServer(t *testing.T) {
	t.Parallel()
	l := open(t, cheapKDF())
	t.Run("every operation", func(t *testing.T) {
		for _, e := range []encoding{asJSON, asForm} {
			t.Run(e.String(), func(t *testing.T) {
				t.Parallel()
				live(&story{lab: l.in(t), encoding: e, told: map[string]bool{}})
			})
		}
		t.Run("member", func(t *testing.T) {
			t.Parallel()
			liveAsMember(l.in(t))
		})
		t.Run("pages", func(t *testing.T) {
			t.Parallel()
			readPages(l.in(t))
		})
	})
	if unseen := apitest.Unseen(); len(unseen) > 0 {
		t.Errorf("api/openapi.yaml has operations that were not exercised: %v", unseen)
	}
}

func TestEveryRouteIsInTheDocumentAndTheOtherWayRound(t *testing.T) {
	t.Parallel()
	var routes, documented, ofVault []string
	for _, surface := range []wire.Surface{vaultapi.New(vaultapi.Services{}), memberapi.New(memberapi.Services{})} {
		for _, route := range surface.Routes {
			routes = append(routes, route.Pattern)
		}
	}
	slices.Sort(routes)
	for _, route := range apitest.Routes() {
		if strings.Contains(route, " "+vaultapi.Prefix+"/") {
			ofVault = append(ofVault, route)
		} else if !strings.Contains(route, " "+memberapi.Prefix+"/") {
			continue
		}
		documented = append(documented, route)
	}
	if !slices.Equal(routes, documented) {
		t.Errorf("the server has\n%s\nand api/openapi.yaml\n%s", strings.Join(routes, "\n"), strings.Join(documented, "\n"))
	}
	known := slices.Concat(slices.Collect(maps.Keys(document003)), slices.Collect(maps.Keys(extensions)))
	slices.Sort(known)
	if !slices.Equal(known, ofVault) {
		t.Errorf("these tests know\n%s\nand api/openapi.yaml has\n%s", strings.Join(known, "\n"), strings.Join(ofVault, "\n"))
	}
}

// live goes through all of a user's life. Each step has what the one before left.
func live(s *story) {
	s.t.Helper()
	p := s.stranger()
	beginnings(s, p)
	profile(s, p)
	vault(s, p)
	sessions(s, p)
	passwords(s, p)
	endings(s, p)
	for _, operations := range []map[string]operation003{document003, extensions} {
		for route := range operations {
			if !s.told[route] {
				s.t.Errorf("%s was not told", route)
			}
		}
	}
}

// beginnings goes from the registration to the first login, and through a forgotten password.
func beginnings(s *story, p *person) {
	s.t.Helper()
	solved := func(v values) values {
		captcha := s.tell("GET /api/captcha", nil)
		v["captcha_id"], v["captcha"] = captcha.text("id"), s.readCaptcha(captcha.text("id"))
		return v
	}
	made := s.tell("POST /api/register", solved(values{
		"user_name": p.UserName, "real_name": p.RealName, "email": p.Email, "phone": p.Phone,
		"password": p.Password, "re_password": p.Password, "main_password": p.MainPassword,
	}))
	p.id = wholeNumber(s, made, "id")
	s.tell("PUT /api/email", values{"email": p.Email, "type": "activation"})
	s.tell("POST /api/activation", values{"email": p.Email, "code": s.Code(p.Email, "activation")})
	s.token = s.tell("POST /api/login", solved(values{"user_name": p.UserName, "password": p.Password})).text("token")

	s.tell("PUT /api/email", values{"email": p.Email, "type": "password"})
	p.Password = "another horse"
	s.tell("POST /api/password", values{
		"email": p.Email, "code": s.Code(p.Email, "password"), "password": p.Password, "re_password": p.Password,
	})
	if r := s.ask(question{method: "GET", path: "/api/auth/me", token: s.token}); r.status != 401 {
		s.t.Errorf("the session from before the reset answers %d", r.status)
	}
	s.token = s.tell("POST /api/login", solved(values{"user_name": strings.ToUpper(p.Email), "password": p.Password})).text("token")
}

func profile(s *story, p *person) {
	s.t.Helper()
	got := s.tell("GET /api/auth/me", nil)
	want := object{
		"email": p.Email, "phone": p.Phone, "real_name": p.RealName, "user_name": p.UserName,
		"career": "", "birth_date": "", "main_password_set": true,
	}
	for name, value := range want {
		if got[name] != value {
			s.t.Errorf("the profile's %s is %v, not %v", name, got[name], value)
		}
	}
	if wholeNumber(s, got, "id") != p.id || age(s, got, "created_at") > time.Minute {
		s.t.Errorf("the profile is %v", got)
	}
	p.RealName, p.Email, p.Phone = "Ada 'O\"Neil' 🐎", "New."+p.Email, "(010) 1234"
	s.tell("PUT /api/auth/me", values{"real_name": p.RealName, "email": p.Email, "phone": p.Phone})
	got = s.tell("GET /api/auth/me", nil)
	if got["real_name"] != p.RealName || got["email"] != p.Email || got["phone"] != p.Phone {
		s.t.Errorf("the profile was changed to %v", got)
	}
}

// encString is what document 003 calls 加密, in the format of Bitwarden's clients.
var encString = regexp.MustCompile(`^2\.[A-Za-z0-9+/]{22}==\|[A-Za-z0-9+/]+={0,2}\|[A-Za-z0-9+/]{43}=$`)

func vault(s *story, p *person) {
	s.t.Helper()
	item := values{
		"name": "小明 & co=1+1%", "email": "ming@example.org", "password": "p ä\"s\\s\n2nd line\t<>&", "main_password": p.MainPassword,
		"platform": "百度 Baidu", "url": "https://baidu.example/?a=b&c=d#e",
	}
	made := s.tell("POST /api/auth/account", item)
	id := made.number("id")

	today := time.Now().Add(-time.Hour).Format(time.DateTime)
	listed := s.tell("GET /api/auth/account", values{
		"page": "1", "page_size": "20", "platform": "度 b", "date_start": today, "date_end": "",
	})
	if listed.number("count") != "1" || listed.number("page") != "1" || listed.number("page_size") != "20" {
		s.t.Errorf("the list is %v", listed)
	}
	row := listed.list("data")[0]
	if row.number("id") != id || wholeNumber(s, row, "user_id") != p.id || row["platform"] != item["platform"] || row["url"] != item["url"] ||
		age(s, row, "created_at") > time.Minute || row["created_at"] != row["updated_at"] {
		s.t.Errorf("the item is listed as %v", row)
	}
	for _, name := range []string{"name", "email", "password"} {
		if !encString.MatchString(row.text(name)) {
			s.t.Errorf("the list has the %s as %v", name, row[name])
		}
	}

	shown := s.tell("POST /api/auth/account/{id}", values{"id": id, "main_password": p.MainPassword})
	if shown["name"] != item["name"] || shown["email"] != item["email"] || shown["password"] != item["password"] {
		s.t.Errorf("the item is shown as %v", shown)
	}

	changed := values{"id": id, "main_password": p.MainPassword, "name": "n", "email": "", "password": "n3w"}
	edited := s.tell("PUT /api/auth/account/{id}", changed)
	row = s.tell("GET /api/auth/account", values{"page": "1", "page_size": "20"}).list("data")[0]
	for _, name := range []string{"id", "name", "email", "password", "updated_at"} {
		if edited[name] != row[name] {
			s.t.Errorf("the edit answers the %s %v, and the list has %v", name, edited[name], row[name])
		}
	}
	if row["platform"] != item["platform"] || row["url"] != item["url"] {
		s.t.Errorf("an edit without them changed platform or url: %v", row)
	}
	shown = s.tell("POST /api/auth/account/{id}", values{"id": id, "main_password": p.MainPassword})
	if shown["name"] != "n" || shown["email"] != "" || shown["password"] != "n3w" {
		s.t.Errorf("the item is shown as %v after it was edited", shown)
	}

	compareLog(s, s.tell("GET /api/auth/account/{id}/log", values{"id": id, "page": "1", "page_size": "20"}), id, "1", "2", "1", "0")
	s.tell("DELETE /api/auth/account/{id}", values{"id": id, "main_password": p.MainPassword})
	compareLog(s, s.tell("GET /api/auth/log", values{"page": "1", "page_size": "20"}), id, "3", "1", "2", "1", "0")
	if left := s.tell("GET /api/auth/account", nil); left.number("count") != "0" || len(left.list("data")) != 0 {
		s.t.Errorf("the item is still listed: %v", left)
	}
}

// compareLog demands that a log of one item holds these types of events, the newest first.
func compareLog(s *story, log object, item string, types ...string) {
	s.t.Helper()
	var got []string
	for _, event := range log.list("data") {
		got = append(got, event.number("type"))
		if event.number("account_id") != item || age(s, event, "created_at") > time.Minute || event["created_at"] != event["updated_at"] {
			s.t.Errorf("the log has %v", event)
		}
	}
	if !slices.Equal(got, types) || log.number("count") != strconv.Itoa(len(types)) {
		s.t.Errorf("the log has %v and counts %v, not %v", got, log["count"], types)
	}
}

func sessions(s *story, p *person) {
	s.t.Helper()
	login := func() string {
		captcha := s.tell("GET /api/captcha", nil).text("id")
		return s.tell("POST /api/login", values{
			"user_name": p.UserName, "password": p.Password, "captcha_id": captcha, "captcha": s.readCaptcha(captcha),
		}).text("token")
	}
	second, third := login(), login()
	listed := s.tell("GET /api/auth/sessions", nil).list("data")
	if len(listed) != 3 || listed[2]["current"] != true || listed[0]["current"] != false || listed[0]["client"] == "" || listed[0]["address"] != "127.0.0.1" {
		s.t.Fatalf("the sessions are %v", listed)
	}
	s.tell("DELETE /api/auth/sessions/{id}", values{"id": listed[0].number("id")})
	s.compareLife("the session ended by its id", third, 401)
	s.compareLife("another session", second, 200)
	s.tell("DELETE /api/auth/sessions", nil)
	s.compareLife("another session after all others were ended", second, 401)

	mine := s.token
	s.token = login()
	s.tell("DELETE /api/auth/session", nil)
	s.compareLife("the session signed out of", s.token, 401)
	s.compareLife("another session after one signed out", mine, 200)
	s.token = mine
}

// compareLife demands what a session's token is answered.
func (s *story) compareLife(what, token string, status int) {
	s.t.Helper()
	if r := s.ask(question{method: "GET", path: "/api/auth/me", token: token}); r.status != status {
		s.t.Errorf("%s is answered %d, not %d", what, r.status, status)
	}
}

func passwords(s *story, p *person) {
	s.t.Helper()
	old := p.Password
	p.Password = "third horse"
	s.tell("PUT /api/auth/password", values{"old_password": old, "password": p.Password, "re_password": p.Password})
	old = p.MainPassword
	p.MainPassword = "paper clip"
	s.tell("PUT /api/auth/main_password", values{"old_main_password": old, "main_password": p.MainPassword})
	s.tell("POST /api/auth/account", values{
		"name": "n", "email": "", "password": "p", "main_password": p.MainPassword, "platform": "x", "url": "",
	})
}

// endings closes the account, thinks better of it, and erases it.
func endings(s *story, p *person) {
	s.t.Helper()
	before, month := s.token, 30*24*time.Hour
	earliest := time.Now().Add(month).Format(time.DateOnly)
	said := s.tell("DELETE /api/auth/logout", nil).text("message")
	if latest := time.Now().Add(month).Format(time.DateOnly); !strings.Contains(said, earliest) && !strings.Contains(said, latest) {
		s.t.Errorf("whoever closes the account is told %q, without the day in 30 days", said)
	}
	s.compareLife("the session that closed the account", before, 401)
	captcha := s.tell("GET /api/captcha", nil).text("id")
	s.token = s.tell("POST /api/login", values{
		"user_name": p.UserName, "password": p.Password, "captcha_id": captcha, "captcha": s.readCaptcha(captcha),
	}).text("token")
	if count := s.tell("GET /api/auth/account", nil).number("count"); count != "1" {
		s.t.Errorf("of one item, an account kept by a login has %s", count)
	}
	s.tell("DELETE /api/auth/me", values{"password": p.Password})
	s.compareLife("the session of an erased user", s.token, 401)
}

// readPages reads what the server has outside /api, and again with HEAD.
func readPages(l *lab) {
	l.t.Helper()
	for path, want := range map[string]struct {
		status   int
		contains string
	}{
		"/healthz":      {200, `{"status":"ok"}`},
		"/readyz":       {200, `{"status":"ready"}`},
		"/openapi.yaml": {200, "openapi: 3.0.3"},
		"/docs":         {200, "/api/auth/account/{id}/log"},
		"/docs.css":     {200, "prefers-color-scheme"},
		"/":             {303, ""},
	} {
		r := l.ask(question{method: "GET", path: path})
		if r.status != want.status || !strings.Contains(string(r.body), want.contains) {
			l.t.Errorf("GET %s answers %d %.100s", path, r.status, r.body)
		}
		if head := l.ask(question{method: "HEAD", path: path}); head.status != want.status || len(head.body) != 0 {
			l.t.Errorf("HEAD %s answers %d with %d bytes", path, head.status, len(head.body))
		}
		if tag := r.header.Get("ETag"); tag != "" {
			q := question{method: "GET", path: path, header: map[string][]string{"If-None-Match": {tag}}}
			if again := l.ask(q); again.status != 304 {
				l.t.Errorf("GET %s answers %d to its own ETag", path, again.status)
			}
		}
	}
}

func wholeNumber(s *story, o object, name string) int64 {
	s.t.Helper()
	n, err := strconv.ParseInt(o.number(name), 10, 64)
	if err != nil {
		s.t.Errorf("%s of %v: %v", name, o, err)
	}
	return n
}

// age is how long ago a moment of an answer was, either way.
func age(s *story, o object, name string) time.Duration {
	s.t.Helper()
	return time.Since(time.Unix(wholeNumber(s, o, name), 0)).Abs()
}
