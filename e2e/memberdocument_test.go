package e2e_test

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Of document 000 (元素计划后端): where an operation stands, and where the example of an answer.
var (
	operation000 = regexp.MustCompile(`(?m)^(GET|POST) (/user/\S+)$`)
	example000   = regexp.MustCompile("(?s)```json\n(.*?)```")
)

// examples000 returns every example of an answer in document 000 by its path, without blanks: what GET
// answers in the place of a form stands with POST.
func examples000(t testing.TB) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../api/testdata/000.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string][]string{}
	places := operation000.FindAllSubmatchIndex(text, -1)
	for i, place := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		path := string(text[place[4]:place[5]])
		for _, m := range example000.FindAllSubmatch(text[place[1]:end], -1) {
			examples[path] = append(examples[path], compact(t, string(m[1])))
		}
	}
	return examples
}

// reader of document 000 who tries each of its examples.
type reader000 struct {
	*lab
	encoding
	slash    string
	member   *member
	examples map[string][]string
}

// TestEveryExampleOfDocument000IsAnsweredToTheCharacter has the server answer each example that the
// document shows, for each form in which a body may be sent, with and without the slash at the end of the
// path.
func TestEveryExampleOfDocument000IsAnsweredToTheCharacter(t *testing.T) {
	t.Parallel()
	for _, e := range memberEncodings {
		for _, slash := range []string{"/", ""} {
			t.Run(e.String()+slash, func(t *testing.T) {
				t.Parallel()
				l := open(t, quick()...)
				r := &reader000{l, e, slash, l.newMember(), examples000(t)}
				r.registers()
				r.logsIn()
				r.readsAndChanges()
				r.uploadsAndDownloads()
				r.logsOut()
				for path, left := range r.examples {
					if len(left) > 0 {
						t.Errorf("%s: the document shows what nobody asked for: %s", path, left)
					}
				}
			})
		}
	}
}

// shows demands an answer with a status, and that the document has it for the operation as an example.
func (r *reader000) shows(what string, q question, status int) {
	r.t.Helper()
	path, query, _ := strings.Cut(q.path, "?")
	examples := r.examples[path]
	if q.path = strings.TrimSuffix(path, "/") + r.slash; query != "" {
		q.path += "?" + query
	}
	answer := r.ask(q)
	for i, example := range examples {
		if example == string(answer.body) && answer.status == status {
			r.examples[path] = append(examples[:i:i], examples[i+1:]...)
			return
		}
	}
	r.t.Errorf("%s: %s %s answers %d %s, and the document shows %s", what, q.method, path, answer.status, answer.body, examples)
}

// post is a request with fields, given as names and values in turn.
func (r *reader000) post(path string, fields ...string) question {
	return r.form(path, r.member.token, fields...)
}

func (r *reader000) registers() {
	r.t.Helper()
	m := r.member
	m.name, m.email, m.password = "Erasor", "2244602447@qq.com", "12345"
	r.shows("have a code mailed", question{method: http.MethodGet, path: "/user/captcha/?email=" + m.email}, 200)
	r.shows("no body that could be read", question{
		method: http.MethodPost, path: "/user/register/", header: asJSON.header(), body: []byte("{"),
	}, 400)
	r.shows("no email, and another's code", r.post("/user/register/",
		"username", m.name, "password", m.password, "email", "{{$internet.email}}", "captcha", "1234"), 400)
	r.shows("all is right", r.post("/user/register/",
		"username", m.name, "password", m.password, "email", m.email, "captcha", r.Code(m.email, "member")), 200)
}

func (r *reader000) logsIn() {
	r.t.Helper()
	m := r.member
	login := func(fields ...string) question { return r.post("/user/login/", fields...) }
	r.shows("the page", question{method: http.MethodGet, path: "/user/login/"}, 200)
	r.shows("no body that could be read", question{
		method: http.MethodPost, path: "/user/login/", header: asJSON.header(), body: []byte("{"),
	}, 400)
	r.shows("no password", login("email", m.email, "remember", "1"), 400)
	r.shows("a wrong password", login("email", m.email, "password", "123456", "remember", "0"), 401)
	r.shows("an email that nobody has", login("email", "nobody@example.com", "password", "123456", "remember", "0"), 402)

	q := login("email", m.email, "password", m.password, "remember", "1")
	q.path = strings.TrimSuffix(q.path, "/") + r.slash
	answer := r.ask(q)
	answer.says(r.t, "the right password", 200, `{"code":200,"message":"登录成功"}`) // the document shows none
	cookie := answer.sessionCookie(r.t)
	if cookie == nil {
		r.t.Fatal("a login sets no cookie")
	}
	m.token = cookie.Value
}

func (r *reader000) readsAndChanges() {
	r.t.Helper()
	r.shows("the example's profile", r.post("/user/update_user_info/",
		"username", "Erasor", "password", "12345", "email", "2244602447@qq.com", "career", "动态内部网专员", "birth_date", "2024-11-24"), 200)
	r.shows("the profile", question{method: http.MethodGet, path: "/user/get_user_info/"}.byCookie(r.member.token), 200)
}

// uploadsAndDownloads goes through what the document shows no answers for.
func (r *reader000) uploadsAndDownloads() {
	r.t.Helper()
	const content = "what is in response.txt\r\n"
	q := upload("", "response.txt", content).byCookie(r.member.token)
	q.path = strings.TrimSuffix(q.path, "/") + r.slash
	version := r.ask(q).version(r.t)
	if version.Name != "response.txt" || version.Size != int64(len(content)) {
		r.t.Errorf("uploaded was %+v", version)
	}
	answer := r.ask(question{method: http.MethodGet, path: "/user/download_file" + r.slash}.byCookie(r.member.token))
	answer.says(r.t, "the download", 200, content)
	if d := answer.header.Get("Content-Disposition"); d != `attachment; filename="response.txt"` {
		r.t.Errorf("the download is %s", d)
	}
}

func (r *reader000) logsOut() {
	r.t.Helper()
	r.shows("logged in", question{method: http.MethodGet, path: "/user/logout/"}.byCookie(r.member.token), 200)
	after := r.ask(question{method: http.MethodGet, path: "/user/get_user_info" + r.slash}.byCookie(r.member.token))
	if after.status != 401 {
		r.t.Errorf("after the logout the profile is answered %d %s", after.status, after.body)
	}
	again := r.ask(question{method: http.MethodGet, path: "/user/logout" + r.slash})
	again.says(r.t, "nobody is logged in", 200, `{}`)
}

// liveAsMember goes through every operation below /user, our extensions included.
func liveAsMember(l *lab) {
	l.t.Helper()
	r := &reader000{l, asParts, "/", l.newMember(), examples000(l.t)}
	r.registers()
	r.logsIn()
	r.readsAndChanges()
	r.uploadsAndDownloads()
	page := question{method: http.MethodGet, path: "/user/register/"}
	l.ask(page).says(l.t, "the page", 200, `{"message":"GET register.html"}`)
	if r := l.ask(page.with("Accept", "text/html")); r.status != 303 {
		l.t.Errorf("a browser is answered %d", r.status)
	}
	version := l.uploaded(r.member.token, "second.txt", "the second")
	id := strconv.FormatInt(version.ID, 10)
	files := l.ask(question{method: http.MethodGet, path: "/user/files/", token: r.member.token})
	if files.status != 200 || strings.Count(string(files.body), `"id":`) != 2 {
		l.t.Errorf("the versions are %s", files.body)
	}
	one := question{method: http.MethodGet, path: "/user/files/" + id + "/", token: r.member.token}
	l.ask(one).says(l.t, "one version", 200, "the second")
	l.ask(one.with("Range", "bytes=4-")).says(l.t, "a part of it", 206, "second")
	one.method = http.MethodDelete
	l.ask(one).says(l.t, "delete it", 200, `{"code":200,"message":"备份文件已删除"}`)
	r.logsOut()
}

func TestABrowserIsLedToThePageAndAProgramIsAnsweredAsDocumented(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	for _, path := range []string{"/user/login/", "/user/login", "/user/register/", "/user/register"} {
		for accept, status := range map[string]int{
			"": 200, "*/*": 200, "application/json": 200, "text/html;q=0": 200, "application/json, text/plain, */*": 200,
			"text/html": 303, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": 303, "text/HTML;q=0.1": 303,
		} {
			r := l.ask(question{method: http.MethodGet, path: path}.with("Accept", accept))
			if r.status != status || r.header.Get("Vary") != "Accept" {
				t.Errorf("GET %s for %q answers %d, Vary %q", path, accept, r.status, r.header.Get("Vary"))
			}
			if status == 200 {
				r.says(t, path, 200, `{"message":"GET register.html"}`)
			}
		}
	}
}
