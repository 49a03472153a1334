// Package memberapi is the surface of document 000 under /user, with our extensions: the member's own area
// and their backups. A request is read here, done by a domain service, and answered here; nothing is decided
// here but how it is worded.
//
// What always holds: the texts that the document shows are answered to the character, in every language;
// what a client sent is never repeated in an answer of an error.
package memberapi

import (
	"context"
	"errors"
	"net/http"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

// maxBody is the most bytes of a request's body, uploads apart.
const maxBody = 256 << 10

var errUnauthenticated = fault.New(fault.Unauthenticated, "unauthenticated", phrase.LogIn)

// Services is what the surface speaks for.
type Services struct {
	Users    *user.Service
	Sessions *session.Service
	Backups  *backup.Service
}

// api holds the handlers.
type api struct{ Services }

// answer writes an operation's answer.
type answer func(w http.ResponseWriter, r *http.Request)

// body answers with JSON, in words of a language where it has words.
func body(appendBody func(b []byte, l phrase.Language) []byte) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		language := wire.Language(r.Context())
		w.Header().Set("Content-Language", language.Tag())
		wire.WriteJSON(w, http.StatusOK, func(b []byte) []byte { return appendBody(b, language) })
	}
}

// say answers with code 200 and a message.
func say(p phrase.Phrase) answer {
	return body(func(b []byte, l phrase.Language) []byte {
		return append(appendHead(b, http.StatusOK, p.In(l)), '}')
	})
}

// appendHead begins the object that almost all answers are.
func appendHead(b []byte, code int, message string) []byte {
	b = wire.AppendInt(append(b, '{'), "code", int64(code))
	return wire.AppendText(b, "message", message)
}

// reading takes what an operation needs out of a request.
type reading[Q any] func(*wire.Reader, *http.Request) Q

// failing answers with an error in a shape.
type failing func(http.ResponseWriter, *http.Request, error)

// visited makes the handler of an operation that anybody may ask for. What is wrong with how the fields
// were sent is told together with what the operation finds wrong with them, so the operation is told too.
func visited[Q any](read reading[Q], do func(context.Context, session.Visitor, Q) (answer, error), fail failing) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		query, err := request(w, r, read)
		if err != nil {
			fail(w, r, err)
			return
		}
		result, err := do(ctx, visitor(ctx), query)
		reply(w, r, result, err, fail)
	})
}

// loggedIn makes the handler of an operation for those with a live session. Who has none is told so before
// anything else.
func loggedIn[Q any](sessions *session.Service, read reading[Q], do func(context.Context, session.Asker, Q) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		who, err := identify(r, sessions)
		if err != nil {
			fail(w, r, err)
			return
		}
		query, err := request(w, r, read)
		if err != nil {
			fail(w, r, err)
			return
		}
		result, err := do(ctx, who, query)
		reply(w, r, result, err, fail)
	})
}

// streamed makes the handler of an operation that reads the body itself, for those with a live session.
func streamed(sessions *session.Service, do func(http.ResponseWriter, *http.Request, session.Asker) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := identify(r, sessions)
		if err != nil {
			fail(w, r, err)
			return
		}
		result, err := do(w, r, who)
		reply(w, r, result, err, fail)
	})
}

// notByHead keeps HEAD, which comes with a pattern of GET, from an operation that does something: who asks
// for the head of an answer wants to look only.
func notByHead(handler http.Handler, fail failing) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Allow", http.MethodGet)
			fail(w, r, wire.ErrMethodNotAllowed)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

func identify(r *http.Request, sessions *session.Service) (session.Asker, error) {
	ctx := r.Context()
	token, _ := wire.Token(r)
	identity, err := sessions.Identify(ctx, token)
	if errors.Is(err, session.ErrNone) {
		err = errUnauthenticated
	}
	return session.Asker{Identity: identity, Visitor: visitor(ctx)}, err
}

func request[Q any](w http.ResponseWriter, r *http.Request, read reading[Q]) (Q, error) {
	var none Q
	fields, err := wire.ReadForm(w, r, maxBody)
	if err != nil {
		return none, err
	}
	reader := wire.NewReader(r, fields)
	query := read(reader, r)
	return query, reader.Err()
}

func reply(w http.ResponseWriter, r *http.Request, result answer, err error, fail failing) {
	if err != nil {
		fail(w, r, err)
		return
	}
	result(w, r)
}

func visitor(ctx context.Context) session.Visitor {
	return session.Visitor{Address: wire.ClientAddr(ctx), Language: wire.Language(ctx)}
}
