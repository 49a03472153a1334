package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"caesar/api/apitest"
)

// recorder is a testing.TB that keeps what is reported to it.
type recorder struct {
	testing.TB
	mu      sync.Mutex
	reports []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, fmt.Sprintf(format, args...))
}

// answer is what the server of a case says.
type answer struct {
	status int
	header map[string]string // beside those that every answer bears; empty takes one away
	body   string
}

// ServeHTTP implements [http.Handler].
func (a answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Request-Id", "test")
	for name, value := range a.header {
		w.Header().Set(name, value)
		if value == "" {
			w.Header().Del(name)
		}
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// exchange sends a request to a server that answers a, and returns what was reported.
func exchange(t *testing.T, a answer, method, path string, header map[string]string, body io.Reader) []string {
	t.Helper()
	server := httptest.NewServer(a)
	defer server.Close()
	rec := &recorder{TB: t}
	base := &http.Transport{DisableCompression: true}
	defer base.CloseIdleConnections()
	client := http.Client{Transport: apitest.NewTransport(rec, base), CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if method != http.MethodHead && string(got) != a.body {
		t.Errorf("the transport changed the answer to %q", got)
	}
	return rec.reports
}

var (
	asJSON = map[string]string{"Content-Type": "application/json"}
	asForm = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	token  = map[string]string{"Authorization": "Bearer 1yqXVt2LRIpjiqd1jfL8AG6zJB4JJNsRelhMtTtGqpo"}
	done   = answer{status: 200, body: `{"message":"好"}`}
	send   = `{"email":"a@b","type":"activation"}`
	empty  = answer{status: 200, body: `{"data":[],"count":0,"page":1,"page_size":20}`}
)

func problem(status int, slug string, header map[string]string) answer {
	return answer{status, header, fmt.Sprintf(`{"message":"不","error":%q}`, slug)}
}

func TestWhatTheDocumentAllowsPasses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer       answer
		method, path string
		header       map[string]string
		body         string
	}{
		"JSON":                     {done, "PUT", "/api/email", asJSON, send},
		"JSON with a charset":      {done, "PUT", "/api/email", map[string]string{"Content-Type": "application/json; charset=UTF-8"}, send},
		"a form":                   {done, "PUT", "/api/email", asForm, "email=a%40b&type=password"},
		"an unknown field":         {done, "PUT", "/api/email", asJSON, `{"email":"a@b","type":"password","x":[1]}`},
		"a documented refusal":     {problem(400, "invalid", nil), "PUT", "/api/email", asJSON, `{"email":1`},
		"a bearer token":           {empty, "GET", "/api/auth/account?page=1&platform=&date_start=", token, ""},
		"a session in the cookie":  {empty, "GET", "/api/auth/account", map[string]string{"Cookie": "sessionid=x"}, ""},
		"a body that is not asked": {answer{status: 200, body: `{"data":[]}`}, "GET", "/api/auth/sessions", map[string]string{"Authorization": "Bearer x", "Content-Type": "application/json"}, "{}"},
		"an id":                    {problem(404, "not_found", nil), "GET", "/api/auth/account/9/log", token, ""},
		"an unknown path":          {problem(404, "not_found", nil), "GET", "/api/nothing", nil, ""},
		"an unknown method":        {problem(405, "method_not_allowed", map[string]string{"Allow": "GET, HEAD, OPTIONS"}), "POST", "/api/captcha", nil, ""},
		"a refused origin":         {problem(403, "cross_site", nil), "POST", "/api/nothing", nil, ""},
		"a preflight":              {answer{status: 204, header: map[string]string{"Access-Control-Allow-Methods": "GET", "Content-Type": ""}}, "OPTIONS", "/api/auth/me", map[string]string{"Access-Control-Request-Method": "GET"}, ""},
		"a redirect":               {answer{status: 303, header: map[string]string{"Location": "/docs"}}, "GET", "/", nil, ""},
		"a page":                   {answer{status: 200, header: map[string]string{"Content-Type": "text/html; charset=utf-8", "ETag": `"x"`}, body: "<p>"}, "GET", "/docs", nil, ""},
		"HEAD":                     {answer{status: 200, body: `{"status":"ok"}`}, "HEAD", "/healthz", nil, ""},
		"a server's fault":         {answer{500, nil, `{"message":"不","error":"internal","request_id":"x"}`}, "GET", "/api/captcha", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if reports := exchange(t, c.answer, c.method, c.path, c.header, strings.NewReader(c.body)); len(reports) > 0 {
				t.Errorf("reported %q", reports)
			}
		})
	}
}

func TestWhatTheDocumentDoesNotAllowIsReported(t *testing.T) {
	t.Parallel()
	const captcha = `{"id":"x","image":"data:image/png;base64,AAAA"}`
	for name, c := range map[string]struct {
		answer       answer
		method, path string
		header       map[string]string
		body         string
	}{
		"an undocumented status":             {answer{status: 201, body: captcha}, "GET", "/api/captcha", nil, ""},
		"a redirect that is undocumented":    {answer{status: 308, header: map[string]string{"Location": "/x"}}, "GET", "/api/captcha", nil, ""},
		"a field too many":                   {answer{status: 200, body: `{"message":"好","x":1}`}, "PUT", "/api/email", asJSON, send},
		"a field too few":                    {answer{status: 200, body: `{}`}, "PUT", "/api/email", asJSON, send},
		"null for a list":                    {answer{status: 200, body: `{"data":null,"count":0,"page":1,"page_size":20}`}, "GET", "/api/auth/account", token, ""},
		"plaintext for a ciphertext":         {answer{status: 200, body: `{"id":1,"email":"a@b","name":"n","password":"p","updated_at":1}`}, "PUT", "/api/auth/account/1", map[string]string{"Authorization": "Bearer x", "Content-Type": "application/json"}, `{"main_password":"m","name":"n","email":"","password":"p"}`},
		"a name twice in an answer":          {answer{status: 200, body: `{"message":"好","message":"好"}`}, "PUT", "/api/email", asJSON, send},
		"two values in an answer":            {answer{status: 200, body: `{"message":"好"}{}`}, "PUT", "/api/email", asJSON, send},
		"a slug of another operation":        {problem(400, "code_wrong", nil), "PUT", "/api/email", asJSON, send},
		"HTML for JSON":                      {answer{status: 200, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}, body: "<p>"}, "GET", "/healthz", nil, ""},
		"no content type":                    {answer{status: 404, header: map[string]string{"Content-Type": ""}, body: "nothing"}, "GET", "/api/nothing", nil, ""},
		"a page without its charset":         {answer{status: 200, header: map[string]string{"Content-Type": "text/html"}, body: "<p>"}, "GET", "/docs", nil, ""},
		"no request id":                      {answer{status: 200, header: map[string]string{"X-Request-Id": ""}, body: `{"status":"ok"}`}, "GET", "/healthz", nil, ""},
		"an answer that may be cached":       {answer{status: 200, header: map[string]string{"Cache-Control": "max-age=60"}, body: captcha}, "GET", "/api/captcha", nil, ""},
		"429 without Retry-After":            {problem(429, "too_many", nil), "PUT", "/api/email", asJSON, send},
		"401 without WWW-Authenticate":       {problem(401, "unauthenticated", nil), "GET", "/api/auth/me", nil, ""},
		"500 without a request id":           {problem(500, "internal", nil), "GET", "/api/captcha", nil, ""},
		"success at an unknown path":         {done, "GET", "/api/nothing", nil, ""},
		"success for an unknown method":      {done, "POST", "/api/captcha", nil, ""},
		"404 for an unknown method":          {problem(404, "not_found", nil), "POST", "/api/captcha", nil, ""},
		"405 without Allow":                  {problem(405, "method_not_allowed", nil), "POST", "/api/captcha", nil, ""},
		"405 that leaves out a method":       {problem(405, "method_not_allowed", map[string]string{"Allow": "GET, PUT"}), "POST", "/api/auth/me", nil, ""},
		"405 that names one too many":        {problem(405, "method_not_allowed", map[string]string{"Allow": "GET, PUT"}), "POST", "/api/captcha", nil, ""},
		"404 for an operation without one":   {problem(404, "not_found", nil), "GET", "/api/captcha", nil, ""},
		"a preflight outside /api and /user": {answer{status: 204, header: map[string]string{"Content-Type": ""}}, "OPTIONS", "/docs", nil, ""},
		"a preflight without methods":        {answer{status: 204}, "OPTIONS", "/api/auth/me", map[string]string{"Access-Control-Request-Method": "GET"}, ""},

		"HEAD without a header": {answer{status: 200, header: map[string]string{"ETag": "", "Content-Type": "text/html; charset=utf-8"}}, "HEAD", "/docs", nil, ""},
		"304 without its ETag":  {answer{status: 304}, "GET", "/docs", map[string]string{"If-None-Match": `"x"`}, ""},

		"success without a session":           {empty, "GET", "/api/auth/account", nil, ""},
		"success for another scheme":          {empty, "GET", "/api/auth/account", map[string]string{"Authorization": "Basic eDp5"}, ""},
		"success without a body":              {done, "PUT", "/api/email", asJSON, ""},
		"success without a field":             {done, "PUT", "/api/email", asJSON, `{"email":"a@b"}`},
		"success for a wrong value":           {done, "PUT", "/api/email", asJSON, `{"email":"a@b","type":"x"}`},
		"success for a number as text":        {done, "PUT", "/api/email", asJSON, `{"email":5,"type":"password"}`},
		"success for null":                    {done, "PUT", "/api/email", asJSON, `null`},
		"success for a name twice":            {done, "PUT", "/api/email", asJSON, `{"email":"a@b","type":"password","type":"password"}`},
		"success for a form's name twice":     {done, "PUT", "/api/email", asForm, "email=a%40b&type=password&type=password"},
		"success for trailing bytes":          {done, "PUT", "/api/email", asJSON, send + "x"},
		"success for broken UTF-8":            {done, "PUT", "/api/email", asForm, "email=a%40b\xff&type=password"},
		"success for UTF-8 broken by escapes": {done, "PUT", "/api/email", asForm, "email=a%40b%ff&type=password"},
		"success for an unread type":          {done, "PUT", "/api/email", map[string]string{"Content-Type": "text/plain"}, send},
		"success for an unread charset":       {done, "PUT", "/api/email", map[string]string{"Content-Type": "application/json; charset=gbk"}, send},
		"success without a type":              {done, "PUT", "/api/email", nil, send},
		"success for an unasked list":         {answer{status: 200, body: captcha}, "GET", "/api/captcha", asJSON, "[]"},
		"success for page 0":                  {empty, "GET", "/api/auth/account?page=0", token, ""},
		"success for page 01":                 {empty, "GET", "/api/auth/account?page=01", token, ""},
		"success for page 1.0":                {empty, "GET", "/api/auth/account?page=1.0", token, ""},
		"success for an empty page":           {empty, "GET", "/api/auth/account?page=", token, ""},
		"success for two pages":               {empty, "GET", "/api/auth/account?page=1&page=1", token, ""},
		"success for a page of 201":           {empty, "GET", "/api/auth/account?page_size=201", token, ""},
		"success for id abc":                  {empty, "GET", "/api/auth/account/abc/log", token, ""},
		"success for id 2^53":                 {empty, "GET", "/api/auth/account/9007199254740992/log", token, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if reports := exchange(t, c.answer, c.method, c.path, c.header, strings.NewReader(c.body)); len(reports) != 1 {
				t.Errorf("reported %q, want one report", reports)
			}
		})
	}
}

func TestBodyThatCanBeReadOnceIsCheckedToo(t *testing.T) {
	t.Parallel()
	once := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) } // hides the length
	if reports := exchange(t, done, "PUT", "/api/email", asJSON, once(send)); len(reports) > 0 {
		t.Errorf("reported %q", reports)
	}
	if reports := exchange(t, done, "PUT", "/api/email", asJSON, once("{}")); len(reports) != 1 {
		t.Errorf("reported %q, want one report", reports)
	}
}

// roundTripper is a base that answers by a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestBrokenConnectionIsTheCallersToSee(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	rec := &recorder{TB: t}
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost/api/captcha", nil)

	_, err := apitest.NewTransport(rec, roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, refused
	})).RoundTrip(req)
	if !errors.Is(err, refused) {
		t.Errorf("got %v, want the error of the connection", err)
	}

	resp, err := apitest.NewTransport(rec, roundTripper(func(*http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(`{"id":`), &failing{refused})
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, nil
	})).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(got) != `{"id":` || !errors.Is(err, refused) {
		t.Errorf("read %q, %v: want what came and the error of the connection", got, err)
	}
	if len(rec.reports) > 0 {
		t.Errorf("reported %q", rec.reports)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestRoutesAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	routes := apitest.Routes()
	for _, route := range []string{"GET /api/captcha", "PUT /api/auth/account/{id}", "GET /healthz", "GET /{$}", "POST /user/login", "POST /user/login/{$}", "GET /user/files/{id}"} {
		if !slices.Contains(routes, route) {
			t.Errorf("%s is not among the routes %q", route, routes)
		}
	}
	if !slices.IsSorted(routes) {
		t.Errorf("routes are not sorted: %q", routes)
	}
}

// Not parallel: it looks at what the whole process saw.
func TestCoverageTellsSuccessFromRefusal(t *testing.T) {
	ranBefore := slices.Contains(apitest.Seen()["UpdateProfile"], http.StatusOK) // with -count
	exchange(t, problem(400, "invalid", nil), "PUT", "/api/auth/me", map[string]string{"Authorization": "Bearer x", "Content-Type": "application/json"}, strings.NewReader("{}"))
	if !ranBefore && !slices.Contains(apitest.Unseen(), "UpdateProfile") {
		t.Error("an operation that only refused counts as exercised")
	}
	if got := apitest.Seen()["UpdateProfile"]; !slices.Contains(got, 400) {
		t.Errorf("saw statuses %d of UpdateProfile, want 400 among them", got)
	}
	exchange(t, done, "PUT", "/api/auth/me", map[string]string{"Authorization": "Bearer x", "Content-Type": "application/json"}, strings.NewReader(`{"email":"a@b","phone":"1","real_name":"x"}`))
	if slices.Contains(apitest.Unseen(), "UpdateProfile") {
		t.Error("an operation that succeeded counts as not exercised")
	}
}
