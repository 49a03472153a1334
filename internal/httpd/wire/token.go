package wire

import (
	"net/http"
	"strings"
)

// SessionCookie is the name of the cookie that carries a session token.
const SessionCookie = "sessionid"

// Token returns the session token of a request, and whether it came by the cookie: "" where the request
// carries none. A bearer token (RFC 6750, section 2.1) goes before the cookie, so that what is checked
// for cookies, that they come from our own pages, is never skipped by adding a header that is not used.
func Token(r *http.Request) (token string, byCookie bool) {
	const scheme = "Bearer "
	authorization := r.Header.Get("Authorization")
	if len(authorization) > len(scheme) && strings.EqualFold(authorization[:len(scheme)], scheme) {
		return strings.TrimLeft(authorization[len(scheme):], " "), false
	}
	token = CookieToken(r)
	return token, token != ""
}

// CookieToken returns the session token that came by the cookie, also beside a bearer token, or "".
func CookieToken(r *http.Request) string {
	cookie, err := r.Cookie(SessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}
