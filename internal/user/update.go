package user

import (
	"context"
	"errors"
	"time"

	"caesar/internal/mail"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

// ProfileParts is what is to change of a profile; nil parts stay.
type ProfileParts struct{ Name, RealName, Email, Phone, Career, BirthDate *string }

// Over returns a profile with the parts put over it.
func (c ProfileParts) Over(p Profile) Profile {
	for _, part := range []struct{ from, to *string }{
		{c.Name, &p.Name},
		{c.RealName, &p.RealName},
		{c.Email, &p.Email},
		{c.Phone, &p.Phone},
		{c.Career, &p.Career},
		{c.BirthDate, &p.BirthDate},
	} {
		if part.from != nil {
			*part.to = *part.from
		}
	}
	return p
}

// Update is a change of a user, to be stored.
type Update struct {
	UserID int64
	Parts  ProfileParts
	// NameHandle and EmailHandle belong to the parts that are not nil.
	NameHandle, EmailHandle Handle
	// WasEmail is the handle of the email as it was seen.
	WasEmail Handle
	// SealedPassword replaces the login password where not nil.
	SealedPassword []byte
	// KeyRevision is that of the vault keys with whose password a new one was compared.
	KeyRevision int64
	// Credential is that of the password that was checked; 0 where none was.
	Credential int64
	// What a change of password or email brings with it.
	KeepSession                 int64
	DropCodes                   [][]byte
	PasswordLetter, EmailLetter []byte
	Now                         time.Time
}

// fresh does what goes by a user who was read, again where the user has changed since.
func fresh(do func() error) error {
	for range 5 {
		if err := do(); !errors.Is(err, ErrStale) {
			return err
		}
	}
	return errBusy
}

// moveEmail adds to an update what a change of email brings with it. How often a user can move is limited,
// since somebody is written to each time, at an address that nobody may have proven.
func (s *Service) moveEmail(ctx context.Context, who session.Asker, u User, from mail.Address, update *Update) error {
	if err := s.Guard.Allow(ctx, throttle.PerMover, throttle.User(u.ID)); err != nil {
		return err
	}
	update.DropCodes = s.slots(Handle(from.Folded()))
	update.EmailLetter = s.Post.Seal(mail.EmailChangedNotice(from, u.Name, who.Language))
	return nil
}
