package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The slugs that an [Error] can bear. Those of /user bear the slug of their status, so that a program
// need know one set of words only; there LoginWrong is a wrong password or an unknown email.
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

// problem is an answer that is no success, in the shape of /api or of /user.
type problem struct {
	Message string            `json:"message"`
	Error   string            `json:"error"`
	Fields  map[string]string `json:"fields"`
	Code    int               `json:"code"`
	Errors  map[string][]struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// errorFrom reads an answer that is no success, also one that a proxy gave in the server's place.
func errorFrom(resp *http.Response, answer []byte) *Error {
	var p problem
	e := &Error{Status: resp.StatusCode, RequestID: resp.Header.Get("X-Request-Id")}
	err := json.Unmarshal(answer, &p)
	switch {
	case err == nil && p.Error != "":
		e.Slug, e.Message, e.Fields = p.Error, p.Message, p.Fields
	case err == nil && p.Code == resp.StatusCode && p.Message != "":
		e.Slug, e.Message = slugs[p.Code], p.Message
		for name, wrongs := range p.Errors {
			for _, wrong := range wrongs {
				e.lay(name, wrong.Message)
			}
		}
	case err == nil && strings.HasPrefix(p.Message, formInvalid):
		e.Slug, e.Message = Invalid, formInvalid
		e.layList(p.Message)
	default:
		e.Message = "the answer is none of a Caesar server: " + resp.Status
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// slugs are those of the statuses of /user.
var slugs = map[int]string{
	http.StatusBadRequest: Invalid, http.StatusUnauthorized: Unauthenticated, http.StatusPaymentRequired: LoginWrong,
	http.StatusForbidden: CrossSite, http.StatusNotFound: NotFound, http.StatusMethodNotAllowed: MethodNotAllowed,
	http.StatusRequestEntityTooLarge: TooLarge, http.StatusUnsupportedMediaType: UnsupportedType,
	http.StatusRequestedRangeNotSatisfiable: Invalid, http.StatusTooManyRequests: TooMany,
	http.StatusInternalServerError: Internal, http.StatusServiceUnavailable: Unavailable, http.StatusInsufficientStorage: Full,
}

// formInvalid is how the message of a failed registration begins. A list in HTML may follow.
const formInvalid = "form is invalid"

var (
	listedField = regexp.MustCompile(`<li>(\w+)<ul class="errorlist">(.*?)</ul></li>`)
	listedWrong = regexp.MustCompile(`<li>(.*?)</li>`)
)

// layList lays what such a list tells at the fields.
func (e *Error) layList(message string) {
	for _, field := range listedField.FindAllStringSubmatch(message, -1) {
		for _, wrong := range listedWrong.FindAllStringSubmatch(field[2], -1) {
			e.lay(field[1], html.UnescapeString(wrong[1]))
		}
	}
}

// lay lays a message at a field, after what is laid there already.
func (e *Error) lay(field, message string) {
	if e.Fields == nil {
		e.Fields = map[string]string{}
	}
	if earlier := e.Fields[field]; earlier != "" {
		message = earlier + "; " + message
	}
	e.Fields[field] = message
}
