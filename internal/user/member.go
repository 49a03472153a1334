package user

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/fault"
	"caesar/internal/keyring"
	"caesar/internal/mail"
	"caesar/internal/password"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

// Anybody holds the codes that prove an address at which there is no user yet.
const Anybody int64 = -1

// forMember is the purpose of the codes that are mailed for registering on /user.
const forMember Purpose = "member"

// The codes of /user (document 000, GET /user/captcha/).
const (
	memberDigits   = 4
	memberCodeLife = 5 * time.Minute
)

// SendMemberCode queues a mail with the code that registering on /user asks for. An address that is a
// user's already costs the same work and gets the same answer, but no mail.
func (s *Service) SendMemberCode(ctx context.Context, email string, from session.Visitor) error {
	address, err := mail.ParseAddress(strings.TrimSpace(email))
	if err != nil {
		return fault.InvalidField("email", phrase.BadEmail)
	}
	handle := Handle(address.Folded())
	u, err := s.Store.UserByHandle(ctx, handle)
	if err != nil && !errors.Is(err, ErrNoUser) {
		return fmt.Errorf("look up email: %w", err)
	}
	drawn := digits(memberDigits)
	request := CodeRequest{
		Code: s.code(forMember, handle, drawn), UserID: Anybody,
		Now: s.Now(), ExpiresAt: s.Now().Add(memberCodeLife), Resend: mailPause,
	}
	letter := mail.MemberCode(address, drawn, memberCodeLife, from.Language)
	if u.ID != 0 && u.Status != Pending {
		request.UserID, letter = 0, mail.Nothing()
	}
	request.Letter = s.Post.Seal(letter)
	return s.requestCode(ctx, from, request)
}

// MemberForm is a registration as it was typed on /user (document 000, POST /user/register/).
type MemberForm struct{ Name, Password, Email, Code string }

// member is a MemberForm that was read, as far as it could be.
type member struct {
	name, password string
	email          mail.Address
	digits         string // empty where no code can be right
}

// RegisterMember stores a user who has proven the email by a code and so is active at once, without
// vault keys. All that is wrong is told together, by the document's names: username, password, email and
// captcha; a code that is right is used up only where nothing is wrong.
func (s *Service) RegisterMember(ctx context.Context, f MemberForm, from session.Visitor) error {
	faults := fault.Fields{}
	m := s.readMember(f, faults)
	proven, err := s.proves(ctx, m, from)
	if err != nil {
		return err
	}
	if !proven { // the answer may tell whom the name and the email belong to
		if err := s.Guard.Allow(ctx, throttle.PerAsker, throttle.Client(from.Address)); err != nil {
			return err
		}
	}
	if _, noted := faults["captcha"]; !proven && !noted {
		faults["captcha"] = phrase.CodeWrong
	}
	if err := s.noteTaken(ctx, m, proven, faults); err != nil {
		return err
	}
	if err := fault.InvalidFields(faults); err != nil {
		return err
	}
	phc, err := s.Hasher.Hash(ctx, m.password, argon2id.Login)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	right, err := s.Store.RegisterMember(ctx, s.memberCode(m), NewUser{
		Profile:     Profile{Name: m.name, Email: m.email.String()},
		NameHandle:  nameHandle(m.name),
		EmailHandle: Handle(m.email.Folded()),
		Status:      Active,
		Language:    from.Language,
		Bind: func(id int64) ([]byte, *keyring.Record, error) {
			return s.sealPassword(id, phc), nil, nil
		},
		Now: s.Now(),
	})
	if err != nil {
		return memberTaken(err)
	}
	if !right { // it served another registration in the meantime
		return fault.InvalidField("captcha", phrase.CodeWrong)
	}
	return nil
}

func (s *Service) readMember(f MemberForm, faults fault.Fields) (m member) {
	var wrong phrase.Phrase
	var ok bool
	if m.name, wrong, ok = parseName(f.Name); !ok {
		faults["username"] = wrong
	}
	if m.password, wrong, ok = password.NormalizeNew(f.Password, s.LeastMemberPassword); !ok {
		faults["password"] = wrong
	}
	if m.email, wrong, ok = parseEmail(f.Email); !ok {
		faults["email"] = wrong
	}
	m.digits = strings.TrimSpace(f.Code)
	if m.digits == "" {
		faults["captcha"] = phrase.Required
	}
	if !ok || len(m.digits) > maxCodeText {
		m.digits = ""
	}
	return m
}

// parseEmail returns the address that a form of /user names, or what is wrong with it.
func parseEmail(typed string) (a mail.Address, wrong phrase.Phrase, ok bool) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return a, phrase.Required, false
	}
	a, err := mail.ParseAddress(typed)
	return a, phrase.BadEmail, err == nil
}

func (s *Service) memberCode(m member) Code {
	return s.code(forMember, Handle(m.email.Folded()), m.digits)
}

// proves says whether a form shows the code that was mailed to its address. A wrong one counts.
func (s *Service) proves(ctx context.Context, m member, from session.Visitor) (bool, error) {
	if m.digits == "" {
		return false, nil
	}
	c := typedCode{s.memberCode(m), Handle(m.email.Folded())}
	_, attempt, err := s.guess(ctx, c, from)
	if err != nil {
		return false, err
	}
	right, err := s.Store.CheckCode(ctx, c.Code, Anybody, s.Now())
	if err != nil {
		return false, fmt.Errorf("check code: %w", err)
	}
	if !right {
		return false, nil
	}
	return true, noted(attempt.Right(ctx))
}

// noteTaken notes a name and an email that are somebody's. Where members are hidden, who has not proven
// an email is not told whether it is registered.
func (s *Service) noteTaken(ctx context.Context, m member, proven bool, faults fault.Fields) error {
	name, email, err := s.areTaken(ctx, nameHandle(m.name), Handle(m.email.Folded()), 0)
	if err != nil {
		return err
	}
	if _, noted := faults["username"]; name && !noted {
		faults["username"] = phrase.NameTaken
	}
	if _, noted := faults["email"]; email && !noted && (proven || !s.HideMembers) {
		faults["email"] = phrase.EmailTaken
	}
	return nil
}

// memberTaken says in whose way a member's name or email is.
func memberTaken(err error) error {
	switch {
	case errors.Is(err, ErrEmailTaken):
		return fault.InvalidField("email", phrase.EmailTaken)
	case errors.Is(err, ErrNameTaken):
		return fault.InvalidField("username", phrase.NameTaken)
	case errors.Is(err, ErrNoUser):
		return errGone
	}
	return fmt.Errorf("store member: %w", err)
}

// CheckMemberLogin returns the credentials of a login on /user, which takes an email only, or the error
// that names what could not be any: email, password.
func (s *Service) CheckMemberLogin(l Login) (Credentials, error) {
	faults := fault.Fields{}
	c := Credentials{login: l}
	email, wrong, ok := parseEmail(l.Handle)
	if !ok {
		faults["email"] = wrong
	}
	if c.login.Password, wrong, ok = password.Normalize(l.Password); !ok {
		faults["password"] = wrong
	}
	c.handle = Handle(email.Folded())
	return c, fault.InvalidFields(faults)
}

// LoginMember is Login, but tells by the slug email_unknown that an email is nobody's, in the same time
// and unless members are hidden.
func (s *Service) LoginMember(ctx context.Context, c Credentials, from session.Visitor) (token string, err error) {
	if s.HideMembers {
		return s.Login(ctx, c, from)
	}
	return s.login(ctx, c, from)
}
