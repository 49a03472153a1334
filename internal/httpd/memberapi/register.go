package memberapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

// form is GET /user/register/ and GET /user/login/: a browser is led to the page, everybody else is
// answered as the document shows.
func (a *api) form(context.Context, session.Visitor, struct{}) (answer, error) {
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Add("Vary", "Accept")
		if wantsPage(r.Header.Values("Accept")) {
			header.Set("Cache-Control", "no-store")
			header.Set("Location", "/")
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		body(func(b []byte, l phrase.Language) []byte {
			return append(wire.AppendText(append(b, '{'), "message", phrase.MemberGetForm.In(l)), '}')
		})(w, r)
	}, nil
}

// wantsPage tells whether an Accept header (RFC 9110, section 12.5.1) asks for HTML by name, as browsers
// do and programs don't.
func wantsPage(accept []string) bool {
	for media := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, _ := strings.Cut(media, ";")
		if !strings.EqualFold(strings.TrimSpace(media), "text/html") {
			continue
		}
		weight := strings.ReplaceAll(params, " ", "")
		return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=0.") != ""
	}
	return false
}

func readSendCode(rd *wire.Reader, _ *http.Request) string {
	email, _ := rd.Query("email")
	if len(rd.TakeFaults()) > 0 {
		return "" // which is no address either
	}
	return email
}

var errBadEmail = fault.New(fault.Invalid, "invalid", phrase.MemberBadEmail)

// sendCode is GET /user/captcha/.
func (a *api) sendCode(ctx context.Context, from session.Visitor, email string) (answer, error) {
	err := a.Users.SendMemberCode(ctx, email, from)
	if errors.Is(err, errBadEmail) {
		err = errBadEmail // without its field, which is no form's
	}
	return say(phrase.MemberCodeSent), err
}

type registerRequest struct {
	form  user.MemberForm
	wrong fault.Fields // with how it was sent
}

func readRegister(rd *wire.Reader, _ *http.Request) registerRequest {
	return registerRequest{
		form: user.MemberForm{
			Name: text(rd, "username"), Password: text(rd, "password"), Email: text(rd, "email"), Code: text(rd, "captcha"),
		},
		wrong: rd.TakeFaults(),
	}
}

// text reads a field that is as good as left out where it is empty, null or at fault.
func text(rd *wire.Reader, name string) string {
	if filled := rd.Filled(name); filled != nil {
		return *filled
	}
	return ""
}

// register is POST /user/register/.
func (a *api) register(ctx context.Context, from session.Visitor, q registerRequest) (answer, error) {
	if err := a.Users.RegisterMember(ctx, q.form, from); err != nil {
		return nil, together(q.wrong, err)
	}
	return body(func(b []byte, l phrase.Language) []byte {
		return append(wire.AppendText(append(b, '{'), "message", phrase.MemberFormValid.In(l)), '}')
	}), nil
}
