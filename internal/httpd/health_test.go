package httpd_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"caesar/internal/httpd"
)

func TestHealthAnswersWhateverStateThePartsAreIn(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Ready: func(context.Context) map[string]error { panic("not to be asked") }})
	if w := send(s, "GET", "/healthz"); w.Code != 200 || w.Body.String() != `{"status":"ok"}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestReadyNamesThePartThatIsAwayAndNotWhy(t *testing.T) {
	t.Parallel()
	parts := map[string]error{"database": nil, "mail": nil}
	s, journal := newServer(t, httpd.Options{Ready: func(context.Context) map[string]error { return parts }})
	if w := send(s, "GET", "/readyz"); w.Code != 200 || w.Body.String() != `{"status":"ready"}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	parts["database"] = errors.New("disk is gone")
	w := send(s, "GET", "/readyz")
	if w.Code != 503 || w.Body.String() != `{"status":"not_ready","parts":{"database":"away"}}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if line := journal.line(t, "not ready"); line["part"] != "database" || line["err"] != "disk is gone" {
		t.Errorf("got %v", line)
	}
}

func TestReadyDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	var left time.Duration
	s, _ := newServer(t, httpd.Options{Ready: func(ctx context.Context) map[string]error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return nil
	}})
	send(s, "GET", "/readyz")
	if left <= 0 || left > 5*time.Second {
		t.Errorf("the parts have %s to answer", left)
	}
}

func TestPagesAreServedWithTheirPolicyAndAnETag(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, httpd.Options{Pages: []httpd.Page{
		{Path: "/openapi.yaml", ContentType: "application/yaml", Body: []byte("openapi: 3.0.3\n")},
		{Path: "/docs", ContentType: "text/html; charset=utf-8", Body: []byte("<p>docs")},
	}})
	w := send(s, "GET", "/openapi.yaml")
	if w.Code != 200 || w.Body.String() != "openapi: 3.0.3\n" || w.Header().Get("Content-Type") != "application/yaml" || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
	}
	w = send(s, "GET", "/docs")
	if w.Body.String() != "<p>docs" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "style-src 'self'") {
		t.Errorf("got %s %v", w.Body, w.Header())
	}
	again := send(s, "GET", "/docs", "If-None-Match", w.Header().Get("ETag"))
	if again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("got %d %s", again.Code, again.Body)
	}
	if w := send(s, "GET", "/"); w.Code != 303 || w.Header().Get("Location") != "/docs" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}
