package memberapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"caesar/internal/httpd"
	"caesar/internal/phrase"
)

// fileBody is a body of multipart/form-data with one file.
func fileBody(disposition, content string) string {
	return "--xx\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n--xx--\r\n"
}

// version is what a client is told of a version.
type version struct {
	ID        int64
	Name      string
	Size      int64
	SHA256    string
	CreatedAt int64 `json:"created_at"`
}

// problem is the body of an error without fields.
func problem(code int, p phrase.Phrase) string {
	return fmt.Sprintf(`{"code":%d,"message":%q}`, code, p.In(phrase.Chinese))
}

// keep uploads a file.
func (s *site) keep(disposition, content string, session ...string) version {
	s.t.Helper()
	r := s.call("POST", "/user/upload_file/", fileBody(disposition, content), append(session, "Content-Type", "multipart/form-data; boundary=xx")...)
	var answer struct {
		Code    int
		Message string
		Data    version
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || r.status != 200 || answer.Code != 200 || answer.Message != "文件上传成功" {
		s.t.Fatalf("got %d %s", r.status, r.body)
	}
	sum := sha256.Sum256([]byte(content))
	if v := answer.Data; v.Size != int64(len(content)) || v.SHA256 != hex.EncodeToString(sum[:]) || v.ID < 1 || v.CreatedAt == 0 {
		s.t.Fatalf("got %+v", v)
	}
	return answer.Data
}

// kept returns the ids of what somebody keeps, newest first, and how many bytes.
func (s *site) kept(session ...string) (ids []int64, used int64) {
	s.t.Helper()
	r := s.call("GET", "/user/files/", nil, session...)
	var answer struct {
		Data struct {
			Files             []version
			Used, Quota, Kept int64
		}
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || r.status != 200 || answer.Data.Quota != 4<<20 || answer.Data.Kept != 3 {
		s.t.Fatalf("got %d %s", r.status, r.body)
	}
	for _, f := range answer.Data.Files {
		ids = append(ids, f.ID)
	}
	return ids, answer.Data.Used
}

func TestABackupComesBackByteForByteUnderItsName(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	header, session := s.enter("Ada")
	s.is(s.call("GET", "/user/download_file/", nil, header, session), 404, problem(404, phrase.VersionNotFound))
	content := "<html>\x00" + strings.Repeat("0123456789", 50_000)
	v := s.keep(`name="file"; filename="..\..\备份.html"`, content, header, session)
	if v.Name != "备份.html" {
		t.Errorf("got %+v", v)
	}
	for _, path := range []string{"/user/download_file/", "/user/download_file", fmt.Sprintf("/user/files/%d/", v.ID), fmt.Sprintf("/user/files/%d", v.ID)} {
		r := s.call("GET", path, nil, header, session)
		if r.status != 200 || r.body != content {
			t.Fatalf("%s: got %d and %d bytes", path, r.status, len(r.body))
		}
		for name, want := range map[string]string{
			"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "ETag": `"` + v.SHA256 + `"`, "Cache-Control": "private, no-cache",
			"Content-Disposition": `attachment; filename="__.html"; filename*=UTF-8''%E5%A4%87%E4%BB%BD.html`, "Content-Length": fmt.Sprint(len(content)),
		} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if r := s.call("HEAD", path, nil, header, session); r.status != 200 || r.header.Get("Content-Length") != fmt.Sprint(len(content)) || r.body != "" {
			t.Errorf("%s: got %d %v", path, r.status, r.header)
		}
		if r := s.call("GET", path, nil, header, session, "If-None-Match", `"`+v.SHA256+`"`); r.status != 304 || r.body != "" {
			t.Errorf("%s: got %d %s", path, r.status, r.body)
		}
		if r := s.call("GET", path, nil, header, session, "Range", "bytes=400000-400009"); r.status != 206 || r.body != content[400000:400010] {
			t.Errorf("%s: got %d %q", path, r.status, r.body)
		}
		if r := s.call("GET", path, nil, header, session, "Range", "bytes=1-2,-3"); r.status != 206 || !strings.HasPrefix(r.header.Get("Content-Type"), "multipart/byteranges") {
			t.Errorf("%s: got %d %v", path, r.status, r.header)
		}
		r = s.call("GET", path, nil, header, session, "Range", "bytes=9999999-")
		s.is(r, 416, `{"code":416,"message":"请求的范围超出文件"}`)
		if r.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", len(content)) || r.header.Get("ETag") != "" || r.header.Get("Content-Disposition") != "" {
			t.Errorf("got %v", r.header)
		}
	}
}

func TestVersionsCanBeListedFetchedAndDeletedByTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	s.join("Eve")
	header, ada := s.enter("Ada")
	_, eve := s.enter("Eve")
	if r := s.call("GET", "/user/files/", nil, header, eve); !strings.Contains(r.body, `"data":{"files":[],"used":0,"quota":4194304,"kept":3}`) {
		t.Errorf("got %s", r.body)
	}
	var ids []int64
	for i := range 4 { // one more than are kept
		ids = append(ids, s.keep(`name="file"; filename="a.txt"`, strings.Repeat("x", i), header, ada).ID)
	}
	slices.Reverse(ids)
	if got, used := s.kept(header, ada); !slices.Equal(got, ids[:3]) || used != 1+2+3 {
		t.Errorf("got %v and %d bytes, want %v", got, used, ids[:3])
	}
	path := fmt.Sprintf("/user/files/%d/", ids[1])
	absent := problem(404, phrase.VersionNotFound)
	s.is(s.call("GET", path, nil, header, eve), 404, absent)
	s.is(s.call("DELETE", path, nil, header, eve), 404, absent)
	s.is(s.call("GET", path, nil, header, ada), 200, "xx")
	s.is(s.call("GET", "/user/download_file/", nil, header, ada), 200, "xxx")
	s.is(s.call("DELETE", path, nil, header, ada), 200, `{"code":200,"message":"备份文件已删除"}`)
	s.is(s.call("DELETE", path, nil, header, ada), 404, absent)
	s.is(s.call("GET", fmt.Sprintf("/user/files/%d/", ids[3]), nil, header, ada), 404, absent)
	for _, id := range []string{"0", "-1", "01", "x", "99999999999999999999"} {
		s.is(s.call("GET", "/user/files/"+id+"/", nil, header, ada), 400,
			`{"code":400,"message":"请求内容有误，请检查标出的字段","errors":{"id":[{"message":"必须是正整数编号","code":"invalid"}]}}`)
	}
}

func TestBackupsAreForThoseWhoAreLoggedIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	for _, c := range [][2]string{
		{"POST", "/user/upload_file/"}, {"GET", "/user/download_file/"}, {"GET", "/user/files/"}, {"GET", "/user/files/1/"}, {"DELETE", "/user/files/x/"},
	} {
		r := s.call(c[0], c[1], nil, "Cookie", "sessionid=made-up")
		s.is(r, 401, `{"code":401,"message":"请先登录"}`)
		if r.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("got %v", r.header)
		}
	}
}

func TestAnUploadThatIsNotRightLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	header, session := s.enter("Ada")
	old := s.keep(`name="file"; filename=""`, "old", header, session)
	if old.Name != "backup" {
		t.Errorf("a file without a name is called %q", old.Name)
	}
	const multipart = "multipart/form-data; boundary=xx"
	one := fileBody(`name="file"; filename="a"`, "x")
	for name, c := range map[string]struct {
		contentType, body string
		status            int
		message           string
	}{
		"nothing":        {"", "", 400, "请以 multipart/form-data 在 file 字段中上传一个文件"},
		"a form":         {"application/x-www-form-urlencoded", "file=x", 400, "请以 multipart/form-data 在 file 字段中上传一个文件"},
		"no file":        {multipart, fileBody(`name="file"`, "x"), 400, "请以 multipart/form-data 在 file 字段中上传一个文件"},
		"two files":      {multipart, strings.TrimSuffix(one, "--\r\n") + "\r\n" + strings.TrimPrefix(one, "--xx\r\n"), 400, "一次只能上传一个文件"},
		"wrong boundary": {"multipart/form-data; boundary=yy", one, 400, "请求体不是有效的表单数据"},
		"cut":            {multipart, one[:len(one)-8], 400, "请求体不是有效的表单数据"},
		"bare":           {"application/octet-stream", "x", 415, "请求体须为 UTF-8 编码的 multipart/form-data、application/x-www-form-urlencoded 或 application/json"},
		"too large":      {multipart, fileBody(`name="file"; filename="a"`, strings.Repeat("x", 2<<20+1)), 413, phrase.BackupTooLarge.With("2 MiB").In(phrase.Chinese)},
	} {
		for _, chunked := range []bool{false, true} {
			req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/user/upload_file/", strings.NewReader(c.body))
			s.must(err)
			if chunked {
				req.Body, req.ContentLength, req.GetBody = io.NopCloser(io.MultiReader(strings.NewReader(c.body))), -1, nil
			}
			req.Header.Set(header, session)
			if c.contentType != "" {
				req.Header.Set("Content-Type", c.contentType)
			}
			if r := s.send(s.client, req); r.status != c.status || r.body != fmt.Sprintf(`{"code":%d,"message":%q}`, c.status, c.message) {
				t.Errorf("%s: got %d %s", name, r.status, r.body)
			}
		}
	}
	if ids, used := s.kept(header, session); !slices.Equal(ids, []int64{old.ID}) || used != 3 {
		t.Errorf("kept are %v with %d bytes", ids, used)
	}
	s.is(s.call("GET", "/user/download_file/", nil, header, session), 200, "old")
}

// What the length tells is refused before anything of the body is asked for.
func TestWhatIsTooLargeIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	header, session := s.enter("Ada")
	reader, writer := io.Pipe()
	defer writer.Close()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/user/upload_file/", reader)
	s.must(err)
	req.ContentLength = 1 << 40
	req.Header.Set(header, session)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=xx")
	req.Header.Set("Expect", "100-continue")
	s.is(s.send(s.plain, req), 413, problem(413, phrase.BackupTooLarge.With("2 MiB")))
}

func TestTheQuotaIsOfWhatStays(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	header, session := s.enter("Ada")
	large := strings.Repeat("x", 3<<19) // 1.5 MiB of 4
	for range 2 {
		s.keep(`name="file"; filename="a"`, large, header, session)
	}
	r := s.call("POST", "/user/upload_file/", fileBody(`name="file"; filename="a"`, large), header, session, "Content-Type", "multipart/form-data; boundary=xx")
	s.is(r, 413, problem(413, phrase.BackupOverQuota.With("4 MiB")))
	s.keep(`name="file"; filename="a"`, "small", header, session)
	s.keep(`name="file"; filename="a"`, large, header, session) // the oldest gives way
	if ids, used := s.kept(header, session); len(ids) != 3 || used != int64(2*len(large)+5) {
		t.Errorf("kept are %v with %d bytes", ids, used)
	}
}

func TestTheLogNamesNobodyAndNoFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	header, session := s.enter("Ada")
	s.keep(`name="file"; filename="secret.txt"`, "content", header, session)
	s.call("GET", "/user/download_file/", nil, header, session)
	s.call("POST", "/user/login/", map[string]string{"email": "ada@example.org", "password": "hunter2"})
	for _, secret := range []string{"ada", "Ada", "hunter2", "12345", "secret.txt", "content", strings.TrimPrefix(session, "sessionid=")} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, s.log)
		}
	}
	if !strings.Contains(s.log.String(), "/user/upload_file/") {
		t.Error("the log has nothing")
	}
}

// gate is a reader at its end once it is opened.
type gate chan struct{}

func (g gate) Read([]byte) (int, error) {
	<-g
	return 0, io.EOF
}

func TestOneUploadTooManyAtOnceIsToldToWait(t *testing.T) {
	t.Parallel()
	s := newSite(t, httpd.Options{})
	s.join("Ada")
	header, session := s.enter("Ada")
	whole, open, replies := fileBody(`name="file"; filename="a"`, "content"), make(gate), make(chan reply)
	for range 13 {
		body := io.MultiReader(strings.NewReader(whole[:80]), open, strings.NewReader(whole[80:]))
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/user/upload_file/", body)
		s.must(err)
		req.Header.Set(header, session)
		req.Header.Set("Content-Type", "multipart/form-data; boundary=xx")
		go func() {
			var r reply
			defer func() { replies <- r }() // also where sending fails, which ends the goroutine
			r = s.send(s.plain, req)
		}()
	}
	refused := <-replies
	s.is(refused, 429, `{"code":429,"message":"同时上传的文件过多，最多 12 个，请稍后重试"}`)
	if refused.header.Get("Retry-After") != "10" || refused.header.Get("Content-Language") == "" {
		t.Errorf("got %v", refused.header)
	}
	close(open)
	for range 12 {
		if r := <-replies; r.status != 200 {
			t.Errorf("one of twelve got %d %s", r.status, r.body)
		}
	}
	s.keep(`name="file"; filename="a"`, "content", header, session)
}
