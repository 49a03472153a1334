package sqlstore

import (
	"context"

	"caesar/internal/user"
)

// UpdateUser implements user.Store.
func (s *Store) UpdateUser(ctx context.Context, u user.Update) (done bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.lockOwner(u.UserID); err != nil {
			return err
		}
		was, err := readUser(t, "FROM users u WHERE u.id = $1", u.UserID)
		if err != nil {
			return err
		}
		if done = u.Credential == 0 || u.Credential == was.Credential; !done {
			return nil
		}
		if u.SealedPassword != nil {
			seen := user.Seen{Credential: was.Credential, KeyRevision: u.KeyRevision}
			if _, err := replacePassword(t, was.ID, seen, u.SealedPassword, u.KeepSession, u.PasswordLetter, u.Now); err != nil {
				return err
			}
		}
		return updateProfile(t, u, u.Parts.Over(was.Profile))
	})
	return done && err == nil, err
}

// updateProfile stores a profile, and what a change of its email and its name bring with it.
func updateProfile(t *tx, u user.Update, p user.Profile) error {
	var name, email string
	err := t.row("SELECT name_handle, email_handle FROM users WHERE id = $1", list(u.UserID), &name, &email)
	if err != nil {
		return err
	}
	if u.Parts.Email != nil && string(u.WasEmail) != email {
		return user.ErrStale
	}
	// The email first: a pending user who gives way to it gives up a name, too.
	if u.Parts.Email != nil && string(u.EmailHandle) != email {
		if err := changeEmail(t, email, u); err != nil {
			return err
		}
		email = string(u.EmailHandle)
	}
	if u.Parts.Name != nil && string(u.NameHandle) != name {
		if err := changeHandle(t, name, u.NameHandle, u.UserID, user.ErrNameTaken); err != nil {
			return err
		}
		name = string(u.NameHandle)
	}
	_, err = t.exec(`UPDATE users SET name = $1, real_name = $2, email = $3, phone = $4, career = $5, birth_date = $6,
			name_handle = $7, email_handle = $8, updated_at = $9
		WHERE id = $10`, p.Name, p.RealName, p.Email, p.Phone, p.Career, p.BirthDate, name, email, u.Now.Unix(), u.UserID)
	return err
}

func changeHandle(t *tx, from string, to user.Handle, userID int64, taken error) error {
	if err := takeHandle(t, to, userID, taken); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM handles WHERE handle = $1", from)
	return err
}

// changeEmail does what a change of email brings with it.
func changeEmail(t *tx, from string, u user.Update) error {
	err := takeEmail(t, u.EmailHandle, u.UserID, func() error {
		return changeHandle(t, from, u.EmailHandle, u.UserID, user.ErrEmailTaken)
	})
	if err != nil {
		return err
	}
	for _, slot := range u.DropCodes {
		if err := voidCode(t, slot); err != nil {
			return err
		}
	}
	if err := endSessions(t, u.UserID, u.KeepSession); err != nil {
		return err
	}
	return queueLetter(t, u.EmailLetter, u.Now)
}
