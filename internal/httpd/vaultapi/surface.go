// Package vaultapi is the surface of document 003 under /api, with our extensions. A request is read
// here, done by a domain service, and answered here; nothing is decided here.
package vaultapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"caesar/internal/captcha"
	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// maxBody is the most bytes of a request's body: the longest item fits several times.
const maxBody = 256 << 10

var (
	errUnauthenticated = fault.New(fault.Unauthenticated, "unauthenticated", phrase.LogIn)
	errNoSession       = fault.New(fault.NotFound, "not_found", phrase.NoSession)
)

// Services is what the surface speaks for.
type Services struct {
	Users    *user.Service
	Vault    *vault.Service
	Sessions *session.Service
	Captcha  *captcha.Captcha
	Zone     *time.Location // in which a bare date is a day
}

// api holds the handlers.
type api struct{ Services }

// answer appends an operation's answer as JSON, in words of a language where it has words.
type answer func(b []byte, l phrase.Language) []byte

// say answers with a message.
func say(p phrase.Phrase) answer {
	return func(b []byte, l phrase.Language) []byte {
		return append(wire.AppendText(append(b, '{'), "message", p.In(l)), '}')
	}
}

// said answers with a message, if nothing went wrong.
func said(p phrase.Phrase, err error) (answer, error) {
	if err != nil {
		return nil, err
	}
	return say(p), nil
}

// visited makes the handler of an operation that anybody may ask for. A request is read whole before
// anything is done, so that a client is told at once of all that is wrong with it.
func visited[Q any](read func(*wire.Reader) Q, do func(context.Context, session.Visitor, Q) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		query, err := request(w, r, read)
		if err != nil {
			wire.Fail(w, r, err)
			return
		}
		result, err := do(ctx, visitor(ctx), query)
		reply(w, r, result, err)
	})
}

// loggedIn makes the handler of an operation below /auth. Who has no live session is told so before
// anything else.
func loggedIn[Q any](sessions *session.Service, read func(*wire.Reader) Q, do func(context.Context, session.Asker, Q) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		token, _ := wire.Token(r)
		identity, err := sessions.Identify(ctx, token)
		if errors.Is(err, session.ErrNone) {
			err = errUnauthenticated
		}
		if err != nil {
			wire.Fail(w, r, err)
			return
		}
		query, err := request(w, r, read)
		if err != nil {
			wire.Fail(w, r, err)
			return
		}
		result, err := do(ctx, session.Asker{Identity: identity, Visitor: visitor(ctx)}, query)
		reply(w, r, result, err)
	})
}

func request[Q any](w http.ResponseWriter, r *http.Request, read func(*wire.Reader) Q) (Q, error) {
	var none Q
	body, err := wire.ReadBody(w, r, maxBody)
	if err != nil {
		return none, err
	}
	reader := wire.NewReader(r, body)
	query := read(reader)
	if err := reader.Err(); err != nil {
		return none, err
	}
	return query, nil
}

func reply(w http.ResponseWriter, r *http.Request, result answer, err error) {
	if err != nil {
		wire.Fail(w, r, err)
		return
	}
	language := wire.Language(r.Context())
	wire.WriteJSON(w, http.StatusOK, func(b []byte) []byte { return result(b, language) })
}

func visitor(ctx context.Context) session.Visitor {
	return session.Visitor{Address: wire.ClientAddr(ctx), Language: wire.Language(ctx)}
}

// nothing is the request of an operation that takes none.
func nothing(*wire.Reader) struct{} { return struct{}{} }
