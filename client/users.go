package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// CaptchaImage is a picture of five digits that a person has to read.
type CaptchaImage struct {
	ID    string `json:"id"`    // to be sent back with the answer
	Image string `json:"image"` // a PNG as a data URI
}

// PNG returns the picture itself.
func (c CaptchaImage) PNG() ([]byte, error) {
	encoded, ok := strings.CutPrefix(c.Image, "data:image/png;base64,")
	if !ok {
		return nil, errors.New("read captcha: no PNG as a data URI")
	}
	png, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("read captcha: %w", err)
	}
	return png, nil
}

// Captcha draws a captcha, which lives for 3 minutes and for one try.
func (c *Client) Captcha(ctx context.Context) (CaptchaImage, error) {
	var drawn CaptchaImage
	err := c.call(ctx, http.MethodGet, "captcha", nil, nil, &drawn)
	return drawn, err
}

// Registration is what makes a user. Captcha and CaptchaID may be empty where the server asks for none.
type Registration struct {
	UserName, RealName, Email, Phone string
	Password, MainPassword           string
	Captcha, CaptchaID               string
}

// Register makes a user, who can log in once the email is confirmed: see [Client.SendCode] and
// [Client.Activate]. It returns the id of the user.
func (c *Client) Register(ctx context.Context, r Registration) (id int64, err error) {
	var made struct {
		ID int64 `json:"id"`
	}
	err = c.call(ctx, http.MethodPost, "register", nil, fields{
		"user_name": r.UserName, "real_name": r.RealName, "email": r.Email, "phone": r.Phone,
		"password": r.Password, "re_password": r.Password, "main_password": r.MainPassword,
		"captcha": r.Captcha, "captcha_id": r.CaptchaID,
	}, &made)
	return made.ID, err
}

// Purpose is what a mailed code is for.
type Purpose string

// The purposes of codes.
const (
	ForActivation Purpose = "activation" // [Client.Activate]
	ForPassword   Purpose = "password"   // [Client.ResetPassword]
)

// SendCode has a code mailed. It succeeds alike for addresses that nobody has.
func (c *Client) SendCode(ctx context.Context, email string, purpose Purpose) error {
	return c.call(ctx, http.MethodPut, "email", nil, fields{"email": email, "type": string(purpose)}, nil)
}

// Activate confirms the email address of a registration with the mailed code.
func (c *Client) Activate(ctx context.Context, email, code string) error {
	return c.call(ctx, http.MethodPost, "activation", nil, fields{"email": email, "code": code}, nil)
}

// ResetPassword sets a new login password with the mailed code. Every session of the user ends.
func (c *Client) ResetPassword(ctx context.Context, email, code, password string) error {
	return c.call(ctx, http.MethodPost, "password", nil, fields{
		"email": email, "code": code, "password": password, "re_password": password,
	}, nil)
}

// Credentials are what a login wants. Captcha and CaptchaID may be empty where the server asks for none.
type Credentials struct {
	UserName           string // the name or the email
	Password           string
	Captcha, CaptchaID string
}

// Login logs in and keeps the token for what follows; [Client.Token] returns it.
func (c *Client) Login(ctx context.Context, with Credentials) error {
	var session struct {
		Token string `json:"token"`
	}
	err := c.call(ctx, http.MethodPost, "login", nil, fields{
		"user_name": with.UserName, "password": with.Password,
		"captcha": with.Captcha, "captcha_id": with.CaptchaID,
	}, &session)
	if err != nil {
		return err
	}
	c.SetToken(session.Token)
	return nil
}

// UserProfile is the user of the session. Text that was never set is empty.
type UserProfile struct {
	ID              int64  `json:"id"`
	UserName        string `json:"user_name"`
	RealName        string `json:"real_name"`
	Email           string `json:"email"`
	Phone           string `json:"phone"`
	Career          string `json:"career"`
	BirthDate       string `json:"birth_date"`
	MainPasswordSet bool   `json:"main_password_set"`
	CreatedAt       Unix   `json:"created_at"`
}

// Profile returns the user of the session.
func (c *Client) Profile(ctx context.Context) (UserProfile, error) {
	var profile UserProfile
	err := c.call(ctx, http.MethodGet, "auth/me", nil, nil, &profile)
	return profile, err
}

// ProfileUpdate is what a user can change of a profile: all three are set.
type ProfileUpdate struct {
	RealName, Email, Phone string
}

// UpdateProfile changes the profile. A new email takes effect at once, and every other session ends.
func (c *Client) UpdateProfile(ctx context.Context, to ProfileUpdate) error {
	return c.call(ctx, http.MethodPut, "auth/me", nil, fields{
		"real_name": to.RealName, "email": to.Email, "phone": to.Phone,
	}, nil)
}

// ChangePassword changes the login password. Every other session ends.
func (c *Client) ChangePassword(ctx context.Context, oldPassword, password string) error {
	return c.call(ctx, http.MethodPut, "auth/password", nil, fields{
		"old_password": oldPassword, "password": password, "re_password": password,
	}, nil)
}

// SetMainPassword changes the main password, or sets it where there is none: old is "" then.
func (c *Client) SetMainPassword(ctx context.Context, oldMainPassword, mainPassword string) error {
	body := fields{"main_password": mainPassword}
	if oldMainPassword != "" {
		body["old_main_password"] = oldMainPassword
	}
	return c.call(ctx, http.MethodPut, "auth/main_password", nil, body, nil)
}

// CloseAccount closes the account: every session ends, and after 30 days everything is erased unless the
// user logs in before.
func (c *Client) CloseAccount(ctx context.Context) error {
	return c.callLast(ctx, http.MethodDelete, "auth/logout", nil)
}

// Erase erases the user and everything they kept at once.
func (c *Client) Erase(ctx context.Context, password string) error {
	return c.callLast(ctx, http.MethodDelete, "auth/me", fields{"password": password})
}

// callLast sends the last request of a session: where it succeeds, the token is forgotten.
func (c *Client) callLast(ctx context.Context, method, path string, body fields) error {
	if err := c.call(ctx, method, path, nil, body, nil); err != nil {
		return err
	}
	c.SetToken("")
	return nil
}
