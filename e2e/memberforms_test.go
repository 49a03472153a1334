package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listed is the message of a registration that failed, with what is wrong given as fields and texts in turn.
func listed(wrongs ...string) string {
	var b strings.Builder
	for i := 0; i < len(wrongs); i += 2 {
		b.WriteString(`<li>` + wrongs[i] + `<ul class=\"errorlist\"><li>` + wrongs[i+1] + `</li></ul></li>`)
	}
	return `{"message":"form is invalid: <ul class=\"errorlist\">` + b.String() + `</ul>"}`
}

// The texts of a registration that failed.
const (
	required   = "This field is required."
	badEmail   = "请传入一个正确的邮箱！"
	badCode    = "验证码和邮箱不匹配！"
	takenName  = "用户名已被注册！"
	takenEmail = "邮箱已被注册！"
)

// registration is a form that is wrong: the fields that are not as they should be, and what is said.
type registration struct {
	name   string
	change values
	wrongs []string
}

func wrongRegistrations(taken *member) []registration {
	return []registration{
		{"nothing at all", values{"username": "", "password": "", "email": "", "captcha": ""}, []string{
			"username", required, "password", required, "email", required, "captcha", required,
		}},
		{"blanks", values{"username": "  ", "email": " ", "captcha": "\t"}, []string{"username", required, "email", required, "captcha", required}},
		{"no name", values{"username": ""}, []string{"username", required}},
		{"a name that is taken", values{"username": taken.name}, []string{"username", takenName}},
		{"a name that is taken, in capitals", values{"username": strings.ToUpper(taken.name)}, []string{"username", takenName}},
		{"a name of 65 characters", values{"username": strings.Repeat("马", 65)}, []string{"username", "太长了，请不要超过 64 个字符！"}},
		{"a name with an @", values{"username": "a@b"}, []string{"username", "请不要在用户名中使用 @！"}},
		{"a name with a line break", values{"username": "a\nb"}, []string{"username", "请不要传入控制字符！"}},
		{"a name with NUL", values{"username": "a\x00b"}, []string{"username", "请不要传入控制字符！"}},
		{"a password of 4 characters", values{"password": "1234"}, []string{"password", "太短了，请至少传入 5 个字符！"}},
		{"a password of 1,025 bytes", values{"password": strings.Repeat("x", 1025)}, []string{"password", "太长了，请不要超过 1024 字节！"}},
		{"an email that is none", values{"email": "not an email"}, []string{"email", badEmail, "captcha", badCode}},
		{"an email with a name", values{"email": "A <a@example.com>"}, []string{"email", badEmail, "captcha", badCode}},
		{"an email with a header", values{"email": "a@example.com\r\nBcc: b@example.com"}, []string{"email", badEmail, "captcha", badCode}},
		{"an email of 300 characters", values{"email": strings.Repeat("a", 300) + "@example.com"}, []string{"email", badEmail, "captcha", badCode}},
		{"an email without a code", values{"email": "another@example.com"}, []string{"captcha", badCode}},
		{"an email that is taken", values{"email": taken.email}, []string{"email", takenEmail, "captcha", badCode}},
		{"an email that is taken, in capitals", values{"email": strings.ToUpper(taken.email)}, []string{"email", takenEmail, "captcha", badCode}},
		{"no code", values{"captcha": ""}, []string{"captcha", required}},
		{"a code of 40 characters", values{"captcha": strings.Repeat("1", 40)}, []string{"captcha", badCode}},
		{"all of it", values{"username": "a@b", "password": "1", "email": "<script>", "captcha": "<b>"}, []string{
			"username", "请不要在用户名中使用 @！", "password", "太短了，请至少传入 5 个字符！", "email", badEmail, "captcha", badCode,
		}},
	}
}

func TestARegistrationThatFailsNamesAllThatIsWrongAndUsesUpNoCode(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	taken, m := l.member(), l.newMember()
	code := l.memberCode(m)
	w := watch(l)
	w.settle()
	for i, r := range wrongRegistrations(taken) {
		fields := values{"username": m.name, "password": m.password, "email": m.email, "captcha": code}
		maps.Copy(fields, r.change)
		for j, e := range memberEncodings {
			l := l.behind(fmt.Sprintf("192.0.2.%d", 1+3*i+j)) // so that nobody guesses too often
			q := e.form("/user/register/", "", "username", fields["username"], "password", fields["password"], "email", fields["email"], "captcha", fields["captcha"])
			l.ask(q).says(t, r.name+" as "+e.String(), 400, listed(r.wrongs...))
			if r.name == "nothing at all" { // what is left out is missing too
				l.ask(e.form("/user/register/", "")).says(t, "left out as "+e.String(), 400, listed(r.wrongs...))
			}
		}
	}
	if w.changed() {
		t.Error("something was changed")
	}
	english := l.ask(asForm.form("/user/register/", "", "username", "a@b", "password", "1", "email", "x", "captcha", "").with("Accept-Language", "en"))
	english.says(t, "in English", 400, listed("username", "Use no @ in a user name.", "password", "Use at least 5 characters.", "email", badEmail, "captcha", required))
	sound := asForm.form("/user/register/", "", "username", m.name, "password", m.password, "email", " "+strings.ToUpper(m.email)+" ", "captcha", " "+code+" ")
	l.ask(sound).says(t, "all is right", 200, `{"message":"form is valid"}`)
	l.ask(sound).says(t, "once more", 400, listed("username", takenName, "email", takenEmail, "captcha", badCode))
}

func TestFiveWrongTriesEndTheCodeOfARegistration(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	for tries := 4; tries <= 5; tries++ {
		m := l.newMember()
		code := l.memberCode(m)
		register := func(code string) reply {
			return l.ask(asForm.form("/user/register/", "", "username", m.name, "password", m.password, "email", m.email, "captcha", code))
		}
		wrong := "0000"
		if code == wrong {
			wrong = "0001"
		}
		for range tries {
			register(wrong).says(t, "a wrong code", 400, listed("captcha", badCode))
		}
		if tries == 4 {
			register(code).says(t, "the code after four tries", 200, `{"message":"form is valid"}`)
		} else {
			register(code).says(t, "the code after five tries", 400, listed("captcha", badCode))
		}
	}
}

func TestOfFiftyWhoRegisterWithTheSameCodeOneDoes(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	m := l.newMember()
	code := l.memberCode(m)
	came := make(chan reply, crowdSize)
	l.race(crowdSize, func(i int) error {
		came <- l.behind(fmt.Sprintf("192.0.2.%d", 1+i)).ask(asForm.form("/user/register/", "",
			"username", fmt.Sprintf("%s.%d", m.name, i), "password", m.password, "email", m.email, "captcha", code))
		return nil
	})
	close(came)
	registered := 0
	for r := range came {
		switch r.status {
		case 200:
			registered++
		case 400, 429:
		default:
			t.Errorf("answers %d %s", r.status, r.body)
		}
	}
	if n := l.counted("users"); registered != 1 || n != 1 {
		t.Errorf("%d registered, and %d users are there", registered, n)
	}
}

func TestACodeIsMailedToAnyAddressOnceAMinuteAndToNoneThatIsTaken(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	taken := l.member()
	ask := func(query string) reply {
		return l.ask(question{method: http.MethodGet, path: "/user/captcha/" + query})
	}
	for name, query := range map[string]string{
		"no query": "", "no email": "?email=", "another name": "?mail=a@example.com", "no address": "?email=x", "a blank": "?email=%20",
		"a name before it": "?email=A%20%3Ca@example.com%3E", "two": "?email=a@example.com,b@example.com", "sent twice": "?email=a@example.com&email=b@example.com",
		"a line break": "?email=a@example.com%0d%0aBcc:%20b@example.com", "NUL": "?email=a%00@example.com", "no UTF-8": "?email=%ff@example.com",
		"a broken escape": "?email=%zz@example.com", "300 characters": "?email=" + strings.Repeat("a", 300) + "@example.com",
	} {
		ask(query).says(t, name, 400, `{"code":400,"message":"请传入一个正确的邮箱！"}`)
	}
	const sent = `{"code":200,"message":"邮箱验证码发送成功！"}`
	l.aDayPasses() // since the address that is taken was mailed its own code
	ask("?email=new@example.com").says(t, "a new address", 200, sent)
	ask("?email="+strings.ToUpper(taken.email)).says(t, "an address that is taken", 200, sent)
	for what, email := range map[string]string{"a new address": "NEW@example.com", "one that is taken": taken.email} {
		r := ask("?email=" + email)
		if r.status != 429 || r.header.Get("Retry-After") == "" || !strings.HasPrefix(string(r.body), `{"code":429,"message":"`) {
			t.Errorf("%s once more: %d %v %s", what, r.status, r.header, r.body)
		}
	}
	l.Code("new@example.com", "member")
	if mails := l.Mails(taken.email, 1); len(mails) != 1 {
		t.Errorf("%d mails came to an address that is taken", len(mails))
	}
}

func TestALoginThatFailsIsAnsweredAsAFormOfDjango(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	m := l.member()
	w := watch(l)
	w.settle()
	const (
		missing   = `[{"message":"This field is required.","code":"required"}]`
		malformed = `[{"message":"Enter a valid email address.","code":"invalid"}]`
	)
	wrong := func(errors string) string {
		return `{"message":"form is invalid","errors":{` + errors + `},"code":400}`
	}
	for i, c := range []struct {
		name   string
		fields []string
		status int
		body   string
	}{
		{"nothing", nil, 400, wrong(`"email":` + missing + `,"password":` + missing)},
		{"empty", []string{"email", "", "password", ""}, 400, wrong(`"email":` + missing + `,"password":` + missing)},
		{"no email", []string{"password", "x"}, 400, wrong(`"email":` + missing)},
		{"no password", []string{"email", m.email}, 400, wrong(`"password":` + missing)},
		{"an email that is none", []string{"email", "x", "password", "x"}, 400, wrong(`"email":` + malformed)},
		{"a name in its place", []string{"email", m.name, "password", m.password}, 400, wrong(`"email":` + malformed)},
		{"neither", []string{"email", "x", "remember", "2"}, 400, wrong(`"email":` + malformed + `,"password":` + missing + `,"remember":[{"message":"请传入 1 或 0！","code":"invalid"}]`)},
		{"a wrong password", []string{"email", m.email, "password", "x"}, 401, `{"message":"密码错误","code":401}`},
		{"blanks around the password", []string{"email", m.email, "password", " " + m.password}, 401, `{"message":"密码错误","code":401}`},
		{"an unknown email", []string{"email", "nobody@example.com", "password", m.password}, 402, `{"message":"邮箱未注册","code":402}`},
	} {
		for j, e := range memberEncodings {
			r := l.behind(fmt.Sprintf("192.0.2.%d", 1+3*i+j)).ask(e.form("/user/login/", "", c.fields...))
			r.says(t, c.name+" as "+e.String(), c.status, c.body)
			if r.sessionCookie(t) != nil {
				t.Errorf("%s: it sets a cookie", c.name)
			}
		}
	}
	if w.changed() {
		t.Error("something was changed")
	}
	if r := l.ask(asForm.form("/user/login/", "", "email", " "+strings.ToUpper(m.email), "password", m.password)); r.status != 200 {
		t.Errorf("the right password with the email in capitals: %d %s", r.status, r.body)
	}
}

func TestAChangeOfTheProfileThatIsWrongChangesNothing(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	other, m := l.member(), l.member()
	vault := l.person()
	if r := l.ask(asForm.form("/user/update_user_info/", m.token, "career", "before", "birth_date", "2000-02-29")); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w := watch(l)
	w.settle()
	tomorrow := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	type bad struct{ field, value, message, code string }
	all := []bad{
		{"username", other.name, takenName, "unique"},
		{"username", strings.ToUpper(vault.UserName), takenName, "unique"},
		{"username", "a@b", "请不要在用户名中使用 @！", "invalid"},
		{"username", strings.Repeat("x", 65), "太长了，请不要超过 64 个字符！", "max_length"},
		{"email", other.email, takenEmail, "unique"},
		{"email", strings.ToUpper(vault.Email), takenEmail, "unique"},
		{"email", "x", badEmail, "invalid"},
		{"password", "1234", "太短了，请至少传入 5 个字符！", "min_length"},
		{"password", strings.Repeat("x", 1025), "太长了，请不要超过 1024 字节！", "max_length"},
		{"career", strings.Repeat("职", 65), "太长了，请不要超过 64 个字符！", "max_length"},
		{"career", "a\nb", "请不要传入控制字符！", "invalid"},
		{"career", "a\u2028b", "请不要传入控制字符！", "invalid"},
		{"old_password", "wrong", "原密码错误！", "password_incorrect"},
		{"old_email", "x@example.com", "原邮箱错误！", "invalid"},
	}
	for _, date := range []string{
		"2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-32", "2024-1-1", "24-01-01", "20240101", "2024/01/01", "01-01-2024",
		"2024-01-01T00:00:00", "2024-01-01 ä", "1899-12-31", "1900-02-29", "0000-00-00", tomorrow, "9999-12-31", "昨天", "-", "２０２４-01-01", "1704067200",
	} {
		all = append(all, bad{"birth_date", date, "请传入一个正确的日期（YYYY-MM-DD）！", "invalid"})
	}
	for i, b := range all {
		for j, e := range memberEncodings {
			fields := []string{"career", "after", b.field, b.value}
			if b.field == "career" {
				fields = []string{"birth_date", "2001-01-01", b.field, b.value}
			}
			r := l.behind(fmt.Sprintf("198.51.100.%d", 1+3*i+j)).ask(e.form("/user/update_user_info/", m.token, fields...))
			r.says(t, fmt.Sprintf("%s %.40q as %s", b.field, b.value, e), 400,
				`{"code":400,"message":"请求内容有误，请检查标出的字段","errors":{"`+b.field+`":[{"message":"`+b.message+`","code":"`+b.code+`"}]}}`)
		}
	}
	if w.changed() {
		t.Error("something was changed")
	}
	profile := func() string {
		return string(l.ask(question{method: http.MethodGet, path: "/user/get_user_info/", token: m.token}).body)
	}
	was := `{"code":200,"message":"用户信息获取成功","data":{"username":"` + m.name + `","email":"` + m.email + `","career":"before","birth_date":"2000-02-29"}}`
	if got := profile(); got != was {
		t.Errorf("the profile is %s\nand was %s", got, was)
	}
	const done = `{"code":200,"message":"用户信息更新成功"}`
	for _, e := range memberEncodings { // what is left out or empty stays
		l.ask(e.form("/user/update_user_info/", m.token)).says(t, "nothing as "+e.String(), 200, done)
		l.ask(e.form("/user/update_user_info/", m.token, "username", "", "password", "", "email", "")).says(t, "empty as "+e.String(), 200, done)
	}
	if got := profile(); got != was {
		t.Errorf("the profile is %s\nand was %s", got, was)
	}
	l.ask(asJSON.form("/user/update_user_info/", m.token, "username", strings.ToUpper(m.name), "email", strings.ToUpper(m.email))).says(t, "one's own in capitals", 200, done)
	l.ask(asParts.form("/user/update_user_info/", m.token, "career", "", "birth_date", "")).says(t, "career and birth date cleared", 200, done)
	if got := profile(); got != `{"code":200,"message":"用户信息获取成功","data":{"username":"`+strings.ToUpper(m.name)+`","email":"`+strings.ToUpper(m.email)+`","career":"","birth_date":""}}` {
		t.Errorf("the profile is %s", got)
	}
}
