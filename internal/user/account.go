package user

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"caesar/internal/fault"
	"caesar/internal/mail"
	"caesar/internal/phrase"
	"caesar/internal/session"
)

// Me returns the user who asks.
func (s *Service) Me(ctx context.Context, who session.Asker) (User, error) {
	return s.byID(ctx, who.UserID)
}

// UpdateMe replaces what document 003 shows of a profile. A change of email takes effect at once: the
// old address is told, its codes are void, and all other sessions end.
func (s *Service) UpdateMe(ctx context.Context, who session.Asker, realName, email, phone string) error {
	faults := fault.Fields{}
	address, err := mail.ParseAddress(email)
	if err != nil {
		faults["email"] = phrase.BadEmail
	}
	if wrong, ok := checkRealName(realName); !ok {
		faults["real_name"] = wrong
	}
	phone = strings.TrimSpace(phone)
	if wrong, ok := checkPhone(phone); !ok {
		faults["phone"] = wrong
	}
	if err := fault.InvalidFields(faults); err != nil {
		return err
	}
	realName = strings.TrimSpace(realName)
	typed := address.String()
	return fresh(func() error {
		return s.updateMe(ctx, who, ProfileParts{RealName: &realName, Email: &typed, Phone: &phone}, address)
	})
}

func (s *Service) updateMe(ctx context.Context, who session.Asker, parts ProfileParts, address mail.Address) error {
	u, err := s.Me(ctx, who)
	if err != nil {
		return err
	}
	old, err := u.address()
	if err != nil {
		return err
	}
	update := Update{
		UserID: u.ID, Parts: parts, WasEmail: Handle(old.Folded()),
		EmailHandle: Handle(address.Folded()), KeepSession: who.SessionID, Now: s.Now(),
	}
	moves := old.Folded() != address.Folded()
	if moves {
		if err := s.moveEmail(ctx, who, u, old, &update); err != nil {
			return err
		}
	}
	if _, err := s.Store.UpdateUser(ctx, update); err != nil {
		return taken(err)
	}
	if moves {
		s.moved(u.ID)
	}
	return nil
}

// moved ends what a change of email ends beside the rows.
func (s *Service) moved(userID int64) {
	s.Keys.ForgetUser(userID)
	s.Post.Wake()
}

// Close closes the account of the one who asks, and returns when it will be erased. A login before
// then keeps it.
func (s *Service) Close(ctx context.Context, who session.Asker) (due time.Time, err error) {
	u, err := s.Me(ctx, who)
	if err != nil {
		return time.Time{}, err
	}
	due = s.Now().Add(s.ClosingGrace)
	letter, err := s.notice(u, who.Language, func(to mail.Address, name string, l phrase.Language) mail.Letter {
		return mail.ClosingNotice(to, name, due, l)
	})
	if err != nil {
		return time.Time{}, err
	}
	if err := s.Store.CloseAccount(ctx, u.ID, due, letter, s.Now()); err != nil {
		return time.Time{}, fmt.Errorf("close account: %w", err)
	}
	s.Keys.ForgetUser(u.ID)
	s.Post.Wake()
	return due, nil
}

// erasedAtOnce is how many rows of an erased user's data go in one transaction, so that nobody waits
// long behind it.
const erasedAtOnce = 500

// EraseMe erases the one who asks, at once, where the login password is right.
func (s *Service) EraseMe(ctx context.Context, who session.Asker, given string) error {
	u, err := s.checkPassword(ctx, who, "password", given)
	if err != nil {
		return err
	}
	return s.erase(ctx, u, true)
}

// EraseDue erases the users whose time has come: closed and not kept, or registered and never
// activated. It goes on past those that fail and returns their errors joined.
func (s *Service) EraseDue(ctx context.Context) error {
	const most = 100
	var failed []error
	due, err := s.Store.DueErasures(ctx, s.Now(), most)
	if err != nil {
		return fmt.Errorf("list due erasures: %w", err)
	}
	for _, id := range due {
		u, err := s.Store.UserByID(ctx, id)
		if err != nil && !errors.Is(err, ErrNoUser) {
			failed = append(failed, fmt.Errorf("read user %d: %w", id, err))
			continue
		}
		u.ID = id // also where only remains are left of it
		if err := s.erase(ctx, u, false); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// erase makes a user gone for everybody in one transaction, then deletes the rest piece by piece. What
// a crash leaves of that is due at the next sweep.
func (s *Service) erase(ctx context.Context, u User, force bool) error {
	letter := s.Post.Seal(mail.Nothing())
	if u.Status == Closing || u.Status == Active {
		var err error
		if letter, err = s.notice(u, u.Language, mail.ErasedNotice); err != nil {
			return err
		}
	}
	erased, err := s.Store.Erase(ctx, u.ID, force, letter, s.Now())
	if err != nil {
		return fmt.Errorf("erase user %d: %w", u.ID, err)
	}
	if !erased {
		return nil // kept by a login in the meantime
	}
	s.Keys.ForgetUser(u.ID)
	s.Post.Wake()
	if address, err := mail.ParseAddress(u.Email); err == nil { // of one who was erased before, nothing is known
		if err := s.Store.DropCodes(ctx, u.ID, s.slots(Handle(address.Folded()))); err != nil {
			return fmt.Errorf("erase codes of user %d: %w", u.ID, err)
		}
	}
	for _, belongings := range s.Belongings {
		if err := belongings.EraseAll(ctx, u.ID); err != nil {
			return fmt.Errorf("erase belongings of user %d: %w", u.ID, err)
		}
	}
	for more := true; more; {
		if more, err = s.Store.EraseRemains(ctx, u.ID, erasedAtOnce); err != nil {
			return fmt.Errorf("erase data of user %d: %w", u.ID, err)
		}
	}
	return nil
}
