package main

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"caesar/internal/testbed"
)

// caller is somebody who is logged in at a server.
type caller struct {
	*testbed.Server
	t     *testing.T
	token string
}

// answered is what came back.
type answered struct {
	status     int
	retryAfter string
	body       string
}

// ask sends a request: method, path and, where there is one, a body that is a form.
func (c *caller) ask(request, form string) answered {
	c.t.Helper()
	return c.send(request, "application/x-www-form-urlencoded", strings.NewReader(form))
}

func (c *caller) send(request, contentType string, body io.Reader) answered {
	c.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.URL+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+c.token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatalf("%s: %v", request, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s: %v", request, err)
	}
	return answered{response.StatusCode, response.Header.Get("Retry-After"), string(text)}
}

// upload sends a file.
func (c *caller) upload(content string) answered {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "diary.txt")
	if err == nil {
		_, err = io.WriteString(file, content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send("POST /user/upload_file/", form.FormDataContentType(), &body)
}

// enter starts the real program and makes somebody who is logged in there.
func enter(t *testing.T, options ...testbed.Option) *caller {
	t.Helper()
	c := &caller{Server: testbed.Start(t, append(options, testbed.Args("--captcha", "off", "--main-kdf", "16MiB,2"))...), t: t}
	const email = "heron@example.org"
	c.done(c.ask("GET /user/captcha/?email="+email, ""))
	c.done(c.ask("POST /user/register/", "username=heron&password=reed-and-water&email="+email+"&captcha="+c.Code(email, "member")))
	login := c.done(c.ask("POST /api/login", "user_name=heron&password=reed-and-water&captcha=&captcha_id="))
	found := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(login.body)
	if found == nil {
		t.Fatalf("no token in %s", login.body)
	}
	c.token = found[1]
	c.done(c.ask("PUT /api/auth/main_password", "main_password=seven-grey-herons"))
	return c
}

func (c *caller) done(a answered) answered {
	c.t.Helper()
	if a.status != http.StatusOK {
		c.t.Fatalf("%d %s", a.status, a.body)
	}
	return a
}

// away checks that an answer asks to come again, and says nothing of the inside.
func (c *caller) away(request string, a answered) {
	c.t.Helper()
	if a.status != http.StatusServiceUnavailable || a.retryAfter == "" || a.retryAfter == "0" || strings.Contains(a.body, "127.0.0.1") {
		c.t.Errorf("%s: %d, Retry-After %q: %s", request, a.status, a.retryAfter, a.body)
	}
}

// again waits until a request is answered as it should be.
func (c *caller) again(request string) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a := c.ask(request, "")
		if a.status == http.StatusOK {
			return
		}
		if a.status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			c.t.Fatalf("%s: %d %s", request, a.status, a.body)
		}
	}
}

// everything is a request for each operation that needs the database, that would be answered with it.
var everything = map[string]string{
	"POST /api/register":              "user_name=wren&real_name=Wren&email=wren@example.org&phone=555-0100&password=lantern-quay&re_password=lantern-quay&main_password=seven-grey-herons&captcha=&captcha_id=",
	"PUT /api/email":                  "email=heron@example.org&type=password",
	"POST /api/activation":            "email=heron@example.org&code=123456",
	"POST /api/password":              "email=heron@example.org&code=123456&password=lantern-quay&re_password=lantern-quay",
	"POST /api/login":                 "user_name=heron&password=reed-and-water&captcha=&captcha_id=",
	"GET /api/auth/me":                "",
	"PUT /api/auth/me":                "real_name=Heron&email=heron@example.org&phone=555-0100",
	"DELETE /api/auth/me":             "password=reed-and-water",
	"DELETE /api/auth/logout":         "",
	"PUT /api/auth/password":          "old_password=reed-and-water&password=lantern-quay&re_password=lantern-quay",
	"PUT /api/auth/main_password":     "old_main_password=seven-grey-herons&main_password=eight-grey-herons",
	"DELETE /api/auth/session":        "",
	"GET /api/auth/sessions":          "",
	"DELETE /api/auth/sessions":       "",
	"DELETE /api/auth/sessions/1":     "",
	"POST /api/auth/account":          "main_password=seven-grey-herons&name=a&email=b&password=c&platform=d&url=e",
	"GET /api/auth/account?page=1":    "",
	"POST /api/auth/account/1":        "main_password=seven-grey-herons",
	"PUT /api/auth/account/1":         "main_password=seven-grey-herons&name=a&email=b&password=c",
	"DELETE /api/auth/account/1":      "main_password=seven-grey-herons",
	"GET /api/auth/account/1/log":     "",
	"GET /api/auth/log":               "",
	"POST /user/register/":            "username=wren&password=lantern-quay&email=wren@example.org&captcha=1234",
	"GET /user/captcha/?email=a@b.cd": "",
	"POST /user/login/":               "email=heron@example.org&password=reed-and-water&remember=0",
	"GET /user/logout/":               "",
	"GET /user/get_user_info/":        "",
	"POST /user/update_user_info/":    "career=bird",
	"GET /user/download_file/":        "",
	"GET /user/files/":                "",
	"GET /user/files/1/":              "",
	"DELETE /user/files/1/":           "",
	"GET /readyz":                     "",
}

func TestWhileTheDatabaseIsAwayAllThatNeedsItIs503AndThenItGoesOn(t *testing.T) {
	t.Parallel()
	database := testbed.StartPostgres(t)
	c := enter(t, testbed.Env("CAESAR_DATABASE", database.URL()))
	c.done(c.upload("dear diary"))
	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	for request, form := range everything {
		a := c.ask(request, form)
		if request == "GET /readyz" {
			a.retryAfter = "1" // those who ask it do not go by this
		}
		c.away(request, a)
	}
	c.away("upload", c.upload("dear diary, again"))
	for _, request := range []string{"GET /healthz", "GET /docs", "GET /api/captcha"} {
		c.done(c.ask(request, ""))
	}
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	c.again("GET /api/auth/me")
	c.done(c.ask("GET /readyz", ""))
	if got := c.done(c.ask("GET /user/download_file/", "")); got.body != "dear diary" {
		t.Errorf("of the file came %q", got.body)
	}
}

func TestWhileTheStoreOfBackupsIsAwayTheVaultGoesOn(t *testing.T) {
	t.Parallel()
	store := testbed.StartS3(t)
	c := enter(t, testbed.Env("CAESAR_BLOBS", store.URL()))
	c.done(c.upload("dear diary"))
	if err := store.Stop(); err != nil {
		t.Fatal(err)
	}
	c.away("upload", c.upload("dear diary, again"))
	c.away("download", c.ask("GET /user/download_file/", ""))
	for _, request := range []string{"GET /readyz", "GET /api/auth/me", "GET /user/files/"} {
		c.done(c.ask(request, ""))
	}
	c.done(c.ask("POST /api/auth/account", everything["POST /api/auth/account"]))
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	c.again("GET /user/download_file/")
	c.done(c.upload("dear diary, again"))
	if got := c.done(c.ask("GET /user/download_file/", "")); got.body != "dear diary, again" {
		t.Errorf("of the file came %q", got.body)
	}
}
