package user

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"caesar/internal/fault"
	"caesar/internal/mail"
	"caesar/internal/password"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

// Purpose is the operation in which a code serves.
type Purpose string

// The purposes that document 003 knows, by the names that PUT /email takes.
const (
	ForActivation Purpose = "activation"
	ForPassword   Purpose = "password"
)

// The codes of /api.
const (
	codeDigits  = 6
	codeLife    = 10 * time.Minute
	mailPause   = time.Minute // between two mails to the same address for the same purpose
	maxCodeText = 32          // bytes; what is longer is no code
)

// code returns a code in the form that is stored.
func (s *Service) code(purpose Purpose, address Handle, digits string) Code {
	return Code{
		Slot: s.slot(purpose, address),
		Hash: s.codes.Key([]byte("digits"), []byte(purpose), []byte(address), []byte(digits)),
	}
}

func (s *Service) slot(purpose Purpose, address Handle) []byte {
	return s.codes.Key([]byte("slot"), []byte(purpose), []byte(address))
}

// slots are those of all codes that a user may have at an address.
func (s *Service) slots(address Handle) [][]byte {
	return [][]byte{s.slot(ForActivation, address), s.slot(ForPassword, address)}
}

// SendCode queues a mail with a code. An address for which the code could not serve costs the same
// work and gets the same answer, but no mail.
func (s *Service) SendCode(ctx context.Context, email, purpose string, from session.Visitor) error {
	faults := fault.Fields{}
	address, err := mail.ParseAddress(email)
	if err != nil {
		faults["email"] = phrase.BadEmail
	}
	serves := Purpose(purpose)
	if serves != ForActivation && serves != ForPassword {
		faults["type"] = phrase.BadCodeType
	}
	if err := fault.InvalidFields(faults); err != nil {
		return err
	}
	handle := Handle(address.Folded())
	u, err := s.Store.UserByHandle(ctx, handle)
	if err != nil && !errors.Is(err, ErrNoUser) {
		return fmt.Errorf("look up email: %w", err)
	}
	if (u.Status == Pending) != (serves == ForActivation) {
		u = User{}
	}
	drawn := digits(codeDigits)
	return s.requestCode(ctx, from, CodeRequest{
		Code:      s.code(serves, handle, drawn),
		UserID:    u.ID,
		Letter:    s.Post.Seal(codeLetter(u, serves, drawn, from.Language)),
		Now:       s.Now(),
		ExpiresAt: s.Now().Add(codeLife),
		Resend:    mailPause,
	})
}

// requestCode stores a code and queues its letter, unless one was sent just now.
func (s *Service) requestCode(ctx context.Context, from session.Visitor, r CodeRequest) error {
	if err := s.Guard.Allow(ctx, throttle.PerMailer, throttle.Client(from.Address)); err != nil {
		return err
	}
	wait, err := s.Store.RequestCode(ctx, r)
	if err != nil {
		return fmt.Errorf("store code: %w", err)
	}
	if wait > 0 {
		refusal := errMailTooSoon.After(wait)
		refusal.Message = refusal.Message.With(int((wait + time.Second - 1) / time.Second))
		return refusal
	}
	s.Post.Wake()
	return nil
}

// codeLetter is the letter to a user, or nothing to nobody.
func codeLetter(u User, purpose Purpose, digits string, language phrase.Language) mail.Letter {
	address, err := u.address()
	switch {
	case u.ID == 0 || err != nil:
		return mail.Nothing()
	case purpose == ForActivation:
		return mail.ActivationCode(address, u.Name, digits, codeLife, language)
	default:
		return mail.ResetCode(address, u.Name, digits, codeLife, language)
	}
}

// Activate proves a pending user's email by the code that was mailed.
func (s *Service) Activate(ctx context.Context, email, digits string, from session.Visitor) error {
	faults := fault.Fields{}
	c := s.readCode(faults, ForActivation, email, digits)
	if err := fault.InvalidFields(faults); err != nil {
		return err
	}
	u, attempt, err := s.guess(ctx, c, from)
	if err != nil {
		return err
	}
	right, err := s.Store.Activate(ctx, c.Code, u.ID, s.Now())
	if err != nil {
		return fmt.Errorf("activate: %w", err)
	}
	if !right {
		return errCodeWrong
	}
	return noted(attempt.Right(ctx))
}

// Reset is a forgotten password as it was typed (document 003, POST /password).
type Reset struct {
	Email, Code, Password, RePassword string
}

// ResetPassword sets a new login password by the code that was mailed, and ends all sessions. The
// vault keys stay as they are.
func (s *Service) ResetPassword(ctx context.Context, r Reset, from session.Visitor) error {
	faults := fault.Fields{}
	c := s.readCode(faults, ForPassword, r.Email, r.Code)
	next := s.readNewPassword(faults, r.Password, r.RePassword)
	if err := fault.InvalidFields(faults); err != nil {
		return err
	}
	u, attempt, err := s.guess(ctx, c, from)
	if err != nil {
		return err
	}
	// The code is looked at before the hashing, and used up after it: who has none makes no work.
	right, err := s.Store.CheckCode(ctx, c.Code, u.ID, s.Now())
	if err != nil {
		return fmt.Errorf("check code: %w", err)
	}
	if !right {
		return errCodeWrong
	}
	if err := noted(attempt.Right(ctx)); err != nil {
		return err
	}
	// Who has the code reads the owner's mail, and is no stranger at the login that follows.
	if err := s.Guard.Know(ctx, throttle.User(u.ID), from.Address); err != nil {
		return err
	}
	return fresh(func() error { return s.resetPassword(ctx, u.ID, c.Code, next, from) })
}

func (s *Service) resetPassword(ctx context.Context, userID int64, c Code, next string, from session.Visitor) error {
	u, err := s.Store.UserByID(ctx, userID)
	if errors.Is(err, ErrNoUser) {
		return errCodeWrong
	}
	if err != nil {
		return fmt.Errorf("read user: %w", err)
	}
	sealed, err := s.newPassword(ctx, u, next, from)
	if err != nil {
		return err
	}
	letter, err := s.notice(u, from.Language, mail.PasswordChangedNotice)
	if err != nil {
		return err
	}
	right, err := s.Store.ResetPassword(ctx, c, u.ID, u.KeyRevision, sealed, letter, s.Now())
	if err != nil {
		return fmt.Errorf("reset password: %w", err)
	}
	if !right {
		return errCodeWrong
	}
	s.Keys.ForgetUser(u.ID)
	s.Post.Wake()
	return nil
}

// typedCode is a code as somebody shows it.
type typedCode struct {
	Code
	address Handle
}

func (s *Service) readCode(faults fault.Fields, purpose Purpose, email, digits string) typedCode {
	address, err := mail.ParseAddress(email)
	if err != nil {
		faults["email"] = phrase.BadEmail
	}
	digits = strings.TrimSpace(digits)
	switch {
	case digits == "":
		faults["code"] = phrase.Required
	case len(digits) > maxCodeText:
		faults["code"] = phrase.TooLong.With(codeDigits)
	}
	handle := Handle(address.Folded())
	return typedCode{s.code(purpose, handle, digits), handle}
}

// readNewPassword returns a new login password that was typed twice.
func (s *Service) readNewPassword(faults fault.Fields, typed, again string) string {
	next, wrong, ok := password.NormalizeNew(typed, s.LeastPassword)
	if !ok {
		faults["password"] = wrong
		return ""
	}
	if again, _, _ := password.Normalize(again); again != next {
		faults["re_password"] = phrase.PasswordsDiffer
	}
	return next
}

// guess counts a try at a code before it is looked at. For an address that is nobody's the user is the
// zero one, for whom no code is right.
func (s *Service) guess(ctx context.Context, c typedCode, from session.Visitor) (User, *throttle.Attempt, error) {
	u, err := s.Store.UserByHandle(ctx, c.address)
	if err != nil && !errors.Is(err, ErrNoUser) {
		return User{}, nil, fmt.Errorf("look up email: %w", err)
	}
	attempt, err := s.Guard.Attempt(ctx, throttle.Code(subject(u, c.address)), from.Address)
	return u, attempt, err
}

// subject names, at the throttle, the user whom a handle means, or the handle where it is nobody's.
func subject(u User, h Handle) string {
	if u.ID == 0 {
		return throttle.Nobody(string(h))
	}
	return throttle.User(u.ID)
}

// notice seals a letter that tells a user what happened to the account.
func (s *Service) notice(u User, l phrase.Language, letter func(mail.Address, string, phrase.Language) mail.Letter) ([]byte, error) {
	address, err := u.address()
	if err != nil {
		return nil, err
	}
	return s.Post.Seal(letter(address, u.Name, l)), nil
}

func noted(err error) error {
	if err != nil {
		return fmt.Errorf("note right guess: %w", err)
	}
	return nil
}
