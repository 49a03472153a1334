package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// elementClient is a client of 元素计划后端, written with document 000 alone: it knows no path, no field,
// no status and no text but those that the document shows. As all that is said of authentication there is
// that one logs in and out, it keeps cookies as a browser does.
type elementClient struct {
	t    testing.TB
	base string
	http http.Client
	jar  *browserJar
}

// browserJar keeps cookies, and drops those that were not to be kept when the browser is closed.
type browserJar struct {
	*cookiejar.Jar
	passing map[string]bool // by name
}

func newBrowserJar() *browserJar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it never is
	}
	return &browserJar{jar, map[string]bool{}}
}

// SetCookies implements [http.CookieJar].
func (j *browserJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		j.passing[c.Name] = c.MaxAge == 0 && c.Expires.IsZero()
	}
	j.Jar.SetCookies(u, cookies)
}

// close closes the browser.
func (j *browserJar) close(at *url.URL) {
	for name, passing := range j.passing {
		if passing {
			j.Jar.SetCookies(at, []*http.Cookie{{Name: name, Path: "/", MaxAge: -1}})
		}
	}
}

// closeBrowser goes on as after the browser was closed and opened again.
func (c *elementClient) closeBrowser() {
	at, err := url.Parse(c.base)
	if err != nil {
		c.t.Fatal(err)
	}
	c.jar.close(at)
}

// elementAnswer is all that the document shows in an answer.
type elementAnswer struct {
	status  int
	Message string
	Code    int
	Errors  map[string][]struct{ Message, Code string }
	Data    struct {
		Username, Email, Career string
		BirthDate               string `json:"birth_date"`
	}
}

func (c *elementClient) send(method, path, contentType string, body io.Reader) (status int, answer []byte) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, answer
}

func (c *elementClient) read(status int, answer []byte) (a elementAnswer) {
	c.t.Helper()
	if err := json.Unmarshal(answer, &a); err != nil {
		c.t.Fatalf("read %q: %v", answer, err)
	}
	a.status = status
	return a
}

// get is GET, and post is POST with the fields of a form, given as names and values in turn.
func (c *elementClient) get(path string) elementAnswer {
	c.t.Helper()
	return c.read(c.send(http.MethodGet, path, "", nil))
}

func (c *elementClient) post(path string, fields ...string) elementAnswer {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		c.t.Fatal(err)
	}
	return c.read(c.send(http.MethodPost, path, form.FormDataContentType(), &body))
}

// login logs in as the document's page does.
func (c *elementClient) login(email, password, remember string) elementAnswer {
	c.t.Helper()
	return c.post("/user/login/", "email", email, "password", password, "remember", remember)
}

// upload uploads a file from a path of Windows, as the document's example has it.
func (c *elementClient) upload(path, content string) (status int) {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", path)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.WriteString(file, content); err != nil || form.Close() != nil {
		c.t.Fatal(err)
	}
	status, _ = c.send(http.MethodPost, "/user/upload_file/", form.FormDataContentType(), &body)
	return status
}

// demands compares an answer with what the document shows.
func (a elementAnswer) demands(t testing.TB, what string, status, code int, message string) {
	t.Helper()
	if a.status != status || a.Code != code || a.Message != message {
		t.Errorf("%s: answers %+v", what, a)
	}
}

func TestAClientWrittenWithDocument000AloneGoesThroughItsWholeLife(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	jar := newBrowserJar()
	c := &elementClient{t: t, base: l.URL, jar: jar, http: http.Client{Transport: l.http.Transport, Jar: jar}}
	const email, next = "erasor@example.com", "erasor.new@example.com"

	c.get("/user/captcha/?email="+email).demands(t, "have a code mailed", 200, 200, "邮箱验证码发送成功！")
	c.post("/user/register/", "username", "Erasor", "password", "12345", "email", email, "captcha", l.Code(email, "member")).
		demands(t, "register", 200, 0, "form is valid")
	c.login("nobody@example.com", "12345", "1").demands(t, "log in as nobody", 402, 402, "邮箱未注册")
	c.login(email, "54321", "1").demands(t, "log in with a wrong password", 401, 401, "密码错误")
	if a := c.login(email, "", "1"); a.status != 400 || a.Errors["password"][0].Message != "This field is required." {
		t.Errorf("log in without a password: %+v", a)
	}

	c.login(email, "12345", "1")
	c.closeBrowser() // and the login is remembered
	if a := c.get("/user/get_user_info/"); a.status != 200 || a.Data.Username != "Erasor" || a.Data.Email != email {
		t.Errorf("the profile is %+v", a)
	}
	c.post("/user/update_user_info/", "career", "动态内部网专员", "birth_date", "2024-11-24").
		demands(t, "fill in the profile", 200, 200, "用户信息更新成功")
	c.post("/user/update_user_info/", "username", "Erasor 2", "password", "123456", "email", next).
		demands(t, "change name, password and email", 200, 200, "用户信息更新成功")
	if d := c.get("/user/get_user_info/").Data; d.Username != "Erasor 2" || d.Email != next || d.Career != "动态内部网专员" || d.BirthDate != "2024-11-24" {
		t.Errorf("the profile is %+v", d)
	}

	for i := range 2 {
		content := fmt.Sprintf("backup %d %s", i, strings.Repeat("x", 100_000*i))
		if status := c.upload(`C:\Users\22446\Downloads\response.txt`, content); status != 200 {
			t.Errorf("an upload answers %d", status)
		}
		if status, got := c.send(http.MethodGet, "/user/download_file/", "", nil); status != 200 || string(got) != content {
			t.Errorf("the download answers %d and %d bytes", status, len(got))
		}
	}

	if status, got := c.send(http.MethodGet, "/user/logout/", "", nil); status != 200 || string(got) != "{}" {
		t.Errorf("the logout answers %d %s", status, got)
	}
	if a := c.get("/user/get_user_info/"); a.status != 401 {
		t.Errorf("after the logout the profile is answered %+v", a)
	}
	c.login(email, "12345", "0").demands(t, "log in with the old email", 402, 402, "邮箱未注册")
	c.login(next, "12345", "0").demands(t, "log in with the old password", 401, 401, "密码错误")
	c.login(next, "123456", "0")
	if a := c.get("/user/get_user_info/"); a.status != 200 {
		t.Errorf("logged in again, the profile is answered %+v", a)
	}
	c.closeBrowser() // and the login is not remembered
	if a := c.get("/user/get_user_info/"); a.status != 401 {
		t.Errorf("after the browser was closed the profile is answered %+v", a)
	}
}
