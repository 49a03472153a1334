package httpd_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
)

// nowhere is a response writer that keeps nothing.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }

// line takes a line of the log, which costs its making though nobody reads it.
type line struct{}

func (line) Write(b []byte) (int, error) { return len(b), nil }

// What the server itself costs each request, its line in the log included.
func BenchmarkRequest(b *testing.B) {
	s, err := httpd.New(httpd.Options{
		Surfaces: []wire.Surface{vault(route("GET /api/auth/account", func(w http.ResponseWriter, _ *http.Request) {
			wire.WriteJSON(w, http.StatusOK, func(b []byte) []byte { return append(b, `{"data":[],"count":0}`...) })
		}))},
		Ready: func(context.Context) map[string]error { return nil },
		Log:   slog.New(slog.NewTextHandler(line{}, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/api/auth/account?page=1&page_size=20", nil)
	r.Header.Set("Authorization", "Bearer abc")
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(nowhere{http.Header{}}, r)
	}
}
