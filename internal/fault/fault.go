// Package fault is the vocabulary of what can go wrong and be told: an Error says to people what
// happened and what to do, to programs which case it is, and keeps its cause for the log.
//
// An error that is no *Error anywhere in its chain is a fault of the server's own: the surfaces answer
// it with a 5xx that says nothing of the inside but the request's id.
package fault

import (
	"errors"
	"maps"
	"time"

	"caesar/internal/phrase"
)

// ErrUnsettled is in the chain of an error that leaves open whether what was asked for has come to pass, or
// is still about to, as when the answer to a COMMIT is lost. Who meets it must take nothing back.
var ErrUnsettled = errors.New("whether it has come to pass is not known")

// Kind tells what the one who asked can do about an error. Each surface maps kinds to its statuses in
// one place.
type Kind uint8

// The kinds, in the order of their statuses in wire.Status: 400, 401, 403, 404, 409, 413, 415, 429, 507
// and 503.
const (
	Invalid         Kind = iota + 1 // what was sent is wrong: mend it
	Unauthenticated                 // no live session: log in
	CrossSite                       // a cross-site request that carries or asks for a session: refused
	NotFound                        // absent, or somebody else's: never told apart
	Conflict                        // what is there already stands in the way
	TooLarge                        // more than is taken
	UnsupportedType                 // a media type that is not read
	TooMany                         // too often: wait RetryAfter
	Full                            // no room left to store it
	Unavailable                     // a part the server needs is away: try again after RetryAfter
)

// Error is an error that may be shown.
type Error struct {
	Kind    Kind
	Slug    string        // stable, for programs: lowercase words joined by underscores
	Message phrase.Phrase // for people: what happened and what to do
	// Fields names what is at fault in the request, each with a message; nil where no single field is.
	Fields     Fields
	RetryAfter time.Duration // how long to wait, for TooMany and Unavailable

	cause error // for the log only
}

// Fields maps the name of a field of the request to what is wrong with it.
type Fields map[string]phrase.Phrase

// New returns an error of a kind, with its slug and message.
func New(kind Kind, slug string, message phrase.Phrase) *Error {
	return &Error{Kind: kind, Slug: slug, Message: message}
}

// InvalidFields returns the error for fields that are wrong as they were sent, or nil where there are
// none, so that a validation can end with it.
func InvalidFields(fields Fields) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Slug: "invalid", Message: phrase.InvalidRequest, Fields: fields}
}

// InvalidField returns the error for a single field.
func InvalidField(name string, message phrase.Phrase) error {
	return InvalidFields(Fields{name: message})
}

// Because returns a copy of the error that keeps its cause, for the log and for errors.Is.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Fields = maps.Clone(e.Fields)
	c.cause = cause
	return &c
}

// On returns a copy of the error that also lays it at one field of the request.
func (e *Error) On(field string) *Error {
	c := *e
	c.Fields = Fields{field: e.Message}
	return &c
}

// After returns a copy of the error that says how long to wait.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.RetryAfter = wait
	return &c
}

// Error implements error for the log, in English and with the cause.
func (e *Error) Error() string {
	s := e.Slug + ": " + e.Message.String()
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is holds two errors of the same kind and slug for the same, whatever their fields and causes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Slug == e.Slug
}
