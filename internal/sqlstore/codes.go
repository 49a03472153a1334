package sqlstore

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"time"

	"caesar/internal/user"
)

// RequestCode implements user.Store.
func (s *Store) RequestCode(ctx context.Context, r user.CodeRequest) (wait time.Duration, err error) {
	err = s.write(ctx, func(t *tx) error {
		wait = 0
		n, err := t.exec(`INSERT INTO codes (slot, user_id, code_hash, sent_at, expires_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (slot) DO UPDATE SET user_id = excluded.user_id, code_hash = excluded.code_hash, tries = 0,
				sent_at = excluded.sent_at, expires_at = excluded.expires_at
			WHERE codes.sent_at <= $6`,
			r.Slot, r.UserID, r.Hash, r.Now.Unix(), r.ExpiresAt.Unix(), r.Now.Add(-r.Resend).Unix())
		if err != nil {
			return err
		}
		if n == 0 {
			var sent int64
			err := t.row("SELECT sent_at FROM codes WHERE slot = $1", list(r.Slot), &sent)
			wait = unix(sent).Add(r.Resend).Sub(r.Now)
			return err
		}
		return queueLetter(t, r.Letter, r.Now)
	})
	return wait, err
}

// CheckCode implements user.Store.
func (s *Store) CheckCode(ctx context.Context, c user.Code, userID int64, now time.Time) (right bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		right, err = tryCode(t, c, userID, now)
		return err
	})
	return right, err
}

// Activate implements user.Store.
func (s *Store) Activate(ctx context.Context, c user.Code, userID int64, now time.Time) (right bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		if right, err = useCode(t, c, userID, now); !right || err != nil {
			return err
		}
		n, err := t.exec("UPDATE users SET status = 'active', updated_at = $1 WHERE id = $2 AND status = 'pending'", now.Unix(), userID)
		if right = n > 0; !right || err != nil {
			return err
		}
		_, err = t.exec("DELETE FROM erasures WHERE user_id = $1", userID)
		return err
	})
	return right, err
}

// ResetPassword implements user.Store.
func (s *Store) ResetPassword(ctx context.Context, c user.Code, userID, keyRevision int64, sealedPassword, letter []byte, now time.Time) (right bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.lockOwner(userID); err != nil {
			return err
		}
		if right, err = useCode(t, c, userID, now); !right || err != nil {
			return err
		}
		u, err := readUser(t, "FROM users u WHERE u.id = $1", userID)
		if err != nil {
			return err
		}
		right, err = replacePassword(t, userID, user.Seen{Credential: u.Credential, KeyRevision: keyRevision}, sealedPassword, 0, letter, now)
		return err
	})
	return right, err
}

// DropCodes implements user.Store.
func (s *Store) DropCodes(ctx context.Context, userID int64, slots [][]byte) error {
	return s.write(ctx, func(t *tx) error {
		for _, slot := range slots {
			if err := t.later("DELETE FROM codes WHERE slot = $1 AND user_id = $2", slot, userID); err != nil {
				return err
			}
		}
		return nil
	})
}

// tryCode says whether a code is right for a user, and counts it where it is not. Nobody (0) has no
// right codes.
func tryCode(t *tx, c user.Code, userID int64, now time.Time) (right bool, err error) {
	var holder, tries, expires int64
	var hash []byte
	err = t.row("SELECT user_id, code_hash, tries, expires_at FROM codes WHERE slot = $1"+t.forUpdate, list(c.Slot), &holder, &hash, &tries, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	same := subtle.ConstantTimeCompare(hash, c.Hash) == 1
	if same && userID != 0 && holder == userID && tries < user.MaxCodeTries && now.Unix() < expires {
		return true, nil
	}
	return false, t.later("UPDATE codes SET tries = tries + 1 WHERE slot = $1", c.Slot)
}

// useCode is tryCode for the last time: a code that is right is used up. Its row stays until it expires,
// for it tells when the last mail was sent.
func useCode(t *tx, c user.Code, userID int64, now time.Time) (right bool, err error) {
	if right, err = tryCode(t, c, userID, now); !right || err != nil {
		return right, err
	}
	return true, voidCode(t, c.Slot)
}

// voidCode makes a code one that is right for nobody.
func voidCode(t *tx, slot []byte) error {
	return t.later("UPDATE codes SET user_id = 0, tries = $1 WHERE slot = $2", user.MaxCodeTries, slot)
}
