package memberapi

import (
	"errors"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

// status returns the status of a kind of fault on /user, where what is taken is wrong like all else that
// was sent.
func status(kind fault.Kind) int {
	if kind == fault.Conflict {
		return http.StatusBadRequest
	}
	return wire.Status(kind)
}

// fail answers with an error: code, message and, where fields are at fault, errors.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	f := wire.Told(r.Context(), err)
	code := status(f.Kind)
	answerFault(w, r, f, code, func(b []byte, l phrase.Language) []byte {
		b = appendErrors(appendHead(b, code, f.Message.In(l)), f.Fields, l)
		if code >= http.StatusInternalServerError {
			b = wire.AppendText(b, "request_id", wire.RequestID(r.Context()))
		}
		return append(b, '}')
	})
}

// failRegister answers as the document shows for a form that failed: with a list in HTML of what is wrong
// with which field, or without it where the body as a whole can't be read.
func failRegister(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || status(f.Kind) != http.StatusBadRequest {
		fail(w, r, err)
		return
	}
	wire.Note(r.Context(), err)
	answerFault(w, r, f, http.StatusBadRequest, func(b []byte, l phrase.Language) []byte {
		message := phrase.MemberFormInvalid.In(l)
		if list := errorList(f.Fields, l); list != "" {
			message += ": " + list
		}
		return append(wire.AppendText(append(b, '{'), "message", message), '}')
	})
}

// failLogin answers as the document shows for a login that failed.
func failLogin(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || status(f.Kind) != http.StatusBadRequest {
		fail(w, r, err)
		return
	}
	wire.Note(r.Context(), err)
	code, message := http.StatusBadRequest, phrase.MemberFormInvalid
	switch f.Slug {
	case "login_wrong":
		code, message = http.StatusUnauthorized, phrase.MemberWrong
	case "email_unknown":
		code, message = http.StatusPaymentRequired, phrase.MemberUnknown
	case "not_activated":
		f = f.On("email")
	}
	answerFault(w, r, f, code, func(b []byte, l phrase.Language) []byte {
		b = wire.AppendText(append(b, '{'), "message", message.In(l))
		b = appendErrors(b, f.Fields, l)
		if code != http.StatusBadRequest || len(f.Fields) > 0 { // the document has it with errors only
			b = wire.AppendInt(b, "code", int64(code))
		}
		return append(b, '}')
	})
}

func answerFault(w http.ResponseWriter, r *http.Request, f *fault.Error, code int, appendBody func([]byte, phrase.Language) []byte) {
	language := wire.Language(r.Context())
	wire.FailHeader(w.Header(), f, code, language)
	wire.WriteJSON(w, code, func(b []byte) []byte { return appendBody(b, language) })
}

// appendErrors appends what is wrong with which field, as Django's Form.errors.get_json_data does.
func appendErrors(b []byte, fields fault.Fields, l phrase.Language) []byte {
	if len(fields) == 0 {
		return b
	}
	b = append(wire.AppendName(b, "errors"), '{')
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text, code := wording(fields[name])
		b = append(wire.AppendName(b, name), '[', '{')
		b = wire.AppendText(b, "message", text.In(l))
		b = append(wire.AppendText(b, "code", code), '}', ']')
	}
	return append(b, '}')
}

// registerFields are the fields of a registration in the order in which they are told.
var registerFields = []string{"username", "password", "email", "captcha"}

// errorList returns what is wrong with a registration as Django's Form.errors is printed, or nothing.
func errorList(fields fault.Fields, l phrase.Language) string {
	var items strings.Builder
	for _, name := range registerFields {
		if wrong, ok := fields[name]; ok {
			text, _ := wording(wrong)
			items.WriteString("<li>" + html.EscapeString(name) + `<ul class="errorlist"><li>` + html.EscapeString(text.In(l)) + "</li></ul></li>")
		}
	}
	if items.Len() == 0 {
		return ""
	}
	return `<ul class="errorlist">` + items.String() + "</ul>"
}

// together adds what was wrong with how fields were sent to what an operation found wrong with them.
func together(sent fault.Fields, found error) error {
	if len(sent) == 0 {
		return found
	}
	f, ok := errors.AsType[*fault.Error](found)
	if found != nil && (!ok || len(f.Fields) == 0) {
		return found
	}
	all := fault.Fields{}
	if ok {
		maps.Copy(all, f.Fields)
	}
	maps.Copy(all, sent)
	return fault.InvalidFields(all)
}
