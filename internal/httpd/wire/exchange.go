package wire

import (
	"context"
	"net/netip"

	"caesar/internal/phrase"
)

// Exchange is what the server knows of a request before any surface sees it. The middleware of httpd
// makes one for each request.
type Exchange struct {
	// ClientAddr is who sent the request, with IPv4 never mapped into IPv6 and without a zone; behind a
	// trusted proxy, whom the proxy names. It is invalid where the peer has no IP address.
	ClientAddr netip.Addr
	// RequestID names the request in the answer's X-Request-Id and in the log.
	RequestID string
	// AcceptLanguage is the request's header of that name.
	AcceptLanguage string
	// Secure says that the client reaches the server by TLS, so that a cookie must not go without it.
	Secure bool

	problem error
}

// Problem returns what Note kept for the log.
func (e *Exchange) Problem() error { return e.problem }

type exchangeKey struct{}

// WithExchange returns a context that carries e.
func WithExchange(ctx context.Context, e *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, e)
}

func exchange(ctx context.Context) *Exchange {
	if e, ok := ctx.Value(exchangeKey{}).(*Exchange); ok {
		return e
	}
	return &Exchange{}
}

// ClientAddr returns the address of the client that sent the request of ctx.
func ClientAddr(ctx context.Context) netip.Addr { return exchange(ctx).ClientAddr }

// RequestID returns the id of the request of ctx.
func RequestID(ctx context.Context) string { return exchange(ctx).RequestID }

// Secure says whether the client of ctx reaches the server by TLS.
func Secure(ctx context.Context) bool { return exchange(ctx).Secure }

// maxAcceptLanguage bounds what is spent on reading a client's languages. Browsers send under 100 bytes.
const maxAcceptLanguage = 256

// Language returns the language in which the client of ctx wants to be answered. It is worked out at
// each call, since most answers hold no words.
func Language(ctx context.Context) phrase.Language {
	header := exchange(ctx).AcceptLanguage
	if len(header) > maxAcceptLanguage {
		return phrase.Chinese
	}
	return phrase.Preferred(header)
}

// Note keeps what went wrong with the request of ctx for its line in the log. It is to be called from
// the request's own goroutine.
func Note(ctx context.Context, problem error) { exchange(ctx).problem = problem }
