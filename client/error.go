package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The slugs that an [Error] can bear.
const (
	Invalid           = "invalid"             // 400: something that was sent is not right
	CaptchaWrong      = "captcha_wrong"       // 400: the captcha is wrong, spent or too old
	CodeWrong         = "code_wrong"          // 400: the code is wrong, spent or too old
	LoginWrong        = "login_wrong"         // 400: no such user, or not this password
	NotActivated      = "not_activated"       // 400: the email is not confirmed yet
	MainPasswordWrong = "main_password_wrong" // 400: not the main password
	Unauthenticated   = "unauthenticated"     // 401: no live session
	CrossSite         = "cross_site"          // 403: a cookie sent from another site
	NotFound          = "not_found"           // 404: absent, or somebody else's
	MethodNotAllowed  = "method_not_allowed"  // 405: the path has no such method
	Taken             = "taken"               // 409: somebody else has it; Fields says what
	MainPasswordUnset = "main_password_unset" // 409: there is no main password yet
	TooLarge          = "too_large"           // 413: more than the server takes
	UnsupportedType   = "unsupported_type"    // 415: a body of a type that is not read
	TooMany           = "too_many"            // 429: wait RetryAfter
	Internal          = "internal"            // 500: the server failed
	Unavailable       = "unavailable"         // 503: wait RetryAfter
	Full              = "full"                // 507: no room left
)

// Error is what the server answers where it refuses or fails.
type Error struct {
	Status     int               // of HTTP
	Slug       string            // which case it is; empty where something between answered in the server's place
	Message    string            // for people, in the language asked for
	Fields     map[string]string // what is wrong with each field at fault
	RetryAfter time.Duration     // how long to wait, where the server says so
	RequestID  string            // what to look for in the server's log
}

// Error implements error.
func (e *Error) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d", e.Status)
	if e.Slug != "" {
		s.WriteString(" " + e.Slug)
	}
	s.WriteString(": " + e.Message)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		fmt.Fprintf(&s, "; %s: %s", name, e.Fields[name])
	}
	return s.String()
}

// Slug returns the slug of the [Error] in err's chain, or "" where there is none.
func Slug(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Slug
	}
	return ""
}

// errorFrom reads an answer that is no success, also one that a proxy gave in the server's place.
func errorFrom(resp *http.Response, answer []byte) *Error {
	var problem struct {
		Message string            `json:"message"`
		Error   string            `json:"error"`
		Fields  map[string]string `json:"fields"`
	}
	e := &Error{Status: resp.StatusCode, RequestID: resp.Header.Get("X-Request-Id")}
	if err := json.Unmarshal(answer, &problem); err == nil && problem.Error != "" {
		e.Slug, e.Message, e.Fields = problem.Error, problem.Message, problem.Fields
	} else {
		e.Message = "the answer is none of a Caesar server: " + resp.Status
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
