package wire

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// The kinds that only HTTP knows.
const (
	MethodNotAllowed    fault.Kind = 255 // the address is there, the method is not
	RangeNotSatisfiable fault.Kind = 254 // the file is there, the range of it is not
)

// Faults that arise before a route is reached.
var (
	ErrNoSuchAddress    = fault.New(fault.NotFound, "not_found", phrase.NoSuchAddress)
	ErrMethodNotAllowed = fault.New(MethodNotAllowed, "method_not_allowed", phrase.MethodNotAllowed)
	ErrCrossSite        = fault.New(fault.CrossSite, "cross_site", phrase.CrossSite)
)

// Status returns the status of a kind of fault on /api, and 500 for a kind it does not know.
func Status(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.CrossSite:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case RangeNotSatisfiable:
		return http.StatusRequestedRangeNotSatisfiable
	case fault.UnsupportedType:
		return http.StatusUnsupportedMediaType
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Full:
		return http.StatusInsufficientStorage
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// Fail answers with an error in the shape of /api: message, error and, where fields are at fault, fields.
// An error that is no *fault.Error is kept for the log and answered as a 500 that says nothing of the
// inside but the request's id.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	f := Told(ctx, err)
	status := Status(f.Kind)
	language := Language(ctx)
	FailHeader(w.Header(), f, status, language)
	WriteJSON(w, status, func(b []byte) []byte {
		b = append(b, '{')
		b = AppendText(b, "message", f.Message.In(language))
		b = AppendText(b, "error", f.Slug)
		b = appendFieldFaults(b, f.Fields, language)
		if status >= http.StatusInternalServerError {
			b = AppendText(b, "request_id", RequestID(ctx))
		}
		return append(b, '}')
	})
}

// Told keeps an error for the log and returns the fault that the client is told of it: for an error that
// is no *fault.Error, one that says nothing of the inside.
func Told(ctx context.Context, err error) *fault.Error {
	Note(ctx, err)
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok:
		return f
	case Gone(ctx, err):
		return errNotWhole // nobody is left to read it; the status is for the log
	default:
		return errInternal
	}
}

// FailHeader sets the headers that belong to a status and to the fault it tells, in a language.
func FailHeader(header http.Header, f *fault.Error, status int, language phrase.Language) {
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	if seconds := retryAfter(f); seconds > 0 {
		header.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	header.Set("Content-Language", language.Tag())
}

// Gone tells whether err is only what the hanging up of the client brought about.
func Gone(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && ctx.Err() != nil
}

var (
	errNotWhole = fault.New(fault.Invalid, "invalid", phrase.BodyNotWhole)
	errInternal = fault.New(0, "internal", phrase.Internal)
)

func appendFieldFaults(b []byte, fields fault.Fields, language phrase.Language) []byte {
	if len(fields) == 0 {
		return b
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(AppendName(b, "fields"), '{')
	for _, name := range names {
		b = AppendText(b, name, fields[name].In(language))
	}
	return append(b, '}')
}

// retryAfter returns the whole seconds to wait, rounded up (RFC 9110, section 10.2.3), at least one
// where the kind asks to come again; 0 says nothing.
func retryAfter(f *fault.Error) int64 {
	if f.Kind != fault.TooMany && f.Kind != fault.Unavailable {
		return 0
	}
	return max(1, int64((f.RetryAfter+time.Second-1)/time.Second))
}
