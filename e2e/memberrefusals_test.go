package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caesar/internal/phrase"
)

// memberPaths are the paths below /user with their methods; GET brings HEAD with it.
func memberPaths(id int64) map[string][]string {
	version := "/user/files/" + strconv.FormatInt(id, 10) + "/"
	return map[string][]string{
		"/user/register/": {"GET", "POST"}, "/user/captcha/": {"GET"}, "/user/login/": {"GET", "POST"}, "/user/logout/": {"GET"},
		"/user/get_user_info/": {"GET"}, "/user/update_user_info/": {"POST"}, "/user/upload_file/": {"POST"}, "/user/download_file/": {"GET"},
		"/user/files/": {"GET"}, version: {"GET", "DELETE"},
	}
}

func TestAMethodOrPathBelowUserThatIsNotThereIsToldSo(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	id := l.uploaded(m.token, "kept", "kept").ID
	before := l.holdings(m.token)
	for path, there := range memberPaths(id) {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if slices.Contains(there, method) || method == "HEAD" && slices.Contains(there, "GET") {
				continue
			}
			for _, path := range []string{path, strings.TrimSuffix(path, "/")} {
				r := l.ask(question{method: method, path: path, token: m.token})
				if method == "HEAD" {
					r.body = []byte(`{"code":405,"message":"该地址不支持此请求方法"}`)
				}
				r.says(t, method+" "+path, 405, `{"code":405,"message":"该地址不支持此请求方法"}`)
			}
		}
	}
	for _, path := range []string{
		"/user", "/user/", "/user/nothing", "/user/login//", "/user//login/", "/user/Login/", "/user/./login/", "/user/x/../login/", "/user/login/x", "/user/files//",
		"/user/files/1/2/", "/user/files/1//", "/user/upload_file/x", "/user/%00", "/user/%ff/", "/user/%2e%2e/docs", "/users/", "/user/files/../../keys/backup.age",
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			r := l.ask(question{method: method, path: path, token: m.token})
			if r.status != 404 {
				t.Errorf("%s %s answers %d %s", method, path, r.status, r.body)
			}
		}
	}
	l.unchanged("what is not there", m.token, before)
}

func TestWithoutALiveSessionNothingOfAMemberIsAnswered(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	id := l.uploaded(m.token, "kept", "kept").ID
	before := l.holdings(m.token)
	for path, methods := range memberPaths(id) {
		if slices.Contains([]string{"/user/register/", "/user/captcha/", "/user/login/", "/user/logout/"}, path) {
			continue
		}
		for _, method := range methods {
			for name, q := range map[string]question{
				"none":                                  {},
				"an empty token":                        question{}.with("Authorization", "Bearer "),
				"another scheme":                        question{}.with("Authorization", "Basic "+m.token),
				"a token cut":                           {token: m.token[:len(m.token)-1]},
				"a token with a tail":                   {token: m.token + "A"},
				"in the query":                          {path: "?token=" + m.token + "&sessionid=" + m.token},
				"an empty cookie":                       question{}.byCookie(""),
				"a cookie cut":                          question{}.byCookie(m.token[1:]),
				"another cookie":                        question{}.with("Cookie", "session="+m.token),
				"a wrong token beside the right cookie": question{}.byCookie(m.token).with("Authorization", "Bearer x"),
				"a bad body":                            {header: asJSON.header(), body: []byte("{")},
				"a bad id":                              {path: "x"},
			} {
				q.method = method
				if q.path = path + q.path; name == "a bad id" {
					q.path = strings.Replace(path, strconv.FormatInt(id, 10), "x", 1)
				}
				r := l.ask(q)
				r.says(t, method+" "+q.path+": "+name, 401, `{"code":401,"message":"请先登录"}`)
				if r.header.Get("WWW-Authenticate") != "Bearer" || r.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: the headers are %v", name, r.header)
				}
			}
		}
	}
	l.unchanged("what is asked without a session", m.token, before)
}

// formDefect is a body that can't be read, and how that is said.
type formDefect struct {
	name    string
	header  http.Header
	body    string
	status  int
	message phrase.Phrase
}

func formDefects() []formDefect {
	tooLarge := phrase.BodyTooLarge.With(256 << 10)
	return []formDefect{
		{"cut JSON", asJSON.header(), `{"email":"x"`, 400, phrase.BodyNotJSON},
		{"a list", asJSON.header(), `[]`, 400, phrase.BodyNotObject},
		{"no UTF-8", asJSON.header(), "{\"zz\":\"\xff\"}", 400, phrase.BodyNotJSON},
		{"a broken escape", asForm.header(), "email=%zz", 400, phrase.BodyNotForm},
		{"cut parts", asParts.header(), "--" + boundary + "\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nx", 400, phrase.BodyNotForm},
		{"a part's header cut", asParts.header(), "--" + boundary + "\r\nContent-Disp", 400, phrase.BodyNotForm},
		{"parts of another boundary", asParts.header(), "--other\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nx\r\n--other--\r\n", 400, phrase.BodyNotForm},
		{"parts without a boundary", http.Header{"Content-Type": {"multipart/form-data"}}, string(parts()), 400, phrase.BodyNotForm},
		{"a part that is no field", asParts.header(), string(parts("Content-Disposition: attachment; name=\"email\"\r\n\r\nx\r\n")), 400, phrase.BadPartHeader},
		{"a part in base64", asParts.header(), string(parts("Content-Disposition: form-data; name=\"email\"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n")), 400, phrase.BadPartHeader},
		{"too many parts", asParts.header(), string(parts(slices.Repeat([]string{part(`form-data; name="x"`, "", "x")}, 2000)...)), 400, phrase.BodyTooMany},
		{"large JSON", asJSON.header(), `{"zz":"` + strings.Repeat("a", 1<<20) + `"}`, 413, tooLarge},
		{"a large form", asForm.header(), "zz=" + strings.Repeat("a", 1<<20), 413, tooLarge},
		{"large parts", asParts.header(), string(parts(part(`form-data; name="zz"`, "", strings.Repeat("a", 1<<20)))), 413, tooLarge},
		{"XML", http.Header{"Content-Type": {"application/xml"}}, "<x/>", 415, phrase.BodyTypeForm},
		{"plain text", http.Header{"Content-Type": {"text/plain"}}, "email=x", 415, phrase.BodyTypeForm},
		{"no type", nil, "email=x", 415, phrase.BodyTypeForm},
		{"another charset", http.Header{"Content-Type": {"application/json; charset=gbk"}}, "{}", 415, phrase.BodyTypeForm},
		{"gzip", http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, "{}", 415, phrase.BodyTypeForm},
		{"parts of another kind", http.Header{"Content-Type": {"multipart/mixed; boundary=" + boundary}}, string(parts()), 415, phrase.BodyTypeForm},
	}
}

func TestABodyBelowUserThatCannotBeReadIsToldSoAndChangesNothing(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	w := watch(l)
	w.settle()
	for _, d := range formDefects() {
		for _, path := range []string{"/user/register/", "/user/login/", "/user/update_user_info/", "/user/login", "/user/update_user_info"} {
			r := l.ask(question{method: http.MethodPost, path: path, token: m.token, header: d.header, body: []byte(d.body)})
			want := fmt.Sprintf(`{"code":%d,"message":"%s`, d.status, strings.Split(d.message.In(phrase.Chinese), "%")[0])
			if d.status == 400 && !strings.HasPrefix(path, "/user/update") {
				want = `{"message":"form is invalid"}`
			}
			if r.status != d.status || !strings.HasPrefix(string(r.body), want) {
				t.Errorf("%s: POST %s answers %d %.300s, not %d %s", d.name, path, r.status, r.body, d.status, want)
			}
		}
	}
	for name, body := range map[string]string{
		"a number": `{"password":12345,"email":"x@example.com","career":7}`, "a list": `{"password":[],"email":"x@example.com","career":[]}`,
		"true": `{"password":true,"email":"x@example.com","career":true}`, "an object": `{"password":{},"email":"x@example.com","career":{}}`,
		"sent twice": "password=a&password=b&email=x@example.com&career=a&career=b",
	} {
		header, message := asJSON.header(), "请传入文本！"
		if name == "sent twice" {
			header, message = asForm.header(), "请不要重复传入！"
		}
		ask := func(path string) reply {
			return l.ask(question{method: http.MethodPost, path: path, token: m.token, header: header, body: []byte(body)})
		}
		ask("/user/login/").says(t, name, 400, `{"message":"form is invalid","errors":{"password":[{"message":"`+message+`","code":"invalid"}]},"code":400}`)
		if r := ask("/user/update_user_info/"); r.status != 400 || !strings.Contains(string(r.body), `"career":[{"message":"`+message+`","code":"invalid"}]`) {
			t.Errorf("%s: answers %d %s", name, r.status, r.body)
		}
		if r := ask("/user/register/"); r.status != 400 || !strings.Contains(string(r.body), `<li>password<ul class=\"errorlist\"><li>`+message) {
			t.Errorf("%s: answers %d %s", name, r.status, r.body)
		}
	}
	file := parts(part(`form-data; name="password"; filename="x"`, "", "12345"), part(`form-data; name="email"`, "", m.email))
	r := l.ask(question{method: http.MethodPost, path: "/user/login/", header: asParts.header(), body: file})
	r.says(t, "a file as password", 400, `{"message":"form is invalid","errors":{"password":[{"message":"请传入文本！","code":"invalid"}]},"code":400}`)
	if w.changed() {
		t.Error("something was changed")
	}
}
