// Package client speaks to a Caesar server: one method for each operation of its interface, named as in
// api/openapi.yaml. Those under /api are methods of [Client], those under /user of [Member], without the
// Member that their names begin with.
//
// What always holds: passwords travel in bodies only, and the token in the Authorization header only, or
// in the cookie; a redirect is never followed, so that neither ends where it was not sent. What the server
// refuses comes back as an [*Error]; any other error means that there was no answer, or none that could be
// read. Files are streamed, never held whole.
//
// In this package an item is what the interface calls an account: a name, email and password kept for
// some platform.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// defaultTimeout bounds a request from its first byte to the last of the answer, unless it carries a
	// file.
	defaultTimeout = 30 * time.Second
	// maxAnswer bounds what is read of an answer. The largest, a page of 200 items with every field as
	// long as it may be, has about 14 MiB.
	maxAnswer = 32 << 20
)

// Client speaks to one server, for one session at a time. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	http      http.Client
	files     http.Client // the same without a time-out
	language  string
	userAgent string
	forms     bool
	cookies   bool

	mu    sync.RWMutex
	token string
}

// Option changes how a Client works.
type Option func(*Client)

// WithHTTPClient sends requests through a copy of c, for its transport and its time-out, which does not
// bound files. Unless it has a rule of its own, the copy follows no redirects.
func WithHTTPClient(c *http.Client) Option {
	return func(client *Client) { client.http = *c }
}

// WithToken starts with the session of an earlier login.
func WithToken(token string) Option {
	return func(client *Client) { client.token = token }
}

// WithLanguage asks for messages in a language: "zh" or "en" (RFC 9110, section 12.5.4). The server
// speaks Chinese where it is not asked.
func WithLanguage(acceptLanguage string) Option {
	return func(client *Client) { client.language = acceptLanguage }
}

// WithUserAgent names the program that logs in, as the list of sessions shows it.
func WithUserAgent(name string) Option {
	return func(client *Client) { client.userAgent = name }
}

// WithForms sends bodies as application/x-www-form-urlencoded in place of JSON.
func WithForms() Option {
	return func(client *Client) { client.forms = true }
}

// WithCookies shows the session as browsers do, in the cookie sessionid, in place of Authorization.
func WithCookies() Option {
	return func(client *Client) { client.cookies = true }
}

// New returns a client for the server at an address such as http://localhost:8888, without /api or /user at
// its end; a path before that, such as a proxy's, belongs to it. It sends nothing yet.
func New(server string, options ...Option) (*Client, error) {
	base, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("parse server address: %w", err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, errors.New("parse server address: want http://host or https://host")
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("parse server address: it can't hold a user, a query or a fragment")
	}
	c := &Client{base: base, http: http.Client{Timeout: defaultTimeout}, userAgent: "caesar-client/1"}
	for _, option := range options {
		option(c)
	}
	if c.http.CheckRedirect == nil {
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	c.files = c.http
	c.files.Timeout = 0
	return c, nil
}

// Token returns the token of the session, empty where nobody is logged in.
func (c *Client) Token() string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.token
}

// SetToken goes on with another session; an empty token forgets the one there is.
func (c *Client) SetToken(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

// fields is the body of a request: the interface knows nothing but text in it.
type fields map[string]string

// call sends a request to the interface under /api and reads a successful answer into out, unless that
// is nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body fields, out any) error {
	contentType, encoded, err := c.encode(body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req, err := c.request(ctx, method, "api/"+path, query, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if strings.HasPrefix(path, "auth/") {
		c.showSession(req)
	}
	_, err = answerTo(&c.http, req, out)
	return err
}

// request makes a request that shows no session yet.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	address := c.base.JoinPath(path)
	address.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if c.language != "" {
		req.Header.Set("Accept-Language", c.language)
	}
	return req, nil
}

// sessionCookie is the name of the cookie that carries a session.
const sessionCookie = "sessionid"

// showSession adds the session to a request, where there is one.
func (c *Client) showSession(req *http.Request) {
	token := c.Token()
	switch {
	case token == "":
	case c.cookies:
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: token}) //nolint:gosec // a request's cookie has no attributes
	default:
		req.Header.Set("Authorization", "Bearer "+token)
	}
}

// answerTo sends a request, reads a successful answer into out, unless that is nil, and returns its
// cookies.
func answerTo(through *http.Client, req *http.Request, out any) ([]*http.Cookie, error) {
	resp, err := through.Do(req)
	if err != nil {
		return nil, fmt.Errorf("send request: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errorFrom(resp, answer)
	}
	if len(answer) > maxAnswer {
		return nil, errors.New("read answer: it is longer than any that a server gives")
	}
	if out == nil {
		return resp.Cookies(), nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return resp.Cookies(), nil
}

func (c *Client) encode(body fields) (contentType string, encoded []byte, err error) {
	for name, value := range body {
		if !utf8.ValidString(value) {
			// Encoded as JSON it would become another text, and a password that nobody chose.
			return "", nil, fmt.Errorf("field %s is not UTF-8", name)
		}
	}
	switch {
	case body == nil:
		return "", nil, nil
	case c.forms:
		form := make(url.Values, len(body))
		for name, value := range body {
			form.Set(name, value)
		}
		return "application/x-www-form-urlencoded", []byte(form.Encode()), nil
	}
	encoded, err = json.Marshal(body)
	return "application/json", encoded, err
}

// Unix is a time as the interface gives it: seconds since 1970.
type Unix int64

// Time returns the same moment in the local time zone.
func (u Unix) Time() time.Time { return time.Unix(int64(u), 0) }
