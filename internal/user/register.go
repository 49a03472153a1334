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
)

// pendingGrace is how long a registration that nobody activates keeps its name.
const pendingGrace = 24 * time.Hour

// Form is a registration as it was typed on /api (document 003, POST /register).
type Form struct {
	Name, RealName, Email, Phone       string
	Password, RePassword, MainPassword string
}

// Registration is a form that was checked.
type Registration struct {
	profile                Profile
	email                  mail.Address
	password, mainPassword string
}

// Check returns the registration that a form makes, or the error that names what is wrong with it.
func (s *Service) Check(f Form) (Registration, error) {
	faults := fault.Fields{}
	note := func(field string, wrong phrase.Phrase, ok bool) {
		if !ok {
			faults[field] = wrong
		}
	}
	r := Registration{profile: Profile{RealName: strings.TrimSpace(f.RealName), Phone: strings.TrimSpace(f.Phone)}}

	name, wrong, ok := parseName(f.Name)
	note("user_name", wrong, ok)
	r.profile.Name = name
	email, err := mail.ParseAddress(f.Email)
	note("email", phrase.BadEmail, err == nil)
	r.email, r.profile.Email = email, email.String()
	wrong, ok = checkRealName(f.RealName)
	note("real_name", wrong, ok)
	wrong, ok = checkPhone(r.profile.Phone)
	note("phone", wrong, ok)

	r.password, wrong, ok = password.NormalizeNew(f.Password, s.LeastPassword)
	note("password", wrong, ok)
	if again, _, _ := password.Normalize(f.RePassword); ok && again != r.password {
		note("re_password", phrase.PasswordsDiffer, false)
	}
	r.mainPassword, wrong, ok = password.NormalizeNew(f.MainPassword, s.LeastMainPassword)
	note("main_password", wrong, ok)
	if ok && r.mainPassword == r.password {
		note("main_password", phrase.MainIsLogin, false)
	}
	return r, fault.InvalidFields(faults)
}

// Register stores a user who is pending until the email is proven, and returns the id.
func (s *Service) Register(ctx context.Context, r Registration, from session.Visitor) (int64, error) {
	if err := s.refuseTaken(ctx, r); err != nil {
		return 0, err
	}
	phc, err := s.Hasher.Hash(ctx, r.password, argon2id.Login)
	if err != nil {
		return 0, fmt.Errorf("hash password: %w", err)
	}
	keys, err := s.Keys.Make(ctx, r.profile.Email, r.mainPassword)
	if err != nil {
		return 0, fmt.Errorf("make vault keys: %w", err)
	}
	now := s.Now()
	id, err := s.Store.Register(ctx, NewUser{
		Profile:     r.profile,
		NameHandle:  nameHandle(r.profile.Name),
		EmailHandle: Handle(r.email.Folded()),
		Status:      Pending,
		Language:    from.Language,
		Bind: func(id int64) ([]byte, *keyring.Record, error) {
			record := keys.Bind(id)
			return s.sealPassword(id, phc), &record, nil
		},
		EraseAt: now.Add(pendingGrace),
		Now:     now,
	})
	if err != nil {
		return 0, taken(err)
	}
	return id, nil
}

// refuseTaken spares the hashing where the store would refuse anyway.
func (s *Service) refuseTaken(ctx context.Context, r Registration) error {
	name, email, err := s.areTaken(ctx, nameHandle(r.profile.Name), Handle(r.email.Folded()), 0)
	if err != nil || !name && !email {
		return err
	}
	refusal := *errEmailTaken
	refusal.Fields = fault.Fields{}
	if email {
		refusal.Fields["email"] = phrase.EmailTaken
	} else {
		refusal.Message = phrase.NameTaken
	}
	if name {
		refusal.Fields["user_name"] = phrase.NameTaken
	}
	return &refusal
}

// areTaken says whether a name and an email are somebody's, other than one user. A pending user holds
// neither against who comes with the email.
func (s *Service) areTaken(ctx context.Context, name, email Handle, but int64) (nameTaken, emailTaken bool, err error) {
	holder, err := s.Store.UserByHandle(ctx, email)
	if err != nil && !errors.Is(err, ErrNoUser) {
		return false, false, fmt.Errorf("look up email: %w", err)
	}
	namesake, err := s.Store.UserByHandle(ctx, name)
	if err != nil && !errors.Is(err, ErrNoUser) {
		return false, false, fmt.Errorf("look up name: %w", err)
	}
	givesWay := func(u User) bool { return u.ID == 0 || u.ID == but || u.ID == holder.ID && u.Status == Pending }
	return !givesWay(namesake), !givesWay(holder), nil
}

// taken says in whose way a registration or a profile is.
func taken(err error) error {
	switch {
	case errors.Is(err, ErrEmailTaken):
		return errEmailTaken
	case errors.Is(err, ErrNameTaken):
		return errNameTaken
	case errors.Is(err, ErrNoUser):
		return errGone
	}
	return fmt.Errorf("store user: %w", err)
}
