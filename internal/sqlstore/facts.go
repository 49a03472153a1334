package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// RootKeyMark returns what RememberRootKey stored; nil before the first start is through.
func (s *Store) RootKeyMark(context.Context) (mark []byte, err error) {
	err = s.row("SELECT value FROM facts WHERE name = 'root key'", nil, &mark)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return mark, explain(err)
}

// Lease lends a name, such as that of a work which one of all replicas is to do, to one caller until a
// time, and says whether it is the caller.
func (s *Store) Lease(ctx context.Context, name string, now, until time.Time) (mine bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO leases (name, until_ms) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms WHERE leases.until_ms <= $3`,
			name, until.UnixMilli(), now.UnixMilli())
		mine = n > 0
		return err
	})
	return mine, err
}

// BlobsMark stores what the place of this database's blobs is recognised by, where nothing is stored yet,
// and returns what is stored then.
func (s *Store) BlobsMark(ctx context.Context, drawn []byte) (stored []byte, err error) {
	err = s.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO facts (name, value) VALUES ('blobs', $1) ON CONFLICT DO NOTHING", drawn); err != nil {
			return err
		}
		return t.row("SELECT value FROM facts WHERE name = 'blobs'", nil, &stored)
	})
	return stored, err
}

// RememberRootKey stores what a root key is recognised by, where nothing is stored yet, and returns
// what is stored then. While a move into the database is under way it is refused with ErrMoving. Where a key
// is known already nothing is written.
func (s *Store) RememberRootKey(ctx context.Context, mark []byte) (stored []byte, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := refuseMove(t); err != nil {
			return err
		}
		if stored, err = fact(t, "root key"); stored != nil || err != nil {
			return err
		}
		if _, err := t.exec(LockStart); err != nil {
			return err
		}
		if err := refuseMove(t); err != nil { // which may have begun before the lock was free
			return err
		}
		if _, err := t.exec("INSERT INTO facts (name, value) VALUES ('root key', $1) ON CONFLICT DO NOTHING", mark); err != nil {
			return err
		}
		stored, err = fact(t, "root key")
		return err
	})
	return stored, err
}

func refuseMove(t *tx) error {
	note, err := fact(t, MoveFact)
	if note != nil {
		return ErrMoving
	}
	return err
}
