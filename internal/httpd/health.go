package httpd

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"caesar/internal/httpd/wire"
)

const (
	livePath  = "/healthz"
	readyPath = "/readyz"
	// readyTimeout bounds how long the parts may take to say that they are there.
	readyTimeout = 5 * time.Second
)

// live answers as long as the process does, whatever state its parts are in.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	wire.WriteJSON(w, http.StatusOK, func(b []byte) []byte { return append(b, `{"status":"ok"}`...) })
}

// answerReady tells whether requests are welcome: all parts are there. Which are away is told, and why is
// for the log. A server that stops takes no connection to ask it by.
func (s *Server) answerReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	var away []string
	for name, err := range s.ready(ctx) {
		if err != nil {
			away = append(away, name)
			s.log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.String("part", name), slog.String("err", err.Error()))
		}
	}
	slices.Sort(away)
	if len(away) == 0 {
		wire.WriteJSON(w, http.StatusOK, func(b []byte) []byte { return append(b, `{"status":"ready"}`...) })
		return
	}
	wire.WriteJSON(w, http.StatusServiceUnavailable, func(b []byte) []byte {
		b = wire.AppendText(append(b, '{'), "status", "not_ready")
		b = append(wire.AppendName(b, "parts"), '{')
		for _, name := range away {
			b = wire.AppendText(b, name, "away")
		}
		return append(b, '}', '}')
	})
}
