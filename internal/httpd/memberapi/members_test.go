package memberapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"caesar/internal/httpd"
	"caesar/internal/user"
)

func TestRegisteringTellsWhatIsWrongAsTheDocumentDoes(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Taken")
	list := func(items ...string) string {
		text := ""
		for i := 0; i < len(items); i += 2 {
			text += `<li>` + items[i] + `<ul class=\"errorlist\"><li>` + items[i+1] + `</li></ul></li>`
		}
		return `{"message":"form is invalid: <ul class=\"errorlist\">` + text + `</ul>"}`
	}
	// The example of the document, to the character.
	s.is(s.call("POST", "/user/register/", url.Values{"username": {"free"}, "password": {"12345"}, "email": {"not an email"}, "captcha": {"1234"}}), 400,
		`{"message":"form is invalid: <ul class=\"errorlist\"><li>email<ul class=\"errorlist\"><li>请传入一个正确的邮箱！</li></ul></li><li>captcha<ul class=\"errorlist\"><li>验证码和邮箱不匹配！</li></ul></li></ul>"}`)
	const required = "This field is required."
	all := list("username", required, "password", required, "email", required, "captcha", required)
	s.is(s.call("POST", "/user/register/", nil), 400, all)
	s.is(s.call("POST", "/user/register/", struct{}{}), 400, all)
	s.is(s.call("POST", "/user/register/", map[string]any{"username": nil, "password": "", "email": " ", "captcha": nil, "other": 1}), 400, all)
	s.is(s.call("POST", "/user/register", url.Values{"username": {"taken"}, "password": {"1234"}, "email": {"taken@example.org"}}), 400,
		list("username", "用户名已被注册！", "password", "太短了，请至少传入 5 个字符！", "email", "邮箱已被注册！", "captcha", required))
	s.is(s.call("POST", "/user/register/", map[string]any{"username": []int{1}, "password": 12345, "email": "a@example.org", "captcha": true}), 400,
		list("username", "请传入文本！", "password", "请传入文本！", "captcha", "请传入文本！"))
	s.is(s.call("POST", "/user/register/", url.Values{"username": {"a", "b"}, "password": {"12345\x00"}, "email": {"<b>@example.org"}, "captcha": {"<script>"}}, "Accept-Language", "en"), 400,
		list("username", "Send it once only.", "password", "Use no control characters.", "email", "请传入一个正确的邮箱！", "captcha", "验证码和邮箱不匹配！"))
	s.is(s.call("POST", "/user/register/", url.Values{"username": {strings.Repeat("x", 65)}, "password": {strings.Repeat("x", 1025)}, "email": {"a@example.org"}, "captcha": {"1"}}), 400,
		list("username", "太长了，请不要超过 64 个字符！", "password", "太长了，请不要超过 1024 字节！", "captcha", "验证码和邮箱不匹配！"))
}

func TestABodyThatCannotBeReadIsSaidSo(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	for _, path := range []string{"/user/register/", "/user/login/"} {
		s.is(s.call("POST", path, "{", "Content-Type", "application/json"), 400, `{"message":"form is invalid"}`)
		s.is(s.call("POST", path, "a=%zz", "Content-Type", "application/x-www-form-urlencoded"), 400, `{"message":"form is invalid"}`)
		s.is(s.call("POST", path, "--x\r\n", "Content-Type", "multipart/form-data; boundary=x"), 400, `{"message":"form is invalid"}`)
		if r := s.call("POST", path, "x", "Content-Type", "text/plain"); r.status != 415 || !strings.HasPrefix(r.body, `{"code":415,"message":"`) {
			t.Errorf("got %d %s", r.status, r.body)
		}
		if r := s.call("POST", path, strings.Repeat("x", 300<<10), "Content-Type", "application/json"); r.status != 413 || !strings.HasPrefix(r.body, `{"code":413,"message":"`) {
			t.Errorf("got %d %s", r.status, r.body)
		}
	}
	if r := s.call("POST", "/user/login/", "email=%ff&password=x", "Content-Type", "application/x-www-form-urlencoded"); r.status != 400 || !strings.Contains(r.body, `"email":[{"message":"请传入有效的 UTF-8 文本！","code":"invalid"}]`) {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestAMemberRegistersLogsInAndOutInEveryTypeOfBodyAndWithoutTheSlash(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	multipart := func(fields ...string) string {
		var b strings.Builder
		for i := 0; i < len(fields); i += 2 {
			b.WriteString("--xx\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"\r\n\r\n" + fields[i+1] + "\r\n")
		}
		return b.String() + "--xx--\r\n"
	}
	const multipartType = "multipart/form-data; boundary=xx"
	s.is(s.call("POST", "/user/register", multipart("username", "李 雷", "password", "12345", "email", "a@example.org", "captcha", s.code("a@example.org")), "Content-Type", multipartType),
		200, `{"message":"form is valid"}`)
	s.is(s.call("POST", "/user/register/", map[string]any{"username": "b", "password": "12345", "email": "b@example.org", "captcha": s.code("b@example.org")}),
		200, `{"message":"form is valid"}`)
	var header []string
	for _, path := range []string{"/user/login", "/user/login/"} {
		for _, r := range []reply{
			s.call("POST", path, multipart("email", "a@example.org", "password", "12345", "remember", "1"), "Content-Type", multipartType),
			s.call("POST", path, map[string]any{"email": "a@example.org", "password": "12345", "remember": true}),
			s.call("POST", path, url.Values{"email": {"A@example.org"}, "password": {"12345"}, "remember": {"0"}}),
		} {
			s.is(r, 200, `{"code":200,"message":"登录成功"}`)
			header = []string{"Cookie", "sessionid=" + s.cookie(r).Value}
		}
	}
	const profile = `{"code":200,"message":"用户信息获取成功","data":{"username":"李 雷","email":"a@example.org","career":"","birth_date":""}}`
	s.is(s.call("GET", "/user/get_user_info", nil, header...), 200, profile)
	s.is(s.call("GET", "/user/get_user_info/", nil, header...), 200, profile)
	s.is(s.call("POST", "/user/update_user_info", multipart("career", "动态内部网专员", "birth_date", "2024-01-01"), append(header, "Content-Type", multipartType)...), 200, `{"code":200,"message":"用户信息更新成功"}`)
	r := s.call("GET", "/user/logout", nil, header...)
	s.is(r, 200, `{}`)
	if c := s.cookie(r); c.Value != "" || c.MaxAge >= 0 || c.Path != "/" {
		t.Errorf("the cookie is not cleared: %v", c)
	}
	s.is(s.call("GET", "/user/get_user_info/", nil, header...), 401, `{"code":401,"message":"请先登录"}`)
	s.is(s.call("GET", "/user/logout/", nil, header...), 200, `{}`)
}

func TestALoginTellsWhatIsWrongAsTheDocumentDoes(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	login := func(body any, headers ...string) reply { return s.call("POST", "/user/login/", body, headers...) }
	s.is(login(url.Values{"email": {"2244602447@qq.com"}}), 400, `{"message":"form is invalid","errors":{"password":[{"message":"This field is required.","code":"required"}]},"code":400}`)
	s.is(login(nil, "Accept-Language", "zh"), 400, `{"message":"form is invalid","errors":{"email":[{"message":"This field is required.","code":"required"}],"password":[{"message":"This field is required.","code":"required"}]},"code":400}`)
	s.is(login(map[string]any{"email": "Ada", "password": 5, "remember": 2}, "Accept-Language", "en"), 400,
		`{"message":"form is invalid","errors":{"email":[{"message":"Enter a valid email address.","code":"invalid"}],"password":[{"message":"Enter a text.","code":"invalid"}],"remember":[{"message":"Enter 1 or 0.","code":"invalid"}]},"code":400}`)
	s.is(login(url.Values{"email": {"ada@example.org"}, "password": {"12345"}, "remember": {"on"}}), 400, `{"message":"form is invalid","errors":{"remember":[{"message":"请传入 1 或 0！","code":"invalid"}]},"code":400}`)
	s.is(login(url.Values{"email": {"ada@example.org"}, "password": {"wrong"}}), 401, `{"message":"密码错误","code":401}`)
	s.is(login(url.Values{"email": {"nobody@example.org"}, "password": {"12345"}}), 402, `{"message":"邮箱未注册","code":402}`)
	// Credentials are read from the body only.
	s.is(s.call("POST", "/user/login/?email=ada@example.org&password=12345", nil), 400, `{"message":"form is invalid","errors":{"email":[{"message":"This field is required.","code":"required"}],"password":[{"message":"This field is required.","code":"required"}]},"code":400}`)
	for range 20 {
		r := login(url.Values{"email": {"nobody@example.org"}, "password": {"12345"}})
		if r.status == 402 {
			continue
		}
		if r.status != 429 || r.header.Get("Retry-After") == "" || !strings.HasPrefix(r.body, `{"code":429,"message":"尝试过于频繁`) {
			t.Errorf("got %d %v %s", r.status, r.header, r.body)
		}
		return
	}
	t.Error("guessing goes on and on")
}

func TestHiddenMembersLookLikeWrongPasswords(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{}, func(c *user.Config) { c.HideMembers = true })
	s.is(s.call("POST", "/user/login/", url.Values{"email": {"nobody@example.org"}, "password": {"12345"}}), 401, `{"message":"密码错误","code":401}`)
}

func TestALoginIsRefusedUntilTheAccountIsActive(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	r := s.call("POST", "/api/register", map[string]any{
		"user_name": "vera", "real_name": "Vera", "email": "vera@example.org", "phone": "1", "password": "123456", "re_password": "123456",
		"main_password": "main password", "captcha_id": "x", "captcha": "x",
	})
	if r.status != 200 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	s.is(s.call("POST", "/user/login/", url.Values{"email": {"vera@example.org"}, "password": {"123456"}}), 400,
		`{"message":"form is invalid","errors":{"email":[{"message":"账号尚未激活，请先激活！","code":"inactive"}]},"code":400}`)
	s.is(s.call("POST", "/user/login/", url.Values{"email": {"vera@example.org"}, "password": {"wrong!"}}), 401, `{"message":"密码错误","code":401}`)
}

func TestTheCookieIsRememberedOrNotAndGoesByTLSOnlyWhereItCameSo(t *testing.T) {
	t.Parallel()
	s := newSite(t, proxied)
	s.join("Ada")
	form := func(remember string) url.Values {
		return url.Values{"email": {"ada@example.org"}, "password": {"12345"}, "remember": {remember}}
	}
	short := s.cookie(s.call("POST", "/user/login/", form("0")))
	long := s.cookie(s.call("POST", "/user/login/", form("1"), "X-Forwarded-Proto", "https"))
	for _, c := range []*http.Cookie{short, long} {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("got %v", c)
		}
	}
	if short.MaxAge != 0 || !short.Expires.IsZero() || short.Secure || long.MaxAge != 30*24*3600 || !long.Secure {
		t.Errorf("got %v and %v", short, long)
	}
	if c := s.cookie(s.call("GET", "/user/logout/", nil, "X-Forwarded-Proto", "https")); !c.Secure {
		t.Errorf("got %v", c)
	}
	live := func(c *http.Cookie) int {
		return s.call("GET", "/user/get_user_info/", nil, "Cookie", "sessionid="+c.Value).status
	}
	s.advance(12*time.Hour - time.Minute)
	if live(short) != 200 || live(long) != 200 {
		t.Error("a session ended early")
	}
	s.advance(2 * time.Minute)
	if live(short) != 401 || live(long) != 200 {
		t.Error("a session ended early or late")
	}
}

func TestEveryLoginOpensASessionOfItsOwnAndEndsTheOneThatCameAlong(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	_, first := s.enter("Ada")
	form := url.Values{"email": {"ada@example.org"}, "password": {"12345"}}
	s.is(s.call("POST", "/user/login/", url.Values{"email": {"ada@example.org"}, "password": {"wrong"}}, "Cookie", first), 401, `{"message":"密码错误","code":401}`)
	if got := s.call("GET", "/user/get_user_info/", nil, "Cookie", first).status; got != 200 {
		t.Errorf("a login that failed ended the session: %d", got)
	}
	second := "sessionid=" + s.cookie(s.call("POST", "/user/login/", form, "Cookie", first)).Value
	if second == first {
		t.Error("the session is the same")
	}
	if got := s.call("GET", "/user/get_user_info/", nil, "Cookie", first).status; got != 401 {
		t.Errorf("the session that came along lives on: %d", got)
	}
	if got := s.call("GET", "/user/get_user_info/", nil, "Cookie", second).status; got != 200 {
		t.Errorf("got %d", got)
	}
	// Made up or of another site, it is as good as none.
	s.cookie(s.call("POST", "/user/login/", form, "Cookie", "sessionid=chosen-by-somebody-else"))
}

func TestALinkElsewhereLogsNobodyInOrOut(t *testing.T) {
	t.Parallel()
	const friend = "https://friend.example"
	s := newSite(t, httpd.Options{Origins: []string{friend}})
	s.join("Ada")
	_, cookie := s.enter("Ada")
	form := url.Values{"email": {"ada@example.org"}, "password": {"12345"}}
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Referer", "https://evil.example/"},
	} {
		for _, r := range []reply{
			s.call("GET", "/user/logout/", nil, append(headers, "Cookie", cookie)...),
			s.call("POST", "/user/login/", form, headers...),
		} {
			s.is(r, 403, `{"code":403,"message":"已拒绝跨站请求"}`)
			if r.header.Get("Set-Cookie") != "" {
				t.Errorf("%v: a cookie is set", headers)
			}
		}
	}
	s.is(s.call("POST", "/user/update_user_info/", url.Values{"career": {"x"}}, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), 403, `{"code":403,"message":"已拒绝跨站请求"}`)
	if got := s.call("GET", "/user/get_user_info/", nil, "Cookie", cookie).status; got != 200 {
		t.Errorf("the session ended: %d", got)
	}
	r := s.call("GET", "/user/logout/", nil, "Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", friend)
	s.is(r, 200, `{}`)
	if r.header.Get("Access-Control-Allow-Credentials") != "true" || r.header.Get("Access-Control-Allow-Origin") != friend {
		t.Errorf("got %v", r.header)
	}
}

func TestOneSessionServesBothSurfacesByHeaderAndByCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	_, cookie := s.enter("Ada")
	if r := s.call("GET", "/api/auth/me", nil, "Cookie", cookie); r.status != 200 || !strings.Contains(r.body, `"main_password_set":false`) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	token := strings.TrimPrefix(cookie, "sessionid=")
	if r := s.call("GET", "/user/get_user_info/", nil, "Authorization", "Bearer "+token); r.status != 200 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	s.is(s.call("GET", "/user/logout/", nil, "Authorization", "Bearer "+token), 200, `{}`)
	if r := s.call("GET", "/api/auth/me", nil, "Cookie", cookie); r.status != 401 {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestAProfileIsUpdatedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Taken")
	s.join("Ada")
	_, cookie := s.enter("Ada")
	_, other := s.enter("Ada")
	update := func(body any, headers ...string) reply {
		return s.call("POST", "/user/update_user_info/", body, append(headers, "Cookie", cookie)...)
	}
	s.is(s.call("POST", "/user/update_user_info/", url.Values{"career": {"x"}}), 401, `{"code":401,"message":"请先登录"}`)
	s.is(update(nil), 200, `{"code":200,"message":"用户信息更新成功"}`)
	s.is(update(map[string]any{"username": "Taken", "email": "taken@example.org", "career": "动态内部网专员"}), 400,
		`{"code":400,"message":"请求内容有误，请检查标出的字段","errors":{"email":[{"message":"邮箱已被注册！","code":"unique"}],"username":[{"message":"用户名已被注册！","code":"unique"}]}}`)
	s.is(update(map[string]any{"birth_date": "2024-02-30", "career": 7, "email": "x", "password": "1"}, "Accept-Language", "en"), 400,
		`{"code":400,"message":"Some of what was sent is not right; see the fields named","errors":{"birth_date":[{"message":"Enter a valid date (YYYY-MM-DD).","code":"invalid"}],"career":[{"message":"Enter a text.","code":"invalid"}],"email":[{"message":"请传入一个正确的邮箱！","code":"invalid"}],"password":[{"message":"Use at least 5 characters.","code":"min_length"}]}}`)
	s.is(update(url.Values{"password": {"54321"}, "old_password": {"wrong"}, "old_email": {"x@y.z"}}), 400,
		`{"code":400,"message":"请求内容有误，请检查标出的字段","errors":{"old_email":[{"message":"原邮箱错误！","code":"invalid"}],"old_password":[{"message":"原密码错误！","code":"password_incorrect"}]}}`)
	s.is(s.call("GET", "/user/get_user_info/", nil, "Cookie", other), 200,
		`{"code":200,"message":"用户信息获取成功","data":{"username":"Ada","email":"ada@example.org","career":"","birth_date":""}}`)

	s.is(update(url.Values{"username": {"Erasor"}, "password": {"54321"}, "email": {"erasor@example.org"}, "career": {"<b>动态内部网专员</b>"}, "birth_date": {"2024-11-24"}, "old_password": {"12345"}}), 200,
		`{"code":200,"message":"用户信息更新成功"}`)
	s.is(s.call("GET", "/user/get_user_info/", nil, "Cookie", cookie), 200,
		`{"code":200,"message":"用户信息获取成功","data":{"username":"Erasor","email":"erasor@example.org","career":"<b>动态内部网专员</b>","birth_date":"2024-11-24"}}`)
	if got := s.call("GET", "/user/get_user_info/", nil, "Cookie", other).status; got != 401 {
		t.Errorf("the other session lives on: %d", got)
	}
	if letters := s.letters(); len(letters) != 2 {
		t.Errorf("the letters are %+v", letters)
	}
}

func TestABrowserIsLedToThePageAndOthersAreTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	for _, path := range []string{"/user/login/", "/user/login", "/user/register/", "/user/register"} {
		for _, accept := range []string{"", "*/*", "application/json", "text/html;q=0", "text/plain, */*;q=0.8"} {
			r := s.call("GET", path, nil, "Accept", accept)
			s.is(r, 200, `{"message":"GET register.html"}`)
			if r.header.Get("Vary") != "Accept" {
				t.Errorf("%s: got %v", path, r.header)
			}
		}
		for _, accept := range []string{"text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json, Text/HTML;q=0.5"} {
			if r := s.call("GET", path, nil, "Accept", accept); r.status != 303 || r.header.Get("Location") != "/" || r.header.Get("Vary") != "Accept" {
				t.Errorf("%s, %s: got %d %v", path, accept, r.status, r.header)
			}
		}
	}
}

func TestACodeIsMailedOnceAMinuteToAnyGoodAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	for _, query := range []string{"", "?email=", "?email=x", "?email=a@b.c%0d%0aBcc:d@e.f", "?email=%ff@b.c", "?email=a@b.c&email=d@e.f", "?mail=a@b.c"} {
		s.is(s.call("GET", "/user/captcha/"+query, nil), 400, `{"code":400,"message":"请传入一个正确的邮箱！"}`)
	}
	s.advance(time.Minute)
	for _, email := range []string{"new@example.org", "ada@example.org"} { // known or not
		s.is(s.call("GET", "/user/captcha?email="+email, nil), 200, `{"code":200,"message":"邮箱验证码发送成功！"}`)
		r := s.call("GET", "/user/captcha/?email="+strings.ToUpper(email), nil)
		if r.status != 429 || r.header.Get("Retry-After") == "" || !strings.HasPrefix(r.body, `{"code":429,"message":"邮件发送过于频繁`) {
			t.Errorf("got %d %v %s", r.status, r.header, r.body)
		}
	}
	for _, path := range []string{"/user/captcha/", "/user/captcha"} { // the head of an answer is no reason to write
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, s.url+path+"?email=head@example.org", nil)
		s.must(err)
		if r := s.send(s.plain, req); r.status != 405 || r.header.Get("Allow") != "GET" {
			t.Errorf("HEAD %s: got %d %v", path, r.status, r.header)
		}
	}
	var to []string
	for _, l := range s.letters() {
		to = append(to, l.To.String())
	}
	if len(to) != 2 || strings.Join(to, "") != "new@example.org" {
		t.Errorf("letters went to %q", to)
	}
}

func TestWhatIsNotThereIsToldInTheShapeOfTheSurface(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.is(s.call("GET", "/user/nothing/", nil), 404, `{"code":404,"message":"没有这个接口地址"}`)
	s.is(s.call("GET", "/user/login//", nil), 404, `{"code":404,"message":"没有这个接口地址"}`)
	r := s.call("DELETE", "/user/login/", nil)
	s.is(r, 405, `{"code":405,"message":"该地址不支持此请求方法"}`)
	if r.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("got Allow %q", r.header.Get("Allow"))
	}
	s.must(s.closeStore())
	r = s.call("POST", "/user/login/", url.Values{"email": {"a@b.c"}, "password": {"x"}})
	if r.status < 500 || !strings.Contains(r.body, `"request_id":"`) || strings.Contains(r.body, "sql") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}
