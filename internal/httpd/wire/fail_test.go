package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

// fail lets Fail answer a request with an error.
func fail(err error, acceptLanguage string) (*httptest.ResponseRecorder, *wire.Exchange) {
	exchange := &wire.Exchange{RequestID: "REQUEST", AcceptLanguage: acceptLanguage}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	wire.Fail(w, r.WithContext(wire.WithExchange(r.Context(), exchange)), err)
	return w, exchange
}

func TestEachKindHasItsStatus(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]int{
		fault.Invalid: 400, fault.Unauthenticated: 401, fault.CrossSite: 403, fault.NotFound: 404, wire.MethodNotAllowed: 405, fault.Conflict: 409,
		fault.TooLarge: 413, fault.UnsupportedType: 415, fault.TooMany: 429, fault.Full: 507, fault.Unavailable: 503, 0: 500, 200: 500,
	} {
		w, _ := fail(fmt.Errorf("do thing: %w", fault.New(kind, "slug", phrase.Required)), "")
		if w.Code != want || wire.Status(kind) != want {
			t.Errorf("kind %d: got status %d and %d, want %d", kind, w.Code, wire.Status(kind), want)
		}
		if got := w.Header().Get("WWW-Authenticate"); (got == "Bearer") != (want == 401) {
			t.Errorf("kind %d: got WWW-Authenticate %q", kind, got)
		}
		if got := w.Header().Get("Retry-After"); (got == "1") != (want == 429 || want == 503) {
			t.Errorf("kind %d: got Retry-After %q", kind, got)
		}
		if got := strings.Contains(w.Body.String(), "REQUEST"); got != (want >= 500) {
			t.Errorf("kind %d: names the request: %t", kind, got)
		}
	}
}

func TestAFaultIsToldInTheLanguageOfTheClient(t *testing.T) {
	t.Parallel()
	err := fault.InvalidFields(fault.Fields{"b": phrase.TooLong.With(3), "a": phrase.Required})
	for header, want := range map[string]struct{ body, language string }{
		"":                        {`{"message":"请求内容有误，请检查标出的字段","error":"invalid","fields":{"a":"必填","b":"过长，最多 3 个字符"}}`, "zh-CN"},
		"en-US,en;q=0.9":          {`{"message":"Some of what was sent is not right; see the fields named","error":"invalid","fields":{"a":"is required","b":"is too long: at most 3 characters"}}`, "en"},
		strings.Repeat("en,", 99): {`{"message":"请求内容有误，请检查标出的字段","error":"invalid","fields":{"a":"必填","b":"过长，最多 3 个字符"}}`, "zh-CN"},
	} {
		w, _ := fail(err, header)
		if got := w.Body.String(); got != want.body {
			t.Errorf("%q: got %s", header, got)
		}
		if got := w.Header().Get("Content-Language"); got != want.language {
			t.Errorf("%q: got Content-Language %q", header, got)
		}
	}
}

func TestAnUnknownErrorSaysNothingOfTheInside(t *testing.T) {
	t.Parallel()
	cause := errors.New("open /secret/place: password hunter2")
	w, exchange := fail(cause, "en")
	var got map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"message": phrase.Internal.In(phrase.English), "error": "internal", "request_id": "REQUEST"}
	if w.Code != 500 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %d %v, want 500 %v", w.Code, got, want)
	}
	if !errors.Is(exchange.Problem(), cause) {
		t.Errorf("the log is given %v", exchange.Problem())
	}
}

func TestAClientThatHungUpIsNoFaultOfTheServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
	w := httptest.NewRecorder()
	wire.Fail(w, r, fmt.Errorf("query items: %w", context.Canceled))
	if w.Code != 400 {
		t.Errorf("got status %d", w.Code)
	}
	w, _ = fail(fmt.Errorf("query items: %w", context.Canceled), "")
	if w.Code != 500 {
		t.Errorf("the client waits, and something else was cancelled: got status %d", w.Code)
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]int{0: 1, time.Nanosecond: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Second: 90, -time.Second: 1} {
		w, _ := fail(fault.New(fault.TooMany, "too_many", phrase.Required).After(wait), "")
		if got := w.Header().Get("Retry-After"); got != strconv.Itoa(want) {
			t.Errorf("%s: got %q, want %d", wait, got, want)
		}
	}
}
