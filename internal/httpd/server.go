// Package httpd is the HTTP server: it listens, mounts the surfaces, and does for each request what no
// surface should have to think of: a request id, one line in the log, the client's address and language,
// security headers, CORS, the refusal of cross-site requests, time-outs and an orderly end.
//
// What always holds: every answer bears X-Request-Id and the security headers; a path or a method that
// no route has is answered in the shape of the surface that owns the path, and never by a redirect; a
// panic ends its own request only; the log names no query, no header and no body; no header that a client
// could forge says where a request comes from.
package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"caesar/internal/httpd/wire"
)

// The bounds of a connection. A route that carries more than a small body moves its own deadlines by
// http.ResponseController.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second // the whole request
	writeTimeout      = 60 * time.Second // from the end of the header to the end of the answer
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	grace             = 30 * time.Second // for running requests when the server stops
)

// Options are what a Server is made of.
type Options struct {
	Surfaces []wire.Surface
	Pages    []Page
	// Ready tells for each part that the server needs, by its name, whether it is there (nil) or what is
	// wrong. It must heed its context.
	Ready func(context.Context) map[string]error
	// PublicURL is where people reach the server, if known: its origin counts as our own.
	PublicURL string
	// Origins may call with credentials from their pages: each a scheme and a host, such as
	// https://vault.example.
	Origins []string
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
}

// Server answers requests. It is an http.Handler too, so that tests need no listener.
type Server struct {
	mux      *http.ServeMux
	surfaces []wire.Surface
	ready    func(context.Context) map[string]error
	origins  *origins
	trusted  []netip.Prefix
	log      *slog.Logger
	http     *http.Server
}

// Listen binds a TCP address, so that a server finds out before all other work that it can't.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: another program has this address; choose another one: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// New makes a server. It fails on a PublicURL or an origin that is none, and panics on a pattern that
// http.ServeMux refuses.
func New(o Options) (*Server, error) {
	origins, err := newOrigins(o.PublicURL, o.Origins)
	if err != nil {
		return nil, err
	}
	s := &Server{
		mux:      http.NewServeMux(),
		surfaces: o.Surfaces,
		ready:    o.Ready,
		origins:  origins,
		trusted:  o.TrustedProxies,
		log:      o.Log,
	}
	s.http = &http.Server{
		Handler:                      s,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            readHeaderTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeaderBytes,
		ErrorLog:                     slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	s.register(o.Pages)
	return s, nil
}

func (s *Server) register(pages []Page) {
	s.handle("GET "+livePath, http.HandlerFunc(s.live))
	s.handle("GET "+readyPath, http.HandlerFunc(s.answerReady))
	s.handle("GET /{$}", http.RedirectHandler("/docs", http.StatusSeeOther))
	for _, page := range pages {
		s.handle("GET "+page.Path, page.handler())
	}
	for i := range s.surfaces {
		for _, route := range s.surfaces[i].Routes {
			s.mount(&s.surfaces[i], route)
		}
	}
}

// Serve answers the connections of a listener until ctx ends, and then lets the running requests finish.
// It returns nil once all have, or an error for the ones that it had to cut off.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.http.Shutdown(deadline); err != nil {
		_ = s.http.Close() // it only repeats that the listener is closed
		return fmt.Errorf("stop serving: requests still ran after %s: %w", grace, err)
	}
	return nil
}
