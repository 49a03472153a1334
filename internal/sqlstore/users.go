package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"caesar/internal/user"
)

const userColumns = `u.id, u.status, u.name, u.real_name, u.email, u.phone, u.career, u.birth_date,
	u.sealed_password, u.credential, u.key_revision, u.language, u.created_at`

// readUser reads one user; the query begins at FROM.
func readUser(q *querier, from string, args ...any) (u user.User, err error) {
	var created int64
	err = q.row("SELECT "+userColumns+" "+from, args,
		&u.ID, &u.Status, &u.Name, &u.RealName, &u.Email, &u.Phone, &u.Career, &u.BirthDate,
		&u.SealedPassword, &u.Credential, &u.KeyRevision, &u.Language, &created)
	if err != nil {
		return user.User{}, found(err, user.ErrNoUser)
	}
	u.CreatedAt = unix(created)
	return u, nil
}

// UserByHandle implements user.Store.
func (s *Store) UserByHandle(_ context.Context, h user.Handle) (user.User, error) {
	return readUser(&s.querier, "FROM handles h JOIN users u ON u.id = h.user_id WHERE h.handle = $1", string(h))
}

// UserByID implements user.Store.
func (s *Store) UserByID(_ context.Context, id int64) (user.User, error) {
	return readUser(&s.querier, "FROM users u WHERE u.id = $1", id)
}

// Register implements user.Store.
func (s *Store) Register(ctx context.Context, u user.NewUser) (id int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		id, err = register(t, u)
		return err
	})
	return id, err
}

func register(t *tx, u user.NewUser) (id int64, err error) {
	err = takeEmail(t, u.EmailHandle, 0, func() error {
		if id, err = t.next("users"); err != nil {
			return err
		}
		return insertUser(t, id, u)
	})
	return id, err
}

func insertUser(t *tx, id int64, u user.NewUser) error {
	sealedPassword, keys, err := u.Bind(id)
	if err != nil {
		return err
	}
	var keyRevision int64
	if keys != nil {
		keyRevision = keys.Revision
	}
	_, err = t.exec(`INSERT INTO users (id, status, name, real_name, email, phone, career, birth_date, name_handle, email_handle,
			sealed_password, key_revision, language, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)`,
		id, string(u.Status), u.Name, u.RealName, u.Email, u.Phone, u.Career, u.BirthDate, string(u.NameHandle), string(u.EmailHandle),
		sealedPassword, keyRevision, int(u.Language), u.Now.Unix())
	if err != nil {
		return err
	}
	if err := takeHandle(t, u.EmailHandle, id, user.ErrEmailTaken); err != nil {
		return err
	}
	if err := takeHandle(t, u.NameHandle, id, user.ErrNameTaken); err != nil {
		return err
	}
	if keys != nil {
		if err := insertKeyRecord(t, id, *keys); err != nil {
			return err
		}
	}
	if u.Status == user.Pending {
		return setErasure(t, id, u.EraseAt)
	}
	return nil
}

// takeHandle gives a handle to a user, or returns taken.
func takeHandle(t *tx, h user.Handle, userID int64, taken error) error {
	n, err := t.exec("INSERT INTO handles (handle, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", string(h), userID)
	if err == nil && n == 0 {
		return taken
	}
	return err
}

// takeEmail has take done once no pending user, other than one, holds an email.
func takeEmail(t *tx, email user.Handle, but int64, take func() error) error {
	free, err := evictPending(t, email, but)
	if err != nil {
		return err
	}
	err = take()
	if free && errors.Is(err, user.ErrEmailTaken) {
		return errOutrun // by one who may be pending too, and gives way
	}
	return err
}

// evictPending erases the pending user, other than one, who holds an email: nobody gains a hold on an
// address without proving it. It says whether nobody holds the email then.
func evictPending(t *tx, email user.Handle, but int64) (free bool, err error) {
	u, err := readUser(t, "FROM handles h JOIN users u ON u.id = h.user_id WHERE h.handle = $1", string(email))
	if err == nil && u.Status == user.Pending && u.ID != but {
		// Looked at again once it is locked: it may have been activated, or given way to another.
		if err := t.lockOwner(u.ID); err != nil {
			return false, err
		}
		u, err = readUser(t, "FROM users u WHERE u.id = $1", u.ID)
	}
	switch {
	case errors.Is(err, user.ErrNoUser):
		return true, nil
	case err != nil:
		return false, err
	case u.Status != user.Pending || u.ID == but:
		return false, nil
	}
	if err := eraseUser(t, u.ID); err != nil {
		return false, err
	}
	_, err = t.exec("DELETE FROM erasures WHERE user_id = $1", u.ID) // a pending user has no other data
	return true, err
}

// SignIn implements user.Store.
func (s *Store) SignIn(ctx context.Context, in user.SignIn) (done bool, err error) {
	userID := in.Session.UserID
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE users SET status = 'active', language = $1, sealed_password = coalesce($2, sealed_password)
			WHERE id = $3 AND credential = $4 AND status IN ('active', 'closing')`,
			int(in.Language), in.Rehashed, userID, in.Credential)
		if done = n > 0; !done || err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM erasures WHERE user_id = $1", userID); err != nil {
			return err
		}
		return openSession(t, in.Opening)
	})
	return done, err
}

// ChangePassword implements user.Store.
func (s *Store) ChangePassword(ctx context.Context, userID int64, seen user.Seen, sealedPassword []byte, keepSession int64, letter []byte, now time.Time) (done bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		done, err = replacePassword(t, userID, seen, sealedPassword, keepSession, letter, now)
		return err
	})
	return done, err
}

// replacePassword stores a password over the one that was seen, ends the user's sessions but one, and
// queues the letter; it says whether it did. ErrStale where only the vault keys are others.
func replacePassword(t *tx, userID int64, seen user.Seen, sealedPassword []byte, keepSession int64, letter []byte, now time.Time) (done bool, err error) {
	n, err := t.exec(`UPDATE users SET sealed_password = $1, credential = credential + 1, updated_at = $2
		WHERE id = $3 AND credential = $4 AND key_revision = $5`, sealedPassword, now.Unix(), userID, seen.Credential, seen.KeyRevision)
	if err != nil {
		return false, err
	}
	if n == 0 {
		var same int
		err := t.row("SELECT 1 FROM users WHERE id = $1 AND credential = $2", list(userID, seen.Credential), &same)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		return false, errors.Join(user.ErrStale, err)
	}
	if err := endSessions(t, userID, keepSession); err != nil {
		return false, err
	}
	return true, queueLetter(t, letter, now)
}

// CloseAccount implements user.Store.
func (s *Store) CloseAccount(ctx context.Context, userID int64, due time.Time, letter []byte, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec("UPDATE users SET status = 'closing' WHERE id = $1 AND status = 'active'", userID)
		if err != nil || n == 0 {
			return err // closed already, by a request at the same moment
		}
		if err := setErasure(t, userID, due); err != nil {
			return err
		}
		if err := endSessions(t, userID, 0); err != nil {
			return err
		}
		return queueLetter(t, letter, now)
	})
}

// DueErasures implements user.Store.
func (s *Store) DueErasures(_ context.Context, now time.Time, most int) (ids []int64, err error) {
	err = s.rows("SELECT user_id FROM erasures WHERE due_at <= $1 ORDER BY due_at LIMIT $2", list(now.Unix(), most),
		func(rows scanner) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		})
	return ids, explain(err)
}

// Erase implements user.Store.
func (s *Store) Erase(ctx context.Context, userID int64, force bool, letter []byte, now time.Time) (erased bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.lockOwner(userID); err != nil {
			return err
		}
		var due int64
		err := t.row("SELECT due_at FROM erasures WHERE user_id = $1", list(userID), &due)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if erased = force || (err == nil && due <= now.Unix()); !erased {
			return nil
		}
		n, err := t.exec("UPDATE users SET credential = credential + 1 WHERE id = $1", userID)
		if err != nil || n == 0 {
			return err // erased before: only remains are left
		}
		if err := eraseUser(t, userID); err != nil {
			return err
		}
		if err := setErasure(t, userID, now); err != nil {
			return err
		}
		return queueLetter(t, letter, now)
	})
	return erased, err
}

// eraseUser makes a user gone for everybody. The vault keys go with it: what remains is ciphertext that
// nobody can open.
func eraseUser(t *tx, userID int64) error {
	var name, email string
	if err := t.row("SELECT name_handle, email_handle FROM users WHERE id = $1", list(userID), &name, &email); err != nil {
		return err
	}
	for _, q := range []struct {
		statement string
		key       any
	}{
		{"DELETE FROM handles WHERE handle = $1", name},
		{"DELETE FROM handles WHERE handle = $1", email},
		{"DELETE FROM key_records WHERE user_id = $1", userID},
		{"DELETE FROM sessions WHERE user_id = $1", userID},
		{"DELETE FROM users WHERE id = $1", userID},
	} {
		if err := t.later(q.statement, q.key); err != nil {
			return err
		}
	}
	return nil
}

// EraseRemains implements user.Store.
func (s *Store) EraseRemains(ctx context.Context, userID int64, most int) (more bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		var deleted int64
		for _, statement := range []string{
			"DELETE FROM items WHERE user_id = $1 AND id IN (SELECT id FROM items WHERE user_id = $1 ORDER BY id LIMIT $2" + t.forUpdate + ")",
			"DELETE FROM item_log WHERE user_id = $1 AND id IN (SELECT id FROM item_log WHERE user_id = $1 ORDER BY id LIMIT $2" + t.forUpdate + ")",
		} { // locked as they are chosen: who finds them gone chooses others, and not none
			n, err := t.exec(statement, userID, most)
			if err != nil {
				return err
			}
			deleted += n
		}
		if more = deleted > 0; more {
			return nil
		}
		_, err := t.exec("DELETE FROM erasures WHERE user_id = $1", userID)
		return err
	})
	if err == nil && !more {
		err = s.forget()
	}
	return more, err
}

// setErasure has a user's data go at a time.
func setErasure(t *tx, userID int64, due time.Time) error {
	return t.later("INSERT INTO erasures (user_id, due_at) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET due_at = excluded.due_at",
		userID, due.Unix())
}
