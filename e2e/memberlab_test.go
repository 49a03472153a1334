package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"caesar/client"
	"caesar/internal/testbed"
)

// memberEncodings are the forms in which a body below /user may be sent.
var memberEncodings = []encoding{asForm, asParts, asJSON}

// troubled starts a server as open does, for a test that brings it to answers which would fail any other.
func troubled(t *testing.T, options ...testbed.Option) *lab {
	t.Helper()
	base := &http.Transport{}
	l := &lab{t: t, base: base, Server: testbed.Start(t, options...)}
	t.Cleanup(base.CloseIdleConnections)
	return l.in(t)
}

// member is somebody who registered under /user.
type member struct {
	client.Member
	*client.Client
	name, email, password string
	token                 string
}

// newMember makes up somebody who is not registered yet.
func (l *lab) newMember() *member {
	l.t.Helper()
	n := people.Add(1)
	c := l.client()
	return &member{
		Member: c.Member(), Client: c,
		name: fmt.Sprintf("李雷 %d", n), email: fmt.Sprintf("Li.Lei.%d@example.com", n), password: "12345",
	}
}

// memberCode has the code for a registration mailed and reads it.
func (l *lab) memberCode(m *member) string {
	l.t.Helper()
	if err := m.Member.SendCode(l.t.Context(), m.email); err != nil {
		l.t.Fatalf("have a code mailed: %v", err)
	}
	return l.Code(m.email, "member")
}

// member makes somebody who registered under /user and is logged in there.
func (l *lab) member() *member {
	l.t.Helper()
	m := l.newMember()
	with := client.NewMember{UserName: m.name, Password: m.password, Email: m.email, Code: l.memberCode(m)}
	if err := m.Member.Register(l.t.Context(), with); err != nil {
		l.t.Fatalf("register: %v", err)
	}
	m.login(l.t)
	return m
}

// login opens a new session.
func (m *member) login(t testing.TB) {
	t.Helper()
	if err := m.Member.Login(t.Context(), m.email, m.password, false); err != nil {
		t.Fatalf("log in: %v", err)
	}
	m.token = m.Token()
}

// form is a request with fields, given as names and values in turn.
func (e encoding) form(path, token string, fields ...string) question {
	var pairs []pair
	for i := 0; i < len(fields); i += 2 {
		pairs = append(pairs, sound(e, fields[i], fields[i+1]))
	}
	return question{method: http.MethodPost, path: path, token: token, header: e.header(), body: e.body(pairs)}
}

// byCookie shows the session in the cookie.
func (q question) byCookie(token string) question {
	q.token, q.header = "", with(q.header, "Cookie", "sessionid="+token)
	return q
}

// with is the question with a header besides.
func (q question) with(name, value string) question {
	q.header = with(q.header, name, value)
	return q
}

// part is one part of a body of multipart/form-data, with all that stands after its boundary and before
// the next.
func part(disposition, contentType, content string) string {
	header := "Content-Disposition: " + disposition + "\r\n"
	if contentType != "" {
		header += "Content-Type: " + contentType + "\r\n"
	}
	return header + "\r\n" + content + "\r\n"
}

// parts joins parts to a body.
func parts(all ...string) []byte {
	var b strings.Builder
	for _, p := range all {
		b.WriteString("--" + boundary + "\r\n" + p)
	}
	b.WriteString("--" + boundary + "--\r\n")
	return []byte(b.String())
}

// upload is the request that uploads a file as browsers send it.
func upload(token, name, content string) question {
	return question{
		method: http.MethodPost, path: "/user/upload_file/", token: token, header: asParts.header(),
		body: parts(part(`form-data; name="file"; filename="`+name+`"`, "text/plain", content)),
	}
}

// uploaded uploads a file and returns what the answer says of it.
func (l *lab) uploaded(token, name, content string) client.Version {
	l.t.Helper()
	return l.ask(upload(token, name, content)).version(l.t)
}

// version reads the answer to an upload.
func (r reply) version(t testing.TB) client.Version {
	t.Helper()
	var answer struct {
		Data client.Version `json:"data"`
	}
	if err := json.Unmarshal(r.body, &answer); r.status != http.StatusOK || err != nil {
		t.Fatalf("an upload answers %d %s", r.status, r.body)
	}
	return answer.Data
}

// holdings is all that a person keeps and what of it lies where backups are kept.
func (l *lab) holdings(token string) string {
	l.t.Helper()
	r := l.ask(question{method: http.MethodGet, path: "/user/files/", token: token})
	if r.status != http.StatusOK {
		l.t.Fatalf("GET /user/files/ answers %d %s", r.status, r.body)
	}
	return string(r.body) + strings.Join(l.blobs(), "\n")
}

// blobs are the files of all backups, with their sizes, and of those that were begun.
func (l *lab) blobs() []string {
	l.t.Helper()
	var files []string
	for _, b := range l.Blobs() {
		files = append(files, fmt.Sprintf("%s %d", b.Name, b.Size))
	}
	return files
}

// unchanged demands that all is kept as it was, at once or, where nobody waits for the server, soon.
func (l *lab) unchanged(what, token, before string) {
	l.t.Helper()
	l.eventually(what+" leaves all as it was", func() bool { return l.holdings(token) == before })
}

// compact is JSON without blanks between its tokens.
func compact(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// says demands an answer to the character.
func (r reply) says(t testing.TB, what string, status int, body string) {
	t.Helper()
	if r.status != status || string(r.body) != body {
		t.Errorf("%s: answers %d %s\nand not %d %s", what, r.status, r.body, status, body)
	}
}

// wrongWith is what a refusal says of a field, empty where it says nothing or is none.
func wrongWith(err error, field string) string {
	if refused, ok := errors.AsType[*client.Error](err); ok && refused.Slug == client.Invalid {
		return refused.Fields[field]
	}
	return ""
}

// sessionCookie is the cookie that an answer sets, nil where it sets none.
func (r reply) sessionCookie(t testing.TB) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: r.header}).Cookies()
	if len(cookies) == 0 {
		return nil
	}
	if len(cookies) != 1 || cookies[0].Name != "sessionid" {
		t.Fatalf("it sets the cookies %v", cookies)
	}
	return cookies[0]
}
