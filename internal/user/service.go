package user

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/fault"
	"caesar/internal/keyring"
	"caesar/internal/mail"
	"caesar/internal/password"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

// What can be answered of users.
var (
	errLoginWrong   = fault.New(fault.Invalid, "login_wrong", phrase.LoginWrong)
	errOldPassword  = fault.New(fault.Invalid, "login_wrong", phrase.OldPasswordWrong)
	errEmailUnknown = fault.New(fault.Invalid, "email_unknown", phrase.EmailUnknown)
	errNotActivated = fault.New(fault.Invalid, "not_activated", phrase.NotActivated)
	errCodeWrong    = fault.New(fault.Invalid, "code_wrong", phrase.CodeWrong).On("code")
	errNameTaken    = fault.New(fault.Conflict, "taken", phrase.NameTaken).On("user_name")
	errEmailTaken   = fault.New(fault.Conflict, "taken", phrase.EmailTaken).On("email")
	errMailTooSoon  = fault.New(fault.TooMany, "too_many", phrase.MailTooSoon)
	errGone         = fault.New(fault.Unauthenticated, "unauthenticated", phrase.LogIn)
	errBusy         = fault.New(fault.Unavailable, "unavailable", phrase.ChangedMeanwhile).After(time.Second)
)

// Post is where letters go.
type Post interface {
	// Seal returns a letter as it may lie in the database.
	Seal(mail.Letter) []byte
	// Wake says that a letter was queued.
	Wake()
}

// Belongings are what users have in one place.
type Belongings interface {
	// EraseAll deletes all that a user has there. The user is gone by then and gets nothing new; what
	// fails is tried again.
	EraseAll(ctx context.Context, userID int64) error
}

// Config is what a Service is made of.
type Config struct {
	Store  Store
	Hasher *argon2id.Hasher
	Keys   *keyring.Keyring
	Guard  *throttle.Guard
	Post   Post
	Root   *rootkey.Ring
	// Belongings are what people have outside of Store, which goes with them.
	Belongings []Belongings

	LeastPassword       int           // characters of a login password set on /api
	LeastMemberPassword int           // characters of a login password set on /user
	LeastMainPassword   int           // characters of a main password
	ClosingGrace        time.Duration // from closing to erasing

	HideMembers bool // whether /user tells nobody which emails are registered
	RequireOld  bool // whether /user changes a password or email only for who knows the old ones

	Now func() time.Time
}

// Service is what people can do with their accounts. Its methods may be called by many at once.
type Service struct {
	Config
	sealer *rootkey.Sealer
	codes  *rootkey.MAC
	// nobody is what the password of a name that nobody has is compared with, at the usual price.
	nobody string
}

// NewService returns a service.
func NewService(c Config) *Service {
	return &Service{
		Config: c,
		sealer: c.Root.Sealer("login password"),
		codes:  c.Root.MAC("code"),
		nobody: argon2id.Unmatched(argon2id.Login),
	}
}

// sealPassword binds the hash of a login password to its user.
func (s *Service) sealPassword(userID int64, phc string) []byte {
	return s.sealer.Seal([]byte(phc), idBytes(userID))
}

// passwordHash returns the PHC string of a user's login password.
func (s *Service) passwordHash(u User) (string, error) {
	phc, err := s.sealer.Open(u.SealedPassword, idBytes(u.ID))
	if err != nil {
		return "", fmt.Errorf("open password of user %d: %w", u.ID, err)
	}
	return string(phc), nil
}

// isPassword compares a normalised password with a user's own.
func (s *Service) isPassword(ctx context.Context, u User, given string) (bool, error) {
	phc, err := s.passwordHash(u)
	if err != nil {
		return false, err
	}
	return s.Hasher.Verify(ctx, phc, given)
}

// isMainPassword compares a normalised password with a user's main password. The answer tells of the
// main password, and so each question counts as a wrong guess at it.
func (s *Service) isMainPassword(ctx context.Context, u User, given string, from session.Visitor) (bool, error) {
	record, err := s.Store.KeyRecord(ctx, u.ID)
	if err != nil {
		return false, fmt.Errorf("read key record: %w", err)
	}
	if record.Revision != u.KeyRevision {
		return false, ErrStale
	}
	if record.Revision == 0 {
		return false, nil
	}
	if _, err := s.Guard.Attempt(ctx, throttle.Inside(u.ID), from.Address); err != nil {
		return false, err
	}
	_, err = s.Keys.Unlock(ctx, u.ID, record, given)
	if errors.Is(err, keyring.ErrWrongPassword) {
		return false, nil
	}
	return err == nil, err
}

// newPassword hashes a normalised password that is to become a user's login password, which must not
// be the main one.
func (s *Service) newPassword(ctx context.Context, u User, next string, from session.Visitor) (sealed []byte, err error) {
	same, err := s.isMainPassword(ctx, u, next, from)
	if err != nil {
		return nil, err
	}
	if same {
		return nil, fault.InvalidField("password", phrase.LoginIsMain)
	}
	phc, err := s.Hasher.Hash(ctx, next, argon2id.Login)
	if err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	return s.sealPassword(u.ID, phc), nil
}

// checkPassword asks a logged-in user for their login password, in a field of the request.
func (s *Service) checkPassword(ctx context.Context, who session.Asker, field, given string) (User, error) {
	given, wrong, ok := password.Normalize(given)
	if !ok {
		return User{}, fault.InvalidField(field, wrong)
	}
	u, err := s.byID(ctx, who.UserID)
	if err != nil {
		return User{}, err
	}
	attempt, err := s.Guard.Attempt(ctx, throttle.Inside(u.ID), who.Address)
	if err != nil {
		return User{}, err
	}
	right, err := s.isPassword(ctx, u, given)
	if err != nil {
		return User{}, fmt.Errorf("compare password: %w", err)
	}
	if !right {
		return User{}, errOldPassword.On(field)
	}
	if err := attempt.Right(ctx); err != nil {
		return User{}, fmt.Errorf("note right guess: %w", err)
	}
	return u, nil
}

// byID returns a user who asks, or says that they are logged out where they were erased in the meantime.
func (s *Service) byID(ctx context.Context, id int64) (User, error) {
	u, err := s.Store.UserByID(ctx, id)
	if errors.Is(err, ErrNoUser) {
		return User{}, errGone
	}
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	return u, nil
}

// IsLoginPassword says whether a normalised password is the user's login password, which has the
// credential.
func (s *Service) IsLoginPassword(ctx context.Context, userID int64, given string) (is bool, credential int64, err error) {
	u, err := s.byID(ctx, userID)
	if err != nil {
		return false, 0, err
	}
	is, err = s.isPassword(ctx, u, given)
	return is, u.Credential, err
}

// Email returns a user's email as it is now.
func (s *Service) Email(ctx context.Context, userID int64) (string, error) {
	u, err := s.byID(ctx, userID)
	return u.Email, err
}

// MainPasswordNotice returns the sealed letter that tells a user that the main password was changed.
func (s *Service) MainPasswordNotice(ctx context.Context, userID int64, l phrase.Language) ([]byte, error) {
	u, err := s.byID(ctx, userID)
	if err != nil {
		return nil, err
	}
	return s.notice(u, l, mail.MainPasswordChangedNotice)
}

// LetterQueued says that a letter lies in the queue.
func (s *Service) LetterQueued() { s.Post.Wake() }

// address returns the email of a user, which was checked when it was stored.
func (u User) address() (mail.Address, error) {
	a, err := mail.ParseAddress(u.Email)
	if err != nil {
		return a, fmt.Errorf("email of user %d: %w", u.ID, err)
	}
	return a, nil
}

// digits draws n decimal digits.
func digits(n int) string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
	drawn, err := rand.Int(rand.Reader, limit)
	if err != nil {
		panic("draw digits: " + err.Error()) // crypto/rand does not fail; a known code would be worse
	}
	return fmt.Sprintf("%0*d", n, drawn)
}

func idBytes(id int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }
