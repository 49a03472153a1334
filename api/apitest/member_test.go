package apitest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"caesar/api/apitest"
)

const (
	boundary = "multipart/form-data; boundary=b"
	login    = `{"email":"a@b","password":"x","remember":%s}`
	cookie   = "sessionid=1yqXVt2LRIpjiqd1jfL8AG6zJB4JJNsRelhMtTtGqpo; Path=/; HttpOnly; SameSite=Lax"
	uploaded = `{"code":200,"message":"文件上传成功","data":{"id":1,"name":"a","size":1,"sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","created_at":1}}`
)

// part writes a part of a multipart body.
func part(disposition, content string) string {
	return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n"
}

// refused is a problem in the shape of /user.
func refused(status int, header map[string]string) answer {
	return answer{status, header, fmt.Sprintf(`{"code":%d,"message":"不"}`, status)}
}

// download is an answer that holds a file, whose ETag is that of "test".
func download(status int, body string, header map[string]string) answer {
	all := map[string]string{
		"Content-Type": "application/octet-stream", "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff",
		"Content-Disposition": "attachment; filename*=UTF-8''%E5%A4%87%E4%BB%BD", "Accept-Ranges": "bytes",
		"ETag":          `"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`,
		"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Content-Length": fmt.Sprint(len(body)),
	}
	maps.Copy(all, header)
	return answer{status, all, body}
}

func with(header map[string]string, name, value string) map[string]string {
	header = maps.Clone(header)
	header[name] = value
	return header
}

func TestWhatTheDocumentAllowsOfMembersPasses(t *testing.T) {
	t.Parallel()
	loggedIn := answer{200, map[string]string{"Set-Cookie": cookie}, `{"code":200,"message":"登录成功"}`}
	asParts := map[string]string{"Content-Type": boundary}
	sent := with(token, "Content-Type", boundary)
	for name, c := range map[string]struct {
		answer       answer
		method, path string
		header       map[string]string
		body         string
	}{
		"remember as a number":     {loggedIn, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "1")},
		"remember as text":         {loggedIn, "POST", "/user/login/", asJSON, fmt.Sprintf(login, `"0"`)},
		"remember as a bool":       {loggedIn, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "true")},
		"remember as null":         {loggedIn, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "null")},
		"an update of nothing":     {answer{200, nil, `{"code":200,"message":"用户信息更新成功"}`}, "POST", "/user/update_user_info", with(token, "Content-Type", "application/json"), `{"username":null,"birth_date":""}`},
		"no slash":                 {loggedIn, "POST", "/user/login", asForm, "email=a%40b&password=x&remember=1"},
		"parts":                    {loggedIn, "POST", "/user/login/", asParts, part(`name="email"`, "a@b") + part(`name="password"`, "x") + "--b--"},
		"an unpaid bill":           {answer{402, nil, `{"message":"邮箱未注册","code":402}`}, "POST", "/user/login/", asJSON, "{}"},
		"the form's own refusal":   {answer{400, nil, `{"message":"form is invalid: <ul class=\"errorlist\"><li>email<ul class=\"errorlist\"><li>&lt;b&gt;</li></ul></li></ul>"}`}, "POST", "/user/register/", asJSON, "{}"},
		"an unknown path":          {refused(404, nil), "GET", "/user/nothing", nil, ""},
		"the prefix alone":         {refused(404, nil), "GET", "/user", nil, ""},
		"an unknown method":        {refused(405, map[string]string{"Allow": "GET, HEAD"}), "POST", "/user/logout", nil, ""},
		"a refused origin":         {refused(403, nil), "GET", "/user/logout/", nil, ""},
		"logout without a session": {answer{200, nil, `{}`}, "GET", "/user/logout/", nil, ""},
		"a preflight":              {answer{status: 204, header: map[string]string{"Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Credentials": "true", "Content-Type": ""}}, "OPTIONS", "/user/login/", map[string]string{"Access-Control-Request-Method": "POST"}, ""},

		"a file":                    {answer{200, nil, uploaded}, "POST", "/user/upload_file/", sent, part(`name="file"; filename="a"`, "\xff\x00") + "--b--\r\n"},
		"a file without a name":     {answer{200, nil, uploaded}, "POST", "/user/upload_file", sent, part(`name="file"; filename=""`, "") + "--b--\r\nepilogue"},
		"a file with an odd name":   {answer{200, nil, uploaded}, "POST", "/user/upload_file", sent, part("name=\"file\"; filename=\"a\xff", "") + "--b--"},
		"what nobody reads":         {answer{200, nil, uploaded}, "POST", "/user/upload_file", sent, part(`name="x"`, "\xff") + part(`name="x"`, "") + part(`name="file"; filename="a"`, "") + part(`name="y"; filename="y"`, "") + "--b--"},
		"a text beside its file":    {answer{200, nil, uploaded}, "POST", "/user/upload_file", sent, part(`name="file"`, "x") + part(`name="file"; filename="a"`, "") + "--b--"},
		"a download":                {download(200, "test", nil), "GET", "/user/download_file/", token, ""},
		"the head of a download":    {download(200, "", nil), "HEAD", "/user/download_file/", token, ""},
		"a part of a download":      {download(206, "es", map[string]string{"Content-Range": "bytes 1-2/4"}), "GET", "/user/files/7", with(token, "Range", "bytes=1-2"), ""},
		"parts of a download":       {download(206, "--x", map[string]string{"Content-Type": "multipart/byteranges; boundary=x"}), "GET", "/user/files/7/", with(token, "Range", "bytes=0-0,2-2"), ""},
		"a download that one has":   {answer{304, download(200, "", map[string]string{"Content-Length": "", "Content-Type": ""}).header, ""}, "GET", "/user/files/7/", token, ""},
		"a range that there is not": {refused(416, map[string]string{"Content-Range": "bytes */4"}), "GET", "/user/files/7/", token, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, body := range map[string]io.Reader{"again": strings.NewReader(c.body), "once": io.MultiReader(strings.NewReader(c.body))} {
				if reports := exchange(t, c.answer, c.method, c.path, c.header, body); len(reports) > 0 {
					t.Errorf("with a body to be had %s: reported %q", kind, reports)
				}
			}
		})
	}
}

func TestWhatTheDocumentDoesNotAllowOfMembersIsReported(t *testing.T) {
	t.Parallel()
	loggedIn := answer{200, map[string]string{"Set-Cookie": cookie}, `{"code":200,"message":"登录成功"}`}
	asParts := map[string]string{"Content-Type": boundary}
	sent := with(token, "Content-Type", boundary)
	ok := answer{200, nil, uploaded}
	for name, c := range map[string]struct {
		answer       answer
		method, path string
		header       map[string]string
		body         string
	}{
		"another text than the published":       {answer{200, map[string]string{"Set-Cookie": cookie}, `{"code":200,"message":"ok"}`}, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "1")},
		"a login without a cookie":              {answer{200, nil, `{"code":200,"message":"登录成功"}`}, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "1")},
		"a cookie that scripts can read":        {answer{200, map[string]string{"Set-Cookie": strings.Replace(cookie, "; HttpOnly", "", 1)}, `{"code":200,"message":"登录成功"}`}, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "1")},
		"a cookie that other sites can send":    {answer{200, map[string]string{"Set-Cookie": strings.Replace(cookie, "Lax", "None", 1)}, `{"code":200,"message":"登录成功"}`}, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "1")},
		"a status that is not the code":         {answer{404, nil, `{"code":400,"message":"不"}`}, "GET", "/user/download_file/", token, ""},
		"an error in the shape of /api":         {problem(404, "not_found", nil), "GET", "/user/nothing", nil, ""},
		"an error in the shape of /user":        {refused(404, nil), "GET", "/api/nothing", nil, ""},
		"fields that are not listed":            {answer{400, nil, `{"code":400,"message":"不","errors":{"email":"不"}}`}, "POST", "/user/update_user_info/", asJSON, "{}"},
		"a value that is not escaped":           {answer{400, nil, `{"message":"form is invalid: <ul class=\"errorlist\"><li>email<ul class=\"errorlist\"><li><b></li></ul></li></ul>"}`}, "POST", "/user/register/", asJSON, "{}"},
		"a preflight of just anyone":            {answer{status: 204, header: map[string]string{"Access-Control-Allow-Methods": "GET", "Content-Type": ""}}, "OPTIONS", "/user/login/", map[string]string{"Access-Control-Request-Method": "POST"}, ""},
		"success for remember 2":                {loggedIn, "POST", "/user/login/", asJSON, fmt.Sprintf(login, "2")},
		"success for a login twice the same":    {loggedIn, "POST", "/user/login/", asParts, part(`name="email"`, "a@b") + part(`name="email"`, "a@b") + part(`name="password"`, "x") + "--b--"},
		"success for a login without an email":  {loggedIn, "POST", "/user/login/", asForm, "password=x"},
		"success for a captcha without address": {answer{200, nil, `{"code":200,"message":"邮箱验证码发送成功！"}`}, "GET", "/user/captcha/", nil, ""},

		"success without a session":         {ok, "POST", "/user/upload_file/", map[string]string{"Content-Type": boundary}, part(`name="file"; filename="a"`, "") + "--b--"},
		"success without a file":            {ok, "POST", "/user/upload_file/", sent, part(`name="x"; filename="a"`, "") + "--b--"},
		"success for a file that is a text": {ok, "POST", "/user/upload_file/", sent, part(`name="file"`, "") + "--b--"},
		"success for two files":             {ok, "POST", "/user/upload_file/", sent, part(`name="file"; filename="a"`, "") + part(`name="file"; filename="a"`, "") + "--b--"},
		"success for a body that is cut":    {ok, "POST", "/user/upload_file/", sent, part(`name="file"; filename="a"`, "")},
		"success for another boundary":      {ok, "POST", "/user/upload_file/", with(sent, "Content-Type", "multipart/form-data; boundary=c"), part(`name="file"; filename="a"`, "") + "--b--"},
		"success without a boundary":        {ok, "POST", "/user/upload_file/", with(sent, "Content-Type", "multipart/form-data"), part(`name="file"; filename="a"`, "") + "--b--"},
		"success for a file as JSON":        {ok, "POST", "/user/upload_file/", with(sent, "Content-Type", "application/json"), `{"file":"x"}`},
		"success for a text sent as a file": {loggedIn, "POST", "/user/login/", map[string]string{"Content-Type": boundary}, part(`name="email"; filename="x"`, "a@b") + part(`name="password"`, "x") + "--b--"},
		"success for a text not in UTF-8":   {loggedIn, "POST", "/user/login/", map[string]string{"Content-Type": boundary}, part(`name="email"`, "a@b\xff") + part(`name="password"`, "x") + "--b--"},

		"a file that its tag does not name":  {download(200, "tesu", nil), "GET", "/user/download_file/", token, ""},
		"a file shown in place":              {download(200, "test", map[string]string{"Content-Disposition": "inline"}), "GET", "/user/download_file/", token, ""},
		"a file for any cache":               {download(200, "test", map[string]string{"Cache-Control": "max-age=60"}), "GET", "/user/download_file/", token, ""},
		"a file of a type of its own":        {download(200, "test", map[string]string{"Content-Type": "text/html; charset=utf-8"}), "GET", "/user/download_file/", token, ""},
		"a head without a tag":               {download(200, "", map[string]string{"ETag": ""}), "HEAD", "/user/download_file/", token, ""},
		"a part that does not say which":     {download(206, "es", nil), "GET", "/user/files/7", token, ""},
		"a part of another length":           {download(206, "es", map[string]string{"Content-Range": "bytes 1-3/4"}), "GET", "/user/files/7", token, ""},
		"parts that say they are one":        {download(206, "--x", map[string]string{"Content-Type": "multipart/byteranges; boundary=x", "Content-Range": "bytes 0-2/4"}), "GET", "/user/files/7/", token, ""},
		"a range refused without the length": {refused(416, nil), "GET", "/user/files/7/", token, ""},
		"a download without a session":       {download(200, "test", nil), "GET", "/user/download_file/", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, body := range map[string]io.Reader{"again": strings.NewReader(c.body), "once": io.MultiReader(strings.NewReader(c.body))} {
				if reports := exchange(t, c.answer, c.method, c.path, c.header, body); len(reports) != 1 {
					t.Errorf("with a body to be had %s: reported %q, want one report", kind, reports)
				}
			}
		})
	}
}

// Not parallel: it looks at the memory of the whole process.
func TestFilesPassWithoutBeingKept(t *testing.T) {
	const size = 64 << 20
	sum := sha256.New()
	if _, err := io.CopyN(sum, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	etag := `"` + hex.EncodeToString(sum.Sum(nil)) + `"`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPost {
			ok := answer{200, nil, uploaded}
			ok.ServeHTTP(w, r)
			return
		}
		header := download(200, "", map[string]string{"ETag": etag, "Content-Length": fmt.Sprint(size)}).header
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.Header().Set("X-Request-Id", "test")
		_, _ = io.CopyN(w, zeros{}, size)
	}))
	defer server.Close()
	rec := &recorder{TB: t}
	client := http.Client{Transport: apitest.NewTransport(rec, &http.Transport{})}
	defer client.CloseIdleConnections()

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	body := io.MultiReader(strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"),
		io.LimitReader(zeros{}, size), strings.NewReader("\r\n--b--\r\n"))
	for method, c := range map[string]struct {
		path string
		body io.Reader
		read int64
	}{"POST": {"/user/upload_file/", body, int64(len(uploaded))}, "GET": {"/user/download_file/", nil, size}} {
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+c.path, c.body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token["Authorization"])
		req.Header.Set("Content-Type", boundary)
		if c.body == nil {
			req.Header.Del("Content-Type")
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || n != c.read {
			t.Errorf("%s: read %d bytes, %v", method, n, err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > size/4 {
		t.Errorf("%d MiB there and back took %d MiB of memory", size>>20, took>>20)
	}
	if len(rec.reports) > 0 {
		t.Errorf("reported %q", rec.reports)
	}
}

// zeros is a reader without an end.
type zeros struct{}

// Read implements [io.Reader].
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestBodyThatIsRefusedUnreadIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	const said = `{"code":413,"message":"不"}`
	rec := &recorder{TB: t}
	early := roundTripper(func(req *http.Request) (*http.Response, error) {
		req.Body.Close()
		header := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "X-Request-Id": {"test"}}
		return &http.Response{StatusCode: 413, Header: header, ContentLength: int64(len(said)), Body: io.NopCloser(strings.NewReader(said))}, nil
	})
	body := io.MultiReader(bytes.NewReader(make([]byte, 1<<20)))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/user/upload_file/", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", boundary)
	resp, err := apitest.NewTransport(rec, early).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(rec.reports) > 0 {
		t.Errorf("reported %q", rec.reports)
	}
}
