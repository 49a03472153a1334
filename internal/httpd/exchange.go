package httpd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
)

// exchange is one request and its answer. It is the http.ResponseWriter that the routes write to, and
// counts what they write.
type exchange struct {
	wire.Exchange
	w       http.ResponseWriter
	surface *wire.Surface
	route   string // the pattern that was met, "" where none was
	status  int    // 0 until the header is written
	bytes   int64
	unmet   unmet
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	x := &exchange{
		Exchange: wire.Exchange{
			ClientAddr:     clientAddr(r, s.trusted),
			RequestID:      rand.Text(), // at least 128 bits, in base32
			AcceptLanguage: r.Header.Get("Accept-Language"),
			Secure:         s.origins.secure || byTLS(r, s.trusted),
		},
		w:       w,
		surface: s.surfaceOf(r.URL.Path),
	}
	x.unmet.exchange = x
	r = r.WithContext(wire.WithExchange(r.Context(), &x.Exchange))
	secure(w.Header(), x.RequestID)
	defer func() {
		abort := s.recovered(x, r, recover())
		s.logLine(x, r, time.Since(began))
		if abort {
			panic(http.ErrAbortHandler)
		}
	}()
	s.serve(x, r)
}

// secure sets the headers that every answer bears. A page widens the policy to what it needs.
func secure(header http.Header, requestID string) {
	header["X-Request-Id"] = []string{requestID}
	header["X-Content-Type-Options"] = noSniff
	header["X-Frame-Options"] = deny
	header["Referrer-Policy"] = noReferrer
	header["Content-Security-Policy"] = loadNothing
}

// Header values that are the same on every answer; nobody may change them in place.
var (
	noSniff     = []string{"nosniff"}
	deny        = []string{"DENY"}
	noReferrer  = []string{"no-referrer"}
	loadNothing = []string{"default-src 'none'; frame-ancestors 'none'"}
)

var errPanic = errors.New("handler panicked")

// recovered answers for a panic: with the surface's 500 where nothing was answered yet. Otherwise, and
// where the handler asked for it, it tells to abort, so that the client sees that the answer is cut.
func (s *Server) recovered(x *exchange, r *http.Request, panicked any) (abort bool) {
	if panicked == nil {
		return false
	}
	if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	s.log.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("request_id", x.RequestID),
		slog.String("panic", fmt.Sprint(panicked)),
		slog.String("stack", string(debug.Stack())))
	if x.status != 0 {
		return true
	}
	header := x.Header()
	header.Del("Content-Length")
	header.Del("Set-Cookie")
	x.surface.Fail(x, r, errPanic) // the log has said why
	return false
}

// How much of what a client made up is repeated in the log.
const (
	maxLoggedMethod = 16
	maxLoggedPath   = 64
)

func (s *Server) logLine(x *exchange, r *http.Request, took time.Duration) {
	level := slog.LevelInfo
	if x.route == "GET "+livePath || x.route == "GET "+readyPath {
		level = slog.LevelDebug // asked for every few seconds, by machines
	}
	attrs := make([]slog.Attr, 0, 7)
	attrs = append(attrs, slog.String("method", cut(r.Method, maxLoggedMethod)))
	if x.route != "" {
		attrs = append(attrs, slog.String("route", x.route))
	} else {
		attrs = append(attrs, slog.String("path", cut(r.URL.Path, maxLoggedPath)))
	}
	status := x.status
	if status == 0 {
		status = http.StatusOK // what net/http sends for a handler that wrote nothing
	}
	attrs = append(attrs,
		slog.Int("status", status),
		slog.Int64("bytes", x.bytes),
		slog.Duration("took", took),
		slog.String("request_id", x.RequestID))
	if problem := x.Problem(); problem != nil {
		f, shown := errors.AsType[*fault.Error](problem)
		switch {
		case status >= http.StatusInternalServerError:
			level = slog.LevelError
			attrs = append(attrs, slog.String("err", problem.Error()))
		case shown:
			attrs = append(attrs, slog.String("fault", f.Slug))
		case !wire.Gone(r.Context(), problem): // the answer was begun before it went wrong
			level = slog.LevelError
			attrs = append(attrs, slog.String("err", problem.Error()))
		}
	}
	s.log.LogAttrs(r.Context(), level, "request", attrs...)
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= http.StatusOK { // a 1xx is not the answer yet
		x.status = status
	}
	x.w.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.w.Write(b)
	x.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }
