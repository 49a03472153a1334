package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"caesar/client"
)

// serve starts a server that answers by a function, and returns a client of it.
func serve(t *testing.T, handler http.HandlerFunc, options ...client.Option) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL+"/behind/a/proxy", options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRefusalComesBackAsAnError(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "3n5x2gqk")
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"message":"wait","error":"too_many","fields":{"email":"again","code":"too"}}`)
	})
	err := c.Activate(t.Context(), "a@b", "1")
	want := &client.Error{
		Status: 429, Slug: client.TooMany, Message: "wait", Fields: map[string]string{"email": "again", "code": "too"},
		RetryAfter: 90 * time.Second, RequestID: "3n5x2gqk",
	}
	var got *client.Error
	if !errors.As(err, &got) || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", err, want)
	}
	if client.Slug(err) != client.TooMany {
		t.Errorf("slug is %q", client.Slug(err))
	}
	if text := "429 too_many: wait; code: too; email: again"; err.Error() != text {
		t.Errorf("it reads %q, want %q", err, text)
	}
}

func TestAnswerOfSomethingElseIsAnErrorWithoutASlug(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"HTML": "<h1>Bad Gateway</h1>", "nothing": "", "other JSON": `{"error":5}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadGateway)
				_, _ = io.WriteString(w, answer)
			})
			_, err := c.Captcha(t.Context())
			var got *client.Error
			if !errors.As(err, &got) || got.Status != http.StatusBadGateway || got.Slug != "" || got.Message == "" {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestSuccessThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<p>") })
	_, err := c.Captcha(t.Context())
	if err == nil || client.Slug(err) != "" {
		t.Errorf("got %v", err)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the password went where the redirect pointed")
	}))
	t.Cleanup(elsewhere.Close)
	redirect := http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP
	for name, options := range map[string][]client.Option{"own": nil, "given": {client.WithHTTPClient(&http.Client{})}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := serve(t, redirect, options...).Login(t.Context(), client.Credentials{Password: "correct horse"})
			var got *client.Error
			if !errors.As(err, &got) || got.Status != http.StatusTemporaryRedirect {
				t.Errorf("got %v, want the redirect as an error", err)
			}
		})
	}
}

func TestRequestSaysWhoAsksAndHow(t *testing.T) {
	t.Parallel()
	seen := make(chan *http.Request, 1)
	handler := func(w http.ResponseWriter, r *http.Request) {
		seen <- r
		_, _ = io.WriteString(w, `{}`)
	}
	c := serve(t, handler, client.WithToken("t0ken"), client.WithLanguage("en"), client.WithUserAgent("caesar-cli/1.0"))
	if err := c.EndSession(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	r := <-seen
	if r.URL.Path != "/behind/a/proxy/api/auth/sessions/3" {
		t.Errorf("path is %q", r.URL.Path)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer t0ken", "Accept-Language": "en", "User-Agent": "caesar-cli/1.0", "Content-Type": "",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, err := c.Captcha(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := (<-seen).Header.Get("Authorization"); got != "" {
		t.Errorf("the token went to an operation that wants none: %q", got)
	}
}

func TestTokenStaysWhereTheLastRequestFails(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, client.WithToken("t0ken"))
	if err := c.SignOut(t.Context()); err == nil {
		t.Fatal("want an error")
	}
	if c.Token() != "t0ken" {
		t.Errorf("token is %q", c.Token())
	}
}

func TestTextThatIsNotUTF8IsNotSent(t *testing.T) {
	t.Parallel()
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	err := c.Erase(t.Context(), "\xffsecret")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

func TestServerAddressThatCannotBeOneIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:8888", "ftp://host", "http://", "http://u:p@host", "http://host?x=1", "http://host#x", "http://%"} {
		if _, err := client.New(address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}

func TestCaptchaIsAPicture(t *testing.T) {
	t.Parallel()
	drawn, err := newClient(t, examples(t)).Captcha(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	picture, err := drawn.PNG()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Errorf("decode the picture: %v", err)
	}
	for _, broken := range []string{"", "data:image/gif;base64,AAAA", "data:image/png;base64,!"} {
		if _, err := (client.CaptchaImage{Image: broken}).PNG(); err == nil {
			t.Errorf("%q is read as a picture", broken)
		}
	}
}

func TestSlugsAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	ours := map[string]bool{}
	for _, slug := range []string{
		client.Invalid, client.CaptchaWrong, client.CodeWrong, client.LoginWrong, client.NotActivated,
		client.MainPasswordWrong, client.Unauthenticated, client.CrossSite, client.NotFound, client.MethodNotAllowed,
		client.Taken, client.MainPasswordUnset, client.TooLarge, client.UnsupportedType, client.TooMany,
		client.Internal, client.Unavailable, client.Full,
	} {
		ours[slug] = true
	}
	documented := map[string]bool{}
	for _, response := range document(t).Components.Responses {
		for slug := range slugsOf(response.Value) {
			documented[slug] = true
		}
	}
	if !reflect.DeepEqual(ours, documented) {
		t.Errorf("slugs are %v, documented are %v", ours, documented)
	}
}

// slugsOf returns what the error of a refusal can be.
func slugsOf(response *openapi3.Response) map[string]bool {
	slugs := map[string]bool{}
	content := response.Content["application/json"]
	if content == nil {
		return slugs
	}
	for _, part := range content.Schema.Value.AllOf {
		if property := part.Value.Properties["error"]; property != nil {
			for _, slug := range property.Value.Enum {
				slugs[fmt.Sprint(slug)] = true
			}
		}
	}
	return slugs
}
