package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"caesar/client"
)

const testSum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" // of "test"

var testVersion = client.Version{ID: 5, Name: "response.txt", Size: 4, SHA256: testSum, CreatedAt: 1767225600}

// read returns what a download is and holds.
func read(d *client.Download, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	defer d.Close()
	content, err := io.ReadAll(d)
	return []any{d.Name, d.Size, d.SHA256, string(content)}, err
}

// memberOperations calls every method of the interface under /user.
var memberOperations = map[string]operation{
	"MemberSendCode": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.Member().SendCode(ctx, "lilei+x&y@example.com")
	}, nil},
	"MemberRegister": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.Member().Register(ctx, client.NewMember{UserName: "李雷", Password: "12345", Email: "lilei@example.com", Code: "1234"})
	}, nil},
	"MemberLogin": {func(ctx context.Context, c *client.Client) (any, error) {
		if err := c.Member().Login(ctx, "lilei@example.com", "12345", false); err != nil {
			return nil, err
		}
		err := c.Member().Login(ctx, "lilei@example.com", "12345", true)
		return c.Token(), err
	}, "1yqXVt2LRIpjiqd1jfL8AG6zJB4JJNsRelhMtTtGqpo"},
	"MemberLogout": {func(ctx context.Context, c *client.Client) (any, error) {
		err := c.Member().Logout(ctx)
		return c.Token(), err
	}, ""},
	"MemberProfile": {func(ctx context.Context, c *client.Client) (any, error) {
		return c.Member().Profile(ctx)
	}, client.MemberProfile{UserName: "Erasor", Email: "2244602447@qq.com", Career: "动态内部网专员", BirthDate: "2024-11-24"}},
	"MemberUpdateProfile": {func(ctx context.Context, c *client.Client) (any, error) {
		if err := c.Member().UpdateProfile(ctx, client.MemberUpdate{}); err != nil {
			return nil, err
		}
		return nil, c.Member().UpdateProfile(ctx, client.MemberUpdate{Career: new("x"), BirthDate: new(""), OldPassword: new("12345")})
	}, nil},
	"MemberUpload": {func(ctx context.Context, c *client.Client) (any, error) {
		if _, err := c.Member().Upload(ctx, "", io.MultiReader(strings.NewReader("test"))); err != nil {
			return nil, err
		}
		return c.Member().Upload(ctx, "a \"b\"\r\n备份.zip", strings.NewReader("test"))
	}, testVersion},
	"MemberDownload": {func(ctx context.Context, c *client.Client) (any, error) {
		return read(c.Member().Download(ctx))
	}, []any{"response.txt", int64(4), testSum, "test"}},
	"MemberDownloadVersion": {func(ctx context.Context, c *client.Client) (any, error) {
		if got, err := read(c.Member().DownloadVersion(ctx, 5, 0)); err != nil {
			return got, err
		}
		return read(c.Member().DownloadVersion(ctx, 5, 3))
	}, []any{"response.txt", int64(1), testSum, "t"}},
	"MemberVersions": {func(ctx context.Context, c *client.Client) (any, error) {
		return c.Member().Versions(ctx)
	}, client.Backups{Files: []client.Version{testVersion}, Used: 4, Quota: 20 << 30, Kept: 10}},
	"MemberDeleteVersion": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.Member().DeleteVersion(ctx, 5)
	}, nil},
}

func TestRefusalOfMembersComesBackAsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   client.Error
	}{
		"a form that is invalid": {
			400, `{"message":"form is invalid: <ul class=\"errorlist\"><li>email<ul class=\"errorlist\"><li>请传入一个正确的邮箱！</li></ul></li><li>captcha<ul class=\"errorlist\"><li>1 &lt; 4</li><li>x</li></ul></li></ul>"}`,
			client.Error{Slug: client.Invalid, Message: "form is invalid", Fields: map[string]string{"email": "请传入一个正确的邮箱！", "captcha": "1 < 4; x"}},
		},
		"a body that is not read": {
			400, `{"message":"form is invalid"}`,
			client.Error{Slug: client.Invalid, Message: "form is invalid"},
		},
		"fields": {
			400, `{"message":"form is invalid","errors":{"password":[{"message":"This field is required.","code":"required"}]},"code":400}`,
			client.Error{Slug: client.Invalid, Message: "form is invalid", Fields: map[string]string{"password": "This field is required."}},
		},
		"a wrong password":   {401, `{"message":"密码错误","code":401}`, client.Error{Slug: client.LoginWrong, Message: "密码错误"}},
		"an unknown email":   {402, `{"message":"邮箱未注册","code":402}`, client.Error{Slug: client.LoginWrong, Message: "邮箱未注册"}},
		"a full disk":        {507, `{"code":507,"message":"存储空间不足","request_id":"x"}`, client.Error{Slug: client.Full, Message: "存储空间不足"}},
		"somebody else's":    {400, `{"message":"bad request"}`, client.Error{Message: "the answer is none of a Caesar server: 400 Bad Request"}},
		"somebody's number":  {502, `{"message":"bad gateway","code":7}`, client.Error{Message: "the answer is none of a Caesar server: 502 Bad Gateway"}},
		"somebody's success": {204, ``, client.Error{Message: "the answer is none of a Caesar server: 204 No Content"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}).Member()
			c.want.Status = c.status
			var got *client.Error
			if err := m.Login(t.Context(), "a@b", "x", true); !errors.As(err, &got) || !reflect.DeepEqual(*got, c.want) {
				t.Errorf("got %+v, want %+v", err, c.want)
			}
		})
	}
}

func TestNoSessionIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":401,"message":"请先登录"}`)
	}).Member()
	if _, err := m.Profile(t.Context()); client.Slug(err) != client.Unauthenticated {
		t.Errorf("got %v", err)
	}
	if _, err := m.Download(t.Context()); client.Slug(err) != client.Unauthenticated {
		t.Errorf("got %v", err)
	}
}

func TestLoginWithoutACookieIsAnError(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"code":200,"message":"登录成功"}`)
	}, client.WithToken("t0ken"))
	if err := c.Member().Login(t.Context(), "a@b", "x", true); err == nil || c.Token() != "t0ken" {
		t.Errorf("got %v and the token %q", err, c.Token())
	}
}

func TestSessionIsShownAsAskedFor(t *testing.T) {
	t.Parallel()
	for how, c := range map[string]struct {
		options       []client.Option
		bearer        string
		cookie, login int
	}{
		"in Authorization": {nil, "Bearer t0ken", 0, 0},
		"in the cookie":    {[]client.Option{client.WithCookies()}, "", 1, 1},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			seen := make(chan *http.Request, 1)
			m := serve(t, func(w http.ResponseWriter, r *http.Request) {
				seen <- r
				http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "n3w"})
				_, _ = io.WriteString(w, `{}`)
			}, append(c.options, client.WithToken("t0ken"))...).Member()
			if _, err := m.Profile(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := <-seen
			if r.URL.Path != "/behind/a/proxy/user/get_user_info/" || r.Header.Get("Authorization") != c.bearer || len(r.Cookies()) != c.cookie {
				t.Errorf("%s came with %v", r.URL.Path, r.Header)
			}
			if err := m.Login(t.Context(), "a@b", "x", true); err != nil {
				t.Fatal(err)
			}
			if r := <-seen; r.Header.Get("Authorization") != "" || len(r.Cookies()) != c.login {
				t.Errorf("the login came with %v", r.Header)
			}
		})
	}
}

func TestLengthOfAnUploadIsAnnouncedWhereItIsKnown(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("a test"), 0o600); err != nil {
		t.Fatal(err)
	}
	onDisk, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { onDisk.Close() })
	if _, err := onDisk.Seek(2, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	type upload struct {
		length        int64
		name, content string
		body          int
	}
	seen := make(chan upload, 1)
	m := serve(t, func(w http.ResponseWriter, r *http.Request) {
		whole, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(whole))
		file, header, err := r.FormFile("file")
		if err != nil {
			t.Errorf("read the form: %v", err)
			return
		}
		content, _ := io.ReadAll(file)
		seen <- upload{r.ContentLength, header.Filename, string(content), len(whole)}
		_, _ = io.WriteString(w, `{}`)
	}).Member()
	for name, file := range map[string]io.Reader{"memory": strings.NewReader("test"), "disk": onDisk, "stream": io.MultiReader(strings.NewReader("test"))} {
		if _, err := m.Upload(t.Context(), name, file); err != nil {
			t.Fatal(err)
		}
		got := <-seen
		if got.name != name || got.content != "test" || (got.length == int64(got.body)) == (name == "stream") {
			t.Errorf("from %s came %+v", name, got)
		}
	}
}

func TestFilesAreBoundByTheirContextOnly(t *testing.T) {
	t.Parallel()
	waited := make(chan struct{})
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-waited
		w.Header().Set("ETag", `"`+testSum+`"`)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "test")
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}
	const timeout = 20 * time.Millisecond
	m := serve(t, handler, client.WithHTTPClient(&http.Client{Timeout: timeout})).Member()
	if _, err := m.Profile(t.Context()); err == nil {
		t.Error("the time-out does not bound what is no file")
	}
	time.AfterFunc(5*timeout, func() { close(waited) })
	if _, err := read(m.Download(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := m.Upload(t.Context(), "x", strings.NewReader("x")); err != nil {
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := m.Upload(ended, "x", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestDownloadThatIsDamagedEndsWithAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		length  string
		etag    string
		want    error
	}{
		"whole":                {"test", "4", `"` + testSum + `"`, nil},
		"changed":              {"tesu", "4", `"` + testSum + `"`, client.ErrDamaged},
		"cut":                  {"tes", "4", `"` + testSum + `"`, io.ErrUnexpectedEOF},
		"empty":                {"", "0", `"` + testSum + `"`, client.ErrDamaged},
		"whole, weak tag":      {"test", "4", `W/"` + testSum + `"`, nil},
		"changed, weak tag":    {"tesu", "4", `W/"` + testSum + `"`, client.ErrDamaged},
		"a tag that is no sum": {"test", "4", `"` + testSum + `-gzip"`, nil},
		"no tag":               {"test", "4", "", nil},
		"cut, and without tag": {"tes", "4", "", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", c.etag)
				w.Header().Set("Content-Length", c.length)
				_, _ = io.WriteString(w, c.content)
			}).Member()
			if got, err := read(m.Download(t.Context())); !errors.Is(err, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestRestOfADownloadIsNeverTakenForTheWhole(t *testing.T) {
	t.Parallel()
	m := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "test") }).Member()
	if _, err := m.DownloadVersion(t.Context(), 1, 2); err == nil {
		t.Error("a server that ignores the range gives its answer for the rest")
	}
	if _, err := m.DownloadVersion(t.Context(), 1, -2); err == nil {
		t.Error("a negative offset is taken")
	}
}
