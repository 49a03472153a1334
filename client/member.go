package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Member speaks to the interface under /user, with the session of its [Client]: whoever logs in with one of
// them is logged in with the other.
type Member struct {
	c *Client
}

// Member returns what speaks to the interface under /user.
func (c *Client) Member() Member { return Member{c} }

// open are the operations that ask for no session.
var open = map[string]bool{"captcha/": true, "register/": true, "login/": true}

// call sends a request, reads a successful answer into out, unless that is nil, and returns its cookies.
func (m Member) call(ctx context.Context, method, path string, query url.Values, body fields, out any) ([]*http.Cookie, error) {
	contentType, encoded, err := m.c.encode(body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req, err := m.c.request(ctx, method, "user/"+path, query, bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if m.c.cookies || !open[path] { // a cookie comes along with everything, and its session ends with a login
		m.c.showSession(req)
	}
	return answerTo(&m.c.http, req, out)
}

// SendCode has a code mailed for [Member.Register]. It succeeds alike for addresses that somebody has.
func (m Member) SendCode(ctx context.Context, email string) error {
	_, err := m.call(ctx, http.MethodGet, "captcha/", url.Values{"email": {email}}, nil, nil)
	return err
}

// NewMember is what makes a user here. Code is the one that was mailed.
type NewMember struct {
	UserName, Password, Email, Code string
}

// Register makes a user, who can log in at once and has no main password yet: see
// [Client.SetMainPassword].
func (m Member) Register(ctx context.Context, with NewMember) error {
	_, err := m.call(ctx, http.MethodPost, "register/", nil, fields{
		"username": with.UserName, "password": with.Password, "email": with.Email, "captcha": with.Code,
	}, nil)
	return err
}

// Login logs in and keeps the session for what follows, 30 days long or, unless it is to be remembered, 12
// hours. A wrong password and an unknown email are both [LoginWrong].
func (m Member) Login(ctx context.Context, email, password string, remember bool) error {
	body := fields{"email": email, "password": password, "remember": "0"}
	if remember {
		body["remember"] = "1"
	}
	cookies, err := m.call(ctx, http.MethodPost, "login/", nil, body, nil)
	if e, ok := errors.AsType[*Error](err); ok && e.Slug == Unauthenticated {
		e.Slug = LoginWrong // what the status says elsewhere
	}
	if err != nil {
		return err
	}
	for _, cookie := range cookies {
		if cookie.Name == sessionCookie && cookie.Value != "" {
			m.c.SetToken(cookie.Value)
			return nil
		}
	}
	return errors.New("read answer: it logs in without a session")
}

// Logout ends the session, if there is one, and forgets its token.
func (m Member) Logout(ctx context.Context) error {
	if _, err := m.call(ctx, http.MethodGet, "logout/", nil, nil, nil); err != nil {
		return err
	}
	m.c.SetToken("")
	return nil
}

// MemberProfile is the user of the session. Text that was never set is empty.
type MemberProfile struct {
	UserName  string `json:"username"`
	Email     string `json:"email"`
	Career    string `json:"career"`
	BirthDate string `json:"birth_date"` // YYYY-MM-DD
}

// Profile returns the user of the session.
func (m Member) Profile(ctx context.Context) (MemberProfile, error) {
	var answer struct {
		Data MemberProfile `json:"data"`
	}
	_, err := m.call(ctx, http.MethodGet, "get_user_info/", nil, nil, &answer)
	return answer.Data, err
}

// MemberUpdate is what to change of a profile. What is nil stays as it is; an empty Career or BirthDate is
// cleared, and what else is empty stays.
type MemberUpdate struct {
	UserName, Password, Email, Career, BirthDate *string
	// OldPassword and OldEmail are checked where they are not nil. A server can demand both before it changes
	// a password or an email.
	OldPassword, OldEmail *string
}

// UpdateProfile changes the profile, all of it or nothing. A new password or email ends every other session.
func (m Member) UpdateProfile(ctx context.Context, to MemberUpdate) error {
	body := fields{}
	for name, value := range map[string]*string{
		"username": to.UserName, "password": to.Password, "email": to.Email, "career": to.Career, "birth_date": to.BirthDate,
		"old_password": to.OldPassword, "old_email": to.OldEmail,
	} {
		if value != nil {
			body[name] = *value
		}
	}
	_, err := m.call(ctx, http.MethodPost, "update_user_info/", nil, body, nil)
	return err
}
