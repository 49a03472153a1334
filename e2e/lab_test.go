package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"caesar/api/apitest"
	"caesar/client"
	"caesar/internal/testbed"
)

// lab is a running server and a test that asks it.
type lab struct {
	*testbed.Server
	t    testing.TB
	base http.RoundTripper
	http *http.Client
}

// quick are the options of a server whose test is not about captchas or the price of a main password.
func quick() []testbed.Option {
	return []testbed.Option{testbed.Args("--captcha", "off"), cheapKDF()}
}

// cheapKDF is the least that a main password may cost.
func cheapKDF() testbed.Option { return testbed.Args("--main-kdf", "16MiB,2") }

// failures finds what a server logs of a request that it failed itself.
var failures = regexp.MustCompile(`(?m)^.*( status=5\d\d |level=ERROR).*$`)

// open starts a server for a test.
func open(t *testing.T, options ...testbed.Option) *lab {
	t.Helper()
	l := &lab{t: t, base: &http.Transport{}}
	t.Cleanup(func() { // after the server has ended
		if l.Server == nil {
			return
		}
		for _, line := range failures.FindAllString(l.Log(), 5) {
			t.Errorf("the server failed: %s", line)
		}
	})
	l.Server = testbed.Start(t, options...)
	return l.in(t)
}

// answersWithin is how long any answer may take: a server that hangs is to fail a test, not to hold it up.
const answersWithin = time.Minute

// in is the same lab for a subtest, which what goes wrong is laid at.
func (l *lab) in(t testing.TB) *lab {
	t.Helper()
	return &lab{
		Server: l.Server, t: t, base: l.base,
		http: &http.Client{
			Timeout:       answersWithin,
			Transport:     apitest.NewTransport(t, l.base),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// client returns a client of the server with nobody logged in.
func (l *lab) client(options ...client.Option) *client.Client {
	l.t.Helper()
	c, err := client.New(l.URL, append([]client.Option{client.WithHTTPClient(l.http)}, options...)...)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// question is a request as it is written, right or wrong.
type question struct {
	method, path string // the path with its query
	token        string // of the session, in Authorization
	header       http.Header
	body         []byte
	chunked      bool // the length of the body is not announced
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request.
func (l *lab) ask(q question) reply {
	l.t.Helper()
	var body io.Reader
	if q.body != nil {
		body = bytes.NewReader(q.body)
	}
	if q.chunked {
		body = io.MultiReader(body) // of a type whose length net/http does not know
	}
	request, err := http.NewRequestWithContext(l.t.Context(), q.method, l.URL+q.path, body)
	if err != nil {
		l.t.Fatal(err)
	}
	maps.Copy(request.Header, q.header)
	if q.token != "" {
		request.Header.Set("Authorization", "Bearer "+q.token)
	}
	response, err := l.http.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, answer}
}

// problem is what an answer says that is no success.
type problem struct {
	Message string            `json:"message"`
	Slug    string            `json:"error"`
	Fields  map[string]string `json:"fields"`
}

func (r reply) problem(t testing.TB) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		t.Errorf("read answer %q: %v", r.body, err)
	}
	return p
}

// encoding is one of the forms in which a body may be sent.
type encoding string

// The encodings. The last one is taken below /user only.
const (
	asJSON  encoding = "application/json"
	asForm  encoding = "application/x-www-form-urlencoded"
	asParts encoding = "multipart/form-data; boundary=" + boundary
)

// boundary stands between the parts of a body.
const boundary = "----caesar"

func (e encoding) String() string {
	switch e {
	case asForm:
		return "form"
	case asParts:
		return "parts"
	default:
		return "JSON"
	}
}

// header returns the header that tells the encoding.
func (e encoding) header() http.Header { return http.Header{"Content-Type": {string(e)}} }

// pair is one field of a body, the value as it is to stand there: escaped.
type pair struct{ name, raw string }

// body writes fields side by side, as they are.
func (e encoding) body(pairs []pair) []byte {
	var parts []string
	for _, p := range pairs {
		switch e {
		case asForm:
			parts = append(parts, p.name+"="+p.raw)
		case asParts:
			parts = append(parts, "--"+boundary+"\r\nContent-Disposition: form-data; name=\""+p.name+"\"\r\n\r\n"+p.raw+"\r\n")
		default:
			parts = append(parts, `"`+p.name+`":`+p.raw)
		}
	}
	switch e {
	case asForm:
		return []byte(strings.Join(parts, "&"))
	case asParts:
		return []byte(strings.Join(parts, "") + "--" + boundary + "--\r\n")
	default:
		return []byte("{" + strings.Join(parts, ",") + "}")
	}
}
