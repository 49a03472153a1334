package user

import (
	"context"
	"errors"
	"fmt"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/fault"
	"caesar/internal/mail"
	"caesar/internal/password"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

// Login is what somebody shows to be let in.
type Login struct {
	Handle   string // a name or an email
	Password string
	Client   string        // the User-Agent, for the list of sessions
	Life     time.Duration // of the session
}

// Credentials is a login whose form was checked.
type Credentials struct {
	login  Login
	handle Handle
}

// CheckLogin returns the credentials of a login, or the error that names what could not be any.
func (s *Service) CheckLogin(l Login) (Credentials, error) {
	faults := fault.Fields{}
	c := Credentials{login: l}
	if wrong, ok := checkHandle(l.Handle); !ok {
		faults["user_name"] = wrong
	}
	given, wrong, ok := password.Normalize(l.Password)
	if !ok {
		faults["password"] = wrong
	}
	c.login.Password, c.handle = given, handleOf(l.Handle)
	return c, fault.InvalidFields(faults)
}

// Login opens a session and returns its token. Whether the user is unknown or the password wrong can't
// be told, from the answer or from the work.
func (s *Service) Login(ctx context.Context, c Credentials, from session.Visitor) (token string, err error) {
	token, err = s.login(ctx, c, from)
	if errors.Is(err, errEmailUnknown) {
		err = errLoginWrong
	}
	return token, err
}

// login is Login, but tells an unknown user from a wrong password: not in the work done.
func (s *Service) login(ctx context.Context, c Credentials, from session.Visitor) (token string, err error) {
	u, err := s.Store.UserByHandle(ctx, c.handle)
	if err != nil && !errors.Is(err, ErrNoUser) {
		return "", fmt.Errorf("look up user: %w", err)
	}
	attempt, err := s.Guard.Attempt(ctx, subject(u, c.handle), from.Address)
	if err != nil {
		return "", err
	}
	phc := s.nobody
	if u.ID != 0 {
		if phc, err = s.passwordHash(u); err != nil {
			return "", err
		}
	}
	right, err := s.Hasher.Verify(ctx, phc, c.login.Password)
	if err != nil {
		return "", fmt.Errorf("compare password: %w", err)
	}
	switch {
	case u.ID == 0:
		return "", errEmailUnknown
	case !right:
		return "", errLoginWrong
	}
	if err := noted(attempt.Right(ctx)); err != nil {
		return "", err
	}
	// Whoever else gets a session can't use up the owner's guesses from here.
	if err := s.Guard.Know(ctx, throttle.Inside(u.ID), from.Address); err != nil {
		return "", err
	}
	if u.Status == Pending {
		return "", errNotActivated
	}
	return s.signIn(ctx, u, phc, c, from)
}

func (s *Service) signIn(ctx context.Context, u User, phc string, c Credentials, from session.Visitor) (string, error) {
	rehashed, err := s.rehash(ctx, u.ID, phc, c.login.Password)
	if err != nil {
		return "", err
	}
	opening := session.Open(u.ID, session.Device{Client: c.login.Client, Address: from.Address.String()}, c.login.Life, s.Now())
	done, err := s.Store.SignIn(ctx, SignIn{
		Opening: opening, Credential: u.Credential, Rehashed: rehashed, Language: from.Language,
	})
	if err != nil {
		return "", fmt.Errorf("store session: %w", err)
	}
	if !done {
		return "", errLoginWrong // the password was changed while it was being compared
	}
	return opening.Token, nil
}

// rehash returns the sealed hash with the parameters of today, where those of phc are of another day.
func (s *Service) rehash(ctx context.Context, userID int64, phc, given string) ([]byte, error) {
	p, err := argon2id.Parameters(phc)
	if err != nil {
		return nil, fmt.Errorf("read password hash: %w", err)
	}
	if p == argon2id.Login {
		return nil, nil
	}
	phc, err = s.Hasher.Hash(ctx, given, argon2id.Login)
	if err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	return s.sealPassword(userID, phc), nil
}

// ChangePassword replaces the login password by a new one, typed twice, where the old one is right. All
// other sessions end.
func (s *Service) ChangePassword(ctx context.Context, who session.Asker, old, next, again string) error {
	faults := fault.Fields{}
	next = s.readNewPassword(faults, next, again)
	if err := fault.InvalidFields(faults); err != nil {
		return err
	}
	return fresh(func() error { return s.changePassword(ctx, who, old, next) })
}

func (s *Service) changePassword(ctx context.Context, who session.Asker, old, next string) error {
	u, err := s.checkPassword(ctx, who, "old_password", old)
	if err != nil {
		return err
	}
	sealed, err := s.newPassword(ctx, u, next, who.Visitor)
	if err != nil {
		return err
	}
	letter, err := s.notice(u, who.Language, mail.PasswordChangedNotice)
	if err != nil {
		return err
	}
	done, err := s.Store.ChangePassword(ctx, u.ID, u.Seen(), sealed, who.SessionID, letter, s.Now())
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	if !done {
		return errOldPassword.On("old_password") // it has just ceased to be right
	}
	s.Keys.ForgetUser(u.ID)
	s.Post.Wake()
	return nil
}
