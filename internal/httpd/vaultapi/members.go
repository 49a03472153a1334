package vaultapi

import (
	"context"

	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

// drawCaptcha is GET /api/captcha.
func (a *api) drawCaptcha(context.Context, session.Visitor, struct{}) (answer, error) {
	id, image, err := a.Captcha.Draw()
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		b = wire.AppendText(append(b, '{'), "id", id)
		return append(wire.AppendText(b, "image", image), '}')
	}, nil
}

// captchaAnswer is what a captcha's image was read as.
type captchaAnswer struct{ id, answer string }

func readCaptcha(rd *wire.Reader) captchaAnswer {
	return captchaAnswer{id: rd.Text("captcha_id"), answer: rd.Text("captcha")}
}

type registerRequest struct {
	form    user.Form
	captcha captchaAnswer
}

func readRegister(rd *wire.Reader) registerRequest {
	return registerRequest{
		form: user.Form{
			Name:         rd.Text("user_name"),
			RealName:     rd.Text("real_name"),
			Email:        rd.Text("email"),
			Phone:        rd.Text("phone"),
			Password:     rd.Text("password"),
			RePassword:   rd.Text("re_password"),
			MainPassword: rd.Text("main_password"),
		},
		captcha: readCaptcha(rd),
	}
}

// register is POST /api/register.
func (a *api) register(ctx context.Context, from session.Visitor, q registerRequest) (answer, error) {
	registration, err := a.Users.Check(q.form)
	if err != nil {
		return nil, err
	}
	if err := a.Captcha.Check(ctx, q.captcha.id, q.captcha.answer); err != nil {
		return nil, err
	}
	id, err := a.Users.Register(ctx, registration, from)
	if err != nil {
		return nil, err
	}
	return made(id, phrase.Registered), nil
}

// made answers with the id of what was made, and a message.
func made(id int64, p phrase.Phrase) answer {
	return func(b []byte, l phrase.Language) []byte {
		b = wire.AppendInt(append(b, '{'), "id", id)
		return append(wire.AppendText(b, "message", p.In(l)), '}')
	}
}

type sendCodeRequest struct{ email, purpose string }

func readSendCode(rd *wire.Reader) sendCodeRequest {
	return sendCodeRequest{email: rd.Text("email"), purpose: rd.Text("type")}
}

// sendCode is PUT /api/email.
func (a *api) sendCode(ctx context.Context, from session.Visitor, q sendCodeRequest) (answer, error) {
	return said(phrase.CodeSent, a.Users.SendCode(ctx, q.email, q.purpose, from))
}

type activateRequest struct{ email, code string }

func readActivate(rd *wire.Reader) activateRequest {
	return activateRequest{email: rd.Text("email"), code: rd.Text("code")}
}

// activate is POST /api/activation.
func (a *api) activate(ctx context.Context, from session.Visitor, q activateRequest) (answer, error) {
	return said(phrase.Activated, a.Users.Activate(ctx, q.email, q.code, from))
}

func readReset(rd *wire.Reader) user.Reset {
	return user.Reset{
		Email: rd.Text("email"), Code: rd.Text("code"),
		Password: rd.Text("password"), RePassword: rd.Text("re_password"),
	}
}

// resetPassword is POST /api/password.
func (a *api) resetPassword(ctx context.Context, from session.Visitor, q user.Reset) (answer, error) {
	return said(phrase.PasswordReset, a.Users.ResetPassword(ctx, q, from))
}

type loginRequest struct {
	login   user.Login
	captcha captchaAnswer
}

func readLogin(rd *wire.Reader) loginRequest {
	return loginRequest{
		login: user.Login{
			Handle: rd.Text("user_name"), Password: rd.Text("password"),
			Client: rd.UserAgent(), Life: session.Long,
		},
		captcha: readCaptcha(rd),
	}
}

// login is POST /api/login.
func (a *api) login(ctx context.Context, from session.Visitor, q loginRequest) (answer, error) {
	credentials, err := a.Users.CheckLogin(q.login)
	if err != nil {
		return nil, err
	}
	if err := a.Captcha.Check(ctx, q.captcha.id, q.captcha.answer); err != nil {
		return nil, err
	}
	token, err := a.Users.Login(ctx, credentials, from)
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		return append(wire.AppendText(append(b, '{'), "token", token), '}')
	}, nil
}
