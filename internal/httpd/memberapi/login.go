package memberapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

type loginRequest struct {
	login    user.Login
	remember bool
	previous string       // the token of the session whose cookie came along
	wrong    fault.Fields // with how it was sent
}

func readLogin(rd *wire.Reader, r *http.Request) loginRequest {
	q := loginRequest{
		login:    user.Login{Handle: text(rd, "email"), Password: text(rd, "password"), Client: rd.UserAgent(), Life: session.Short},
		remember: rd.Binary("remember"),
		previous: wire.CookieToken(r),
	}
	if q.remember {
		q.login.Life = session.Long
	}
	q.wrong = rd.TakeFaults()
	return q
}

// login is POST /user/login/.
func (a *api) login(ctx context.Context, from session.Visitor, q loginRequest) (answer, error) {
	credentials, err := a.Users.CheckMemberLogin(q.login)
	if err := together(q.wrong, inLoginWords(err)); err != nil {
		return nil, err
	}
	token, err := a.Users.LoginMember(ctx, credentials, from)
	if err != nil {
		return nil, err
	}
	// Nobody is to find themselves in a session that somebody else had set in their browser before.
	if err := a.end(ctx, q.previous); err != nil {
		return nil, err
	}
	maxAge := untilClosed
	if q.remember {
		maxAge = int(session.Long / time.Second)
	}
	return withCookie(token, maxAge, say(phrase.MemberLoggedIn)), nil
}

// inLoginWords has the form of the login say of a bad email what the one of Django does there.
func inLoginWords(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !f.Fields["email"].Is(phrase.BadEmail) {
		return err
	}
	f.Fields["email"] = phrase.MemberLoginEmail
	return f
}

// end ends the session of a token, if there is one.
func (a *api) end(ctx context.Context, token string) error {
	identity, err := a.Sessions.Identify(ctx, token)
	if errors.Is(err, session.ErrNone) {
		return nil
	}
	if err == nil {
		_, err = a.Sessions.End(ctx, identity, identity.SessionID)
	}
	return err
}

func readTokens(_ *wire.Reader, r *http.Request) [2]string {
	token, _ := wire.Token(r)
	return [2]string{token, wire.CookieToken(r)}
}

// logout is GET /user/logout/. It ends what the request shows, by header and by cookie.
func (a *api) logout(ctx context.Context, _ session.Visitor, tokens [2]string) (answer, error) {
	for _, token := range tokens {
		if err := a.end(ctx, token); err != nil {
			return nil, err
		}
	}
	return withCookie("", cleared, body(func(b []byte, _ phrase.Language) []byte { return append(b, "{}"...) })), nil
}

// How long a browser keeps the cookie, as http.Cookie has it in MaxAge, beside a number of seconds.
const (
	untilClosed = 0
	cleared     = -1
)

// withCookie sets the session cookie along with an answer: one that goes by TLS only, where the client
// came so, since it would not come back otherwise.
func withCookie(token string, maxAge int, result answer) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure is decided by the request
			Name: wire.SessionCookie, Value: token, Path: "/", MaxAge: maxAge,
			Secure: wire.Secure(r.Context()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		result(w, r)
	}
}
