package memberapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/api/apitest"
	"caesar/internal/argon2id"
	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/captcha"
	"caesar/internal/httpd"
	"caesar/internal/httpd/memberapi"
	"caesar/internal/httpd/vaultapi"
	"caesar/internal/httpd/wire"
	"caesar/internal/keyring"
	"caesar/internal/mail"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// hasher is shared: its slots bound the memory of all tests together.
var hasher = argon2id.NewHasher(2, 128<<10)

// site is a server with both surfaces over stores of its own.
type site struct {
	t      *testing.T
	url    string
	client *http.Client // without cookies; its traffic is held against the document
	plain  *http.Client // as client, for what the document does not allow to succeed
	users  *user.Service
	log    *journal

	mu    sync.Mutex
	ahead time.Duration
	store *sqlstore.Store
	post  *mail.Post

	closeStore func() error
}

// journal keeps what was logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.ahead)
}

// advance sets the server's clock forward.
func (s *site) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// newSite starts a server, with options of the HTTP server and changes of the users' settings.
func newSite(t *testing.T, options httpd.Options, change ...func(*user.Config)) *site {
	t.Helper()
	s := &site{t: t, log: &journal{}}
	folder := t.TempDir()
	log := slog.New(slog.NewTextHandler(s.log, nil))
	root, err := rootkey.LoadOrCreate(filepath.Join(folder, "root.key"))
	s.must(err)
	s.store, err = sqlstore.OpenSQLite(t.Context(), filepath.Join(folder, "caesar.db"))
	s.must(err)
	s.closeStore = sync.OnceValue(s.store.Close)
	t.Cleanup(func() { s.must(s.closeStore()) })
	keys, err := backup.LoadOrCreateKeys(filepath.Join(folder, "backup.age"), s.now())
	s.must(err)
	blobs, err := blob.OpenDir(filepath.Join(folder, "blobs"))
	s.must(err)
	backups := backup.NewService(backup.Config{
		Store: s.store, Blobs: blobs, Keys: keys, Root: root, FileMax: 2 << 20,
		Retention: backup.Retention{Keep: 3, Quota: 4 << 20}, Now: s.now, Log: log,
	})
	s.post = mail.NewPost(root, s.store, nil, mail.Address{}, "", s.now, log)
	vaultKeys := keyring.New(root, hasher, keyring.KDF{Type: keyring.Argon2id, Iterations: 2, MemoryMiB: 16, Parallelism: 1}, s.now)
	guard := throttle.New(root, s.store, s.now)
	config := user.Config{
		Store: s.store, Hasher: hasher, Keys: vaultKeys, Guard: guard, Post: s.post, Root: root, Belongings: []user.Belongings{backups},
		LeastPassword: 6, LeastMemberPassword: 5, LeastMainPassword: 6, ClosingGrace: time.Hour, Now: s.now,
	}
	for _, set := range change {
		set(&config)
	}
	s.users = user.NewService(config)
	sessions := session.NewService(s.store, vaultKeys, s.now, log)
	options.Log, options.Ready = log, func(context.Context) map[string]error { return nil }
	options.Surfaces = []wire.Surface{
		memberapi.New(memberapi.Services{Users: s.users, Sessions: sessions, Backups: backups}),
		vaultapi.New(vaultapi.Services{
			Users: s.users, Sessions: sessions, Zone: time.UTC, Captcha: captcha.New(root, s.store, false, s.now),
			Vault: vault.NewService(vault.Config{Store: s.store, Keys: vaultKeys, Guard: guard, Owners: s.users, Root: root, LeastMainPassword: 6, Now: s.now}),
		}),
	}
	server, err := httpd.New(options)
	s.must(err)
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	s.url = listening.URL
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := listening.Client().Transport
	s.client = &http.Client{Transport: apitest.NewTransport(t, base), CheckRedirect: stay}
	s.plain = &http.Client{Transport: base, CheckRedirect: stay}
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// call sends a request: the body may be url.Values, any other value to be sent as JSON, or nil; headers are
// given as name, value, name, value.
func (s *site) call(method, path string, body any, headers ...string) reply {
	s.t.Helper()
	var reader io.Reader
	contentType := ""
	switch body := body.(type) {
	case nil:
	case url.Values:
		reader, contentType = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	case string:
		reader = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		s.must(err)
		reader, contentType = strings.NewReader(string(text)), "application/json"
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, reader)
	s.must(err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return s.send(s.client, req)
}

func (s *site) send(client *http.Client, req *http.Request) reply {
	s.t.Helper()
	resp, err := client.Do(req)
	s.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	s.must(err)
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// is ends the test where an answer is not the one expected, to the character.
func (s *site) is(r reply, status int, body string) {
	s.t.Helper()
	if r.status != status || r.body != body {
		s.t.Fatalf("got  %d %s\nwant %d %s", r.status, r.body, status, body)
	}
}

// cookie returns the session cookie that an answer sets.
func (s *site) cookie(r reply) *http.Cookie {
	s.t.Helper()
	cookies := (&http.Response{Header: r.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "sessionid" {
		s.t.Fatalf("got %d %s with the cookies %v", r.status, r.body, cookies)
	}
	return cookies[0]
}

// letters takes what lies in the mail queue.
func (s *site) letters() []mail.Letter {
	s.t.Helper()
	queued, err := s.store.ClaimMail(s.t.Context(), s.now().Add(time.Hour), time.Minute, 100)
	s.must(err)
	var letters []mail.Letter
	for _, q := range queued {
		l, err := s.post.Open(q.Sealed)
		s.must(err)
		letters = append(letters, l)
		s.must(s.store.MailSent(s.t.Context(), q.ID))
	}
	return letters
}

// code asks for a code and returns the one that was mailed.
func (s *site) code(email string) string {
	s.t.Helper()
	s.is(s.call("GET", "/user/captcha/?email="+url.QueryEscape(email), nil), 200, `{"code":200,"message":"邮箱验证码发送成功！"}`)
	for _, l := range s.letters() {
		if l.To.String() == email && regexp.MustCompile(`^\d{4}$`).MatchString(l.Code) {
			return l.Code
		}
	}
	s.t.Fatalf("no code was mailed to %s", email)
	return ""
}

// join registers a member with the password 12345.
func (s *site) join(name string) {
	s.t.Helper()
	email := strings.ToLower(name) + "@example.org"
	s.is(s.call("POST", "/user/register/", url.Values{
		"username": {name}, "password": {"12345"}, "email": {email}, "captcha": {s.code(email)},
	}), 200, `{"message":"form is valid"}`)
}

// enter logs a member in and returns the header that shows the session.
func (s *site) enter(name string) (header, value string) {
	s.t.Helper()
	r := s.call("POST", "/user/login/", url.Values{"email": {strings.ToLower(name) + "@example.org"}, "password": {"12345"}})
	s.is(r, 200, `{"code":200,"message":"登录成功"}`)
	return "Cookie", "sessionid=" + s.cookie(r).Value
}

// proxied lets the tests speak for clients elsewhere.
var proxied = httpd.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
