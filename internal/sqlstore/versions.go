package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"caesar/internal/backup"
)

const versionColumns = "id, name, size, sha256, blob, header_size, header_hash, created_at, mac"

// stayingVersions sums the sizes of a user's newest versions, and tells the oldest of them.
const stayingVersions = `SELECT CAST(coalesce(sum(size), 0) AS BIGINT), coalesce(min(id), 0)
	FROM (SELECT id, size FROM versions WHERE user_id = $1 ORDER BY id DESC LIMIT $2) staying`

// versionRow is where a row of versions is scanned into.
type versionRow struct {
	backup.Version
	sum, header []byte
	created     int64
}

func (r *versionRow) into() []any {
	return []any{&r.ID, &r.Name, &r.Size, &r.sum, &r.Blob, &r.HeaderSize, &r.header, &r.created, &r.MAC}
}

// version returns the row. A hash that has not its length is left as it is read: then the row's MAC does
// not fit.
func (r *versionRow) version(userID int64) backup.Version {
	r.UserID, r.CreatedAt = userID, unix(r.created)
	copy(r.SHA256[:], r.sum)
	copy(r.HeaderHash[:], r.header)
	return r.Version
}

// AddVersion implements backup.Store.
func (s *Store) AddVersion(ctx context.Context, userID, sessionID int64, keep backup.Retention, seal func(id int64) backup.Version) (v backup.Version, freed []string, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.lockOwner(userID); err != nil {
			return err
		}
		var live int
		err := t.row("SELECT 1 FROM sessions WHERE user_id = $1 AND id = $2"+t.forShare, list(userID, sessionID), &live)
		if err != nil {
			return found(err, backup.ErrNoSession)
		}
		var staying, oldest int64
		if err := t.row(stayingVersions, list(userID, keep.Keep-1), &staying, &oldest); err != nil {
			return err
		}
		id, err := t.next("versions")
		if err != nil {
			return err
		}
		if v = seal(id); v.Size > keep.Quota-staying {
			return backup.ErrOverQuota
		}
		if oldest == 0 { // none stays
			oldest = id
		}
		if freed, err = deleteVersions(t, "user_id = $1 AND id < $2", userID, oldest); err != nil {
			return err
		}
		err = t.later(`INSERT INTO versions (id, user_id, name, size, sha256, blob, header_size, header_hash, created_at, mac)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			id, userID, v.Name, v.Size, v.SHA256[:], v.Blob, v.HeaderSize, v.HeaderHash[:], v.CreatedAt.Unix(), v.MAC)
		if err != nil {
			return err
		}
		return t.later("INSERT INTO blobs (name, user_id) VALUES ($1, $2)", v.Blob, userID)
	})
	return v, freed, err
}

// Staying implements backup.Store.
func (s *Store) Staying(_ context.Context, userID int64, keep int) (bytes int64, err error) {
	var oldest int64
	err = s.row(stayingVersions, list(userID, keep-1), &bytes, &oldest)
	return bytes, explain(err)
}

// deleteVersions deletes the versions for which where holds, and returns the names of their blobs.
func deleteVersions(t *tx, where string, args ...any) (freed []string, err error) {
	err = t.rows("DELETE FROM versions WHERE "+where+" RETURNING blob", args, func(rows scanner) error {
		var blob string
		err := rows.Scan(&blob)
		freed = append(freed, blob)
		return err
	})
	for _, blob := range freed {
		if err == nil {
			err = t.later("DELETE FROM blobs WHERE name = $1", blob)
		}
	}
	return freed, err
}

// Version implements backup.Store.
func (s *Store) Version(_ context.Context, userID, id int64) (backup.Version, error) {
	query, args := "SELECT "+versionColumns+" FROM versions WHERE user_id = $1 AND id = $2", list(userID, id)
	if id == 0 {
		query, args = "SELECT "+versionColumns+" FROM versions WHERE user_id = $1 ORDER BY id DESC LIMIT 1", list(userID)
	}
	var r versionRow
	if err := s.row(query, args, r.into()...); err != nil {
		return backup.Version{}, found(err, backup.ErrNoVersion)
	}
	return r.version(userID), nil
}

// Versions implements backup.Store.
func (s *Store) Versions(_ context.Context, userID int64) ([]backup.Version, error) {
	versions := []backup.Version{}
	err := s.rows("SELECT "+versionColumns+" FROM versions WHERE user_id = $1 ORDER BY id DESC", list(userID),
		func(rows scanner) error {
			var r versionRow
			err := rows.Scan(r.into()...)
			versions = append(versions, r.version(userID))
			return err
		})
	return versions, explain(err)
}

// DeleteVersion implements backup.Store.
func (s *Store) DeleteVersion(ctx context.Context, userID, id int64) (freed string, err error) {
	err = s.write(ctx, func(t *tx) error {
		blobs, err := deleteVersions(t, "user_id = $1 AND id = $2", userID, id)
		if err != nil {
			return err
		}
		if len(blobs) == 0 {
			return backup.ErrNoVersion
		}
		freed = blobs[0]
		return nil
	})
	return freed, err
}

// EraseVersions implements backup.Store.
func (s *Store) EraseVersions(ctx context.Context, userID int64, most int) (freed []string, err error) {
	err = s.write(ctx, func(t *tx) error {
		freed, err = deleteVersions(t, "user_id = $1 AND id IN (SELECT id FROM versions WHERE user_id = $1 ORDER BY id LIMIT $2"+t.forUpdate+")", userID, most)
		return err
	})
	return freed, err
}

// NamesBlob implements backup.Store.
func (s *Store) NamesBlob(_ context.Context, blob string) (bool, error) {
	var one int
	err := s.row("SELECT 1 FROM blobs WHERE name = $1", list(blob), &one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, explain(err)
}

// NamesAnyBlob says whether there is a blob that a row names.
func (s *Store) NamesAnyBlob(context.Context) (bool, error) {
	var one int
	err := s.row("SELECT 1 FROM blobs LIMIT 1", nil, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, explain(err)
}

// BackupKey returns the public half of the key that backups are sealed under; "" before the first start
// is through.
func (s *Store) BackupKey(context.Context) (recipient string, err error) {
	var value []byte
	err = s.row("SELECT value FROM facts WHERE name = 'backup key'", nil, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return string(value), explain(err)
}

// RememberBackupKey stores the public half of the key that backups are sealed under from now on, unless
// another is stored that is not among those which still open. It returns what is stored then.
func (s *Store) RememberBackupKey(ctx context.Context, current string, open func(recipient string) bool) (stored string, err error) {
	err = s.write(ctx, func(t *tx) error {
		stored = current
		n, err := t.exec("INSERT INTO facts (name, value) VALUES ('backup key', $1) ON CONFLICT DO NOTHING", []byte(current))
		if n > 0 || err != nil {
			return err
		}
		var value []byte
		if err := t.row("SELECT value FROM facts WHERE name = 'backup key'"+t.forUpdate, nil, &value); err != nil {
			return err
		}
		if !open(string(value)) {
			stored = string(value)
			return nil
		}
		_, err = t.exec("UPDATE facts SET value = $1 WHERE name = 'backup key'", []byte(current))
		return err
	})
	return stored, err
}
