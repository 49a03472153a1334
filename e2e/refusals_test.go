package e2e_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/client"
)

func TestACaptchaThatIsNotAnsweredRightLetsNobodyIn(t *testing.T) {
	t.Parallel()
	l := open(t, cheapKDF())
	p := l.stranger()
	draw := func() string {
		drawn, err := p.Client.Captcha(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return drawn.ID
	}
	spent := draw()
	p.CaptchaID, p.Registration.Captcha = spent, l.readCaptcha(spent)
	if _, err := p.Register(t.Context(), p.Registration); err != nil {
		t.Fatal(err)
	}
	other := draw()
	forged := []byte(draw())
	forged[30] ^= 1
	for name, c := range map[string]struct{ id, answer string }{
		"spent":                    {spent, l.readCaptcha(spent)},
		"the answer to another":    {draw(), l.readCaptcha(other) + "0"},
		"no answer":                {draw(), ""},
		"NUL in the answer":        {draw(), "\x00"},
		"an answer of many bytes":  {draw(), strings.Repeat("1", 10_000)},
		"no id":                    {"", "12345"},
		"an id that is none":       {"undefined", "12345"},
		"an id of another server":  {base64.RawURLEncoding.EncodeToString(make([]byte, 73)), "12345"},
		"an id with a line break":  {draw() + "\r\n", "12345"},
		"an id with NUL":           {"\x00" + draw(), "12345"},
		"an id that was tinkered":  {string(forged), "12345"},
		"an id of many bytes":      {strings.Repeat("A", 100_000), "12345"},
		"an id that is a path":     {"../../keys/root.key", "12345"},
		"an id of unlikely script": {"验证码", "12345"},
	} {
		for _, route := range []string{"POST /api/register", "POST /api/login"} {
			o := operations[slices.IndexFunc(operations, func(o operation) bool { return o.route == route })]
			_, v := prepareRegister(l)
			v["captcha_id"], v["captcha"] = c.id, c.answer
			for _, e := range []encoding{asJSON, asForm} {
				l.refused(defect{name: name, ask: o.question(nil, v, e), status: 400, slug: client.CaptchaWrong, fields: []string{"captcha"}})
			}
		}
	}
}

func TestARequestThatIsRefusedBeforeItsCaptchaIsLookedAtDoesNotSpendIt(t *testing.T) {
	t.Parallel()
	l := open(t, cheapKDF())
	p := l.stranger()
	drawn, err := p.Client.Captcha(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.CaptchaID, p.Registration.Captcha = drawn.ID, " "+l.readCaptcha(drawn.ID)+" "
	bad := p.Registration
	bad.Phone = "none"
	if _, err := p.Register(t.Context(), bad); client.Slug(err) != client.Invalid {
		t.Errorf("a bad phone: %v", err)
	}
	if err := p.Login(t.Context(), client.Credentials{UserName: "x", Captcha: bad.Captcha, CaptchaID: bad.CaptchaID}); client.Slug(err) != client.Invalid {
		t.Errorf("no password: %v", err)
	}
	if _, err := p.Register(t.Context(), p.Registration); err != nil {
		t.Errorf("the captcha was spent: %v", err)
	}
}

func TestAMethodOrPathThatIsNotThereIsToldSo(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p, v := prepareItem(nil)(l)
	before := l.sight(p)
	methods := map[string][]string{} // by path
	for _, o := range operations {
		methods[o.path(v)] = append(methods[o.path(v)], o.method())
	}
	for path, there := range methods {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if slices.Contains(there, method) || method == "HEAD" && slices.Contains(there, "GET") {
				continue
			}
			r := l.ask(question{method: method, path: path, token: p.token, header: asJSON.header(), body: []byte(`{"main_password":"x"}`)})
			if r.status != http.StatusMethodNotAllowed || method != "HEAD" && r.problem(t).Slug != client.MethodNotAllowed {
				t.Errorf("%s %s answers %d %s", method, path, r.status, r.body)
			}
		}
	}
	for _, path := range []string{
		"/api", "/api/", "/api/nothing", "/api/login/", "/api/Login", "/api//login", "/api/./login", "/api/x/../login", "/api/auth", "/api/auth/me/",
		"/api/auth/account/", "/api/auth/account/1/", "/api/auth/account/1/log/", "/api/auth/account//log", "/api/auth/account/1/2", "/login",
		"/api/auth/sessions/", "/api/%00", "/api/%ff", "/api/%2e%2e/docs", "/keys/root.key", "/../keys/root.key",
		"/docs/", "/docs/../openapi.yaml", "/index.html", "/.env", "/outbox/",
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			r := l.ask(question{method: method, path: path, token: p.token})
			if r.status != 404 || r.problem(t).Slug != client.NotFound {
				t.Errorf("%s %s answers %d %s", method, path, r.status, r.body)
			}
		}
	}
	if l.sight(p) != before {
		t.Error("it changed something")
	}
}

// TestABodyThatIsCutOffChangesNothing hangs up in the middle of each operation's body.
func TestABodyThatIsCutOffChangesNothing(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	for _, o := range operations {
		if len(o.fields) == 0 {
			continue
		}
		t.Run(o.route, func(t *testing.T) {
			l := l.in(t)
			p, v := o.prepare(l)
			before := l.sight(p)
			q := o.question(p, v, asJSON)
			for name, announced := range map[string]string{
				"announced":   fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(q.body)+1, q.body),
				"chunked":     fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(q.body), q.body),
				"bad chunk":   fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\nxyz\r\n", len(q.body), q.body),
				"never begun": "Content-Length: 100\r\n\r\n",
			} {
				status := l.halfAsk(q, announced)
				if status != 400 {
					t.Errorf("%s: answers %d", name, status)
				}
			}
			if l.sight(p) != before {
				t.Error("it changed something")
			}
			if r := l.ask(q); r.status != 200 {
				t.Errorf("the whole request answers %d %s", r.status, r.body)
			}
		})
	}
}

// halfAsk sends a request byte by byte as given from the length on, ends the sending, and returns the
// status of the answer.
func (l *lab) halfAsk(q question, rest string) int {
	l.t.Helper()
	address := strings.TrimPrefix(l.URL, "http://")
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		l.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		l.t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n%s",
		q.method, q.path, address, q.token, rest)
	if err != nil {
		l.t.Fatal(err)
	}
	if half, ok := conn.(*net.TCPConn); !ok || half.CloseWrite() != nil {
		l.t.Fatal("the connection can't be closed at one end")
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		l.t.Fatalf("read answer: %v", err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestWhatIsTakenIsRefusedUnderEverySpellingAndNamed(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	owner, p := l.person(), l.person()
	before := l.sight(p)
	for name, c := range map[string]struct {
		change func(*client.Registration)
		fields []string
	}{
		"the name":               {func(r *client.Registration) { r.UserName = owner.UserName }, []string{"user_name"}},
		"the name with blanks":   {func(r *client.Registration) { r.UserName = "  " + owner.UserName + " " }, []string{"user_name"}},
		"the name in wide forms": {func(r *client.Registration) { r.UserName = strings.ReplaceAll(owner.UserName, "王", "王\u200d") }, []string{"user_name"}},
		"the email":              {func(r *client.Registration) { r.Email = owner.Email }, []string{"email"}},
		"the email in capitals":  {func(r *client.Registration) { r.Email = strings.ToUpper(owner.Email) }, []string{"email"}},
		"both": {func(r *client.Registration) {
			r.UserName, r.Email = owner.UserName, strings.ToLower(owner.Email)
		}, []string{"email", "user_name"}},
	} {
		s := l.stranger()
		c.change(&s.Registration)
		_, err := s.Register(t.Context(), s.Registration)
		compareTaken(t, name, err, c.fields)
	}
	for _, email := range []string{owner.Email, strings.ToUpper(owner.Email)} {
		compareTaken(t, "a profile with "+email, p.UpdateProfile(t.Context(), client.ProfileUpdate{RealName: "x", Email: email, Phone: "1"}), []string{"email"})
	}
	if l.sight(p) != before {
		t.Error("it changed something")
	}
}

func compareTaken(t *testing.T, what string, err error, fields []string) {
	t.Helper()
	e, ok := err.(*client.Error)
	if !ok || e.Status != 409 || e.Slug != client.Taken || !slices.Equal(slices.Sorted(maps.Keys(e.Fields)), fields) {
		t.Errorf("%s: %v, and want %v taken", what, err, fields)
	}
}
