package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"caesar/internal/keyring"
	"caesar/internal/vault"
)

// KeyRecord implements vault.Store and user.Store.
func (s *Store) KeyRecord(_ context.Context, userID int64) (r keyring.Record, err error) {
	err = s.row(`SELECT revision, kdf_type, kdf_iterations, kdf_memory_mib, kdf_parallelism, salt, sealed_user_key,
			verifier, public_key, wrapped_private_key, user_key_id, mac
		FROM key_records WHERE user_id = $1`, list(userID),
		&r.Revision, &r.KDF.Type, &r.KDF.Iterations, &r.KDF.MemoryMiB, &r.KDF.Parallelism, &r.Salt, &r.SealedUserKey,
		&r.Verifier, &r.PublicKey, &r.WrappedPrivateKey, &r.UserKeyID, &r.MAC)
	if errors.Is(err, sql.ErrNoRows) {
		return keyring.Record{}, nil
	}
	return r, explain(err)
}

// ReplaceKeyRecord implements vault.Store.
func (s *Store) ReplaceKeyRecord(ctx context.Context, userID, credential int64, r keyring.Record, keepSession int64, letter []byte, now time.Time) (replaced bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec("UPDATE users SET key_revision = $1, updated_at = $2 WHERE id = $3 AND key_revision = $4 AND credential = $5",
			r.Revision, now.Unix(), userID, r.Revision-1, credential)
		if err != nil {
			return err
		}
		if replaced = n > 0; !replaced {
			var same int
			err := t.row("SELECT 1 FROM users WHERE id = $1 AND key_revision = $2", list(userID, r.Revision-1), &same)
			if err == nil {
				return vault.ErrStale
			}
			return found(err, nil)
		}
		if err := t.later("DELETE FROM key_records WHERE user_id = $1", userID); err != nil {
			return err
		}
		if err := insertKeyRecord(t, userID, r); err != nil {
			return err
		}
		if err := endSessions(t, userID, keepSession); err != nil || letter == nil {
			return err
		}
		return queueLetter(t, letter, now)
	})
	return replaced, err
}

func insertKeyRecord(t *tx, userID int64, r keyring.Record) error {
	return t.later(`INSERT INTO key_records (user_id, revision, kdf_type, kdf_iterations, kdf_memory_mib, kdf_parallelism,
			salt, sealed_user_key, verifier, public_key, wrapped_private_key, user_key_id, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		userID, r.Revision, r.KDF.Type, r.KDF.Iterations, r.KDF.MemoryMiB, r.KDF.Parallelism,
		r.Salt, r.SealedUserKey, r.Verifier, r.PublicKey, r.WrappedPrivateKey, r.UserKeyID, r.MAC)
}
