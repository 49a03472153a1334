package wire

import "net/http"

// Surface is one of the interfaces that the server speaks, as httpd mounts it.
type Surface struct {
	// Prefix is the path, without a trailing slash, that the surface owns with all that is below it.
	Prefix string
	// Routes are all that it answers.
	Routes []Route
	// Fail answers with an error in the surface's own shape: what a handler returned, ErrNoSuchAddress,
	// ErrMethodNotAllowed (the Allow header is set already), ErrCrossSite, or a panic.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
	// AnyOrigin lets pages of any origin call it with a bearer token (CORS without credentials).
	AnyOrigin bool
}

// Route is one pattern of http.ServeMux with its method, such as "GET /api/captcha", and what answers it.
// A pattern must name one path, or a family of paths of one depth: none that ends in a bare slash.
type Route struct {
	Pattern string
	Handler http.Handler
	// Guarded says that the route gives or ends a session of the cookie: it is refused to pages of other
	// sites whatever the method, and also where the request carries no cookie.
	Guarded bool
}
