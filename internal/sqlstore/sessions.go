package sqlstore

import (
	"context"
	"time"

	"caesar/internal/session"
)

// FindSession implements session.Store.
func (s *Store) FindSession(_ context.Context, userID int64, tokenHash []byte, now time.Time) (session.Identity, error) {
	var id, keyRevision, lastUsed int64
	err := s.row(`SELECT s.id, s.last_used_at, u.key_revision
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.user_id = $1 AND s.token_hash = $2 AND s.expires_at > $3 AND u.status = 'active'`,
		list(userID, tokenHash, now.Unix()), &id, &lastUsed, &keyRevision)
	if err != nil {
		return session.Identity{}, found(err, session.ErrNone)
	}
	return session.NewIdentity(userID, id, keyRevision, unix(lastUsed)), nil
}

// TouchSession implements session.Store.
func (s *Store) TouchSession(ctx context.Context, userID, id int64, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("UPDATE sessions SET last_used_at = $1 WHERE user_id = $2 AND id = $3", now.Unix(), userID, id)
		return err
	})
}

// Sessions implements session.Store.
func (s *Store) Sessions(_ context.Context, userID int64, now time.Time) ([]session.Session, error) {
	sessions := []session.Session{}
	err := s.rows(`SELECT id, client, address, created_at, last_used_at, expires_at
		FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC`,
		list(userID, now.Unix()), func(r scanner) error {
			v := session.Session{UserID: userID}
			var created, used, expires int64
			if err := r.Scan(&v.ID, &v.Device.Client, &v.Device.Address, &created, &used, &expires); err != nil {
				return err
			}
			v.CreatedAt, v.LastUsedAt, v.ExpiresAt = unix(created), unix(used), unix(expires)
			sessions = append(sessions, v)
			return nil
		})
	return sessions, explain(err)
}

// EndSession implements session.Store.
func (s *Store) EndSession(ctx context.Context, userID, id int64) (ended bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM sessions WHERE user_id = $1 AND id = $2", userID, id)
		ended = n > 0
		return err
	})
	return ended, err
}

// EndOtherSessions implements session.Store.
func (s *Store) EndOtherSessions(ctx context.Context, userID, keep int64) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.lockOwner(userID); err != nil {
			return err
		}
		return endSessions(t, userID, keep)
	})
}

// endSessions ends a user's sessions, all of them where keep is 0.
func endSessions(t *tx, userID, keep int64) error {
	return t.later("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", userID, keep)
}

// openSession stores a session. It takes the place of those that have expired and, past the most that
// a user may have, of the one unused for longest.
func openSession(t *tx, o session.Opening) error {
	v := o.Session
	err := t.later(`DELETE FROM sessions WHERE user_id = $1 AND (expires_at <= $2 OR id IN (
			SELECT id FROM sessions WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC LIMIT $3 OFFSET $4))`,
		v.UserID, v.CreatedAt.Unix(), session.MostPerUser, session.MostPerUser-1)
	if err != nil {
		return err
	}
	return t.later(`INSERT INTO sessions (user_id, token_hash, client, address, created_at, last_used_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		v.UserID, o.TokenHash, v.Device.Client, v.Device.Address, v.CreatedAt.Unix(), v.LastUsedAt.Unix(), v.ExpiresAt.Unix())
}
