package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"caesar/internal/phrase"
)

// spoken is an answer to be given in words.
type spoken struct {
	name             string
	ask              func(p *person) question
	status           int
	chinese, english string // of message
	field            string
	ofField          phrase.Phrase
}

var spokenAnswers = []spoken{
	{
		name: "a code was sent", status: 200, chinese: "如果该邮箱可用，邮件已发送", english: "if the address can be used so, a mail is on its way",
		ask: func(*person) question {
			return question{method: "PUT", path: "/api/email", header: asJSON.header(), body: nil}
		},
	},
	{
		name: "a field is missing", status: 400, chinese: "请求内容有误，请检查标出的字段", english: "Some of what was sent is not right; see the fields named",
		field: "main_password", ofField: phrase.Required,
		ask: func(p *person) question {
			return question{method: "POST", path: "/api/auth/account/1", token: p.token, header: asJSON.header(), body: []byte("{}")}
		},
	},
	{
		name: "an email is none", status: 400, chinese: "请求内容有误，请检查标出的字段", english: "Some of what was sent is not right; see the fields named",
		field: "email", ofField: phrase.BadEmail,
		ask: func(*person) question {
			return question{method: "PUT", path: "/api/email", header: asForm.header(), body: []byte("type=password&email=x")}
		},
	},
	{
		name: "nobody is logged in", status: 401, chinese: "请先登录", english: "log in first",
		ask: func(*person) question { return question{method: "GET", path: "/api/auth/me"} },
	},
	{
		name: "the item is not there", status: 404, chinese: "没有这个平台账号", english: "there is no such account",
		ask: func(p *person) question {
			return question{method: "GET", path: "/api/auth/account/9007199254740991/log", token: p.token}
		},
	},
	{
		name: "the path is not there", status: 404, chinese: "没有这个接口地址", english: "There is nothing at this address",
		ask: func(*person) question { return question{method: "GET", path: "/api/nothing"} },
	},
	{
		name: "the method is not there", status: 405, chinese: "该地址不支持此请求方法", english: "This address does not take that method",
		ask: func(*person) question { return question{method: "GET", path: "/api/login"} },
	},
	{
		name: "the body is none", status: 400, chinese: "请求体不是有效的 JSON", english: "The body is not valid JSON",
		ask: func(*person) question {
			return question{method: "POST", path: "/api/login", header: asJSON.header(), body: []byte("{")}
		},
	},
	{
		name: "the body is too large", status: 413, chinese: "请求体过大，最多 262144 字节", english: "The body is too large: at most 262144 bytes are taken",
		ask: func(*person) question {
			return question{method: "POST", path: "/api/login", header: asJSON.header(), body: make([]byte, 1<<20)}
		},
	},
	{
		name: "the date is none", status: 400, chinese: "请求内容有误，请检查标出的字段", english: "Some of what was sent is not right; see the fields named",
		field: "date_end", ofField: phrase.BadMoment,
		ask: func(p *person) question {
			return question{method: "GET", path: "/api/auth/account?date_end=2026-02-30", token: p.token}
		},
	},
	{
		name: "the login is wrong", status: 400, chinese: "用户名、邮箱或密码错误", english: "the name, email or password is wrong",
		ask: func(*person) question {
			nobody := sound(asJSON, "user_name", fmt.Sprintf("nobody %d", people.Add(1))) // so that nobody is guessed at twice
			body := asJSON.body([]pair{nobody, sound(asJSON, "password", "x"), sound(asJSON, "captcha", ""), sound(asJSON, "captcha_id", "")})
			return question{method: "POST", path: "/api/login", header: asJSON.header(), body: body}
		},
	},
	{
		name: "the item was kept", status: 200, chinese: "保存成功", english: "kept",
		ask: func(p *person) question {
			var pairs []pair
			item := values{"name": "n", "email": "", "password": "p", "main_password": p.MainPassword, "platform": "x", "url": ""}
			for name, value := range item {
				pairs = append(pairs, sound(asForm, name, value))
			}
			return question{method: "POST", path: "/api/auth/account", token: p.token, header: asForm.header(), body: asForm.body(pairs)}
		},
	},
}

func TestMessagesAreChineseUnlessEnglishIsPreferred(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p := l.person()
	for accept, language := range map[string]phrase.Language{
		"": phrase.Chinese, "zh-CN": phrase.Chinese, "zh-TW,en;q=0.5": phrase.Chinese, "fr": phrase.Chinese, "*": phrase.Chinese,
		"en;q=0": phrase.Chinese, "en;q=x,": phrase.Chinese, "de, zh;q=0.8, en;q=0.7": phrase.Chinese,
		"en": phrase.English, "en-GB,en;q=0.9,zh;q=0.8": phrase.English, "de-CH, en;q=0.5": phrase.English, "EN-us": phrase.English,
	} {
		for _, s := range spokenAnswers {
			q := s.ask(p)
			if s.name == "a code was sent" { // once for each address
				q.body = asJSON.body([]pair{sound(asJSON, "email", l.stranger().Email), sound(asJSON, "type", "password")})
			}
			if accept != "" {
				q.header = with(q.header, "Accept-Language", accept)
			}
			compareWords(t, accept+": "+s.name, s, l.ask(q), language)
		}
	}
}

func compareWords(t *testing.T, where string, s spoken, r reply, language phrase.Language) {
	t.Helper()
	var said struct {
		Message string            `json:"message"`
		Fields  map[string]string `json:"fields"`
	}
	if err := json.Unmarshal(r.body, &said); err != nil {
		t.Errorf("%s: %v", where, err)
	}
	want := s.chinese
	if language == phrase.English {
		want = s.english
	}
	if r.status != s.status || said.Message != want {
		t.Errorf("%s: answers %d %q, not %d %q", where, r.status, said.Message, s.status, want)
	}
	if s.field != "" && said.Fields[s.field] != s.ofField.In(language) {
		t.Errorf("%s: says of %s %q, not %q", where, s.field, said.Fields[s.field], s.ofField.In(language))
	}
	if tag := r.header.Get("Content-Language"); r.status >= http.StatusBadRequest && tag != language.Tag() {
		t.Errorf("%s: Content-Language is %q", where, tag)
	}
	if chinese := strings.ContainsFunc(string(r.body), func(c rune) bool { return unicode.Is(unicode.Han, c) }); chinese != (language == phrase.Chinese) {
		t.Errorf("%s: the answer mixes languages: %s", where, r.body)
	}
}

func TestMailsAreInTheLanguageThatTheyWereAskedForIn(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	for _, language := range []phrase.Language{phrase.Chinese, phrase.English} {
		p := l.newcomer()
		q := question{method: "PUT", path: "/api/email", header: with(asJSON.header(), "Accept-Language", language.Tag())}
		q.body = asJSON.body([]pair{sound(asJSON, "email", p.Email), sound(asJSON, "type", "activation")})
		if r := l.ask(q); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if m := l.Mails(p.Email, 1)[0]; m.Subject != phrase.MailActivationSubject.In(language) || !strings.Contains(m.Text, p.UserName) {
			t.Errorf("asked for in %s came %q: %s", language.Tag(), m.Subject, m.Text)
		}
	}
}
