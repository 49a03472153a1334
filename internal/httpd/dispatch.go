package httpd

import (
	"net/http"
	"strings"

	"caesar/internal/httpd/wire"
)

// outside owns every path that no surface does.
var outside = wire.Surface{Fail: wire.Fail}

func (s *Server) surfaceOf(path string) *wire.Surface {
	for i := range s.surfaces {
		below, ok := strings.CutPrefix(path, s.surfaces[i].Prefix)
		if ok && (below == "" || below[0] == '/') {
			return &s.surfaces[i]
		}
	}
	return &outside
}

// serve hands a request to its route, unless its origin says not to.
func (s *Server) serve(x *exchange, r *http.Request) {
	if preflight := s.origins.allow(x.Header(), r, x.surface.AnyOrigin); preflight {
		x.WriteHeader(http.StatusNoContent)
		return
	}
	if s.origins.crossSite(r) {
		x.surface.Fail(x, r, wire.ErrCrossSite)
		return
	}
	s.mux.ServeHTTP(&x.unmet, r)
	if x.route != "" {
		return
	}
	if x.unmet.status == http.StatusMethodNotAllowed {
		x.Header()["Allow"] = x.unmet.header["Allow"]
		x.surface.Fail(x, r, wire.ErrMethodNotAllowed)
		return
	}
	// Also for a path that the mux would clean and redirect to, which would lose the body of a POST.
	x.surface.Fail(x, r, wire.ErrNoSuchAddress)
}

// mount registers a route of a surface, and keeps a guarded one from the pages of other sites.
func (s *Server) mount(surface *wire.Surface, route wire.Route) {
	handler := route.Handler
	if route.Guarded {
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.origins.foreign(r) {
				surface.Fail(w, r, wire.ErrCrossSite)
				return
			}
			route.Handler.ServeHTTP(w, r)
		})
	}
	s.handle(route.Pattern, handler)
}

// handle registers a route. The mux itself is given a writer that keeps its own answers from the client,
// and each route leaves that writer aside.
func (s *Server) handle(pattern string, handler http.Handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*unmet).exchange //nolint:errcheck // serve gives the mux no other writer
		x.route = pattern
		handler.ServeHTTP(x, r)
	})
}

// unmet takes what the mux answers to a request for which it has no route: 404, 405 with Allow, or a
// redirect to a cleaner path. It keeps the status and the header, and drops the text.
type unmet struct {
	exchange *exchange
	header   http.Header
	status   int
}

func (u *unmet) Header() http.Header {
	if u.header == nil {
		u.header = http.Header{}
	}
	return u.header
}

func (u *unmet) WriteHeader(status int) { u.status = status }

func (u *unmet) Write(b []byte) (int, error) { return len(b), nil }
