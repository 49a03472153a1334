// Package sqlstore keeps everything that is kept in tables. Store implements the store interfaces of
// the domain packages, each of which says what its methods promise.
//
// What always holds: one method is one transaction; a write is durable when its method returns without
// error; no statement on a person's data reads two users.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Store is a database. Its methods may be called by many at once.
type Store struct {
	querier // reads what is committed
	writer  *writer
	pools   []*sql.DB
}

// Close ends the writes that are under way and closes the database. What is called after that fails.
func (s *Store) Close() error {
	failed := []error{s.writer.close(), s.stmts.close()}
	for _, pool := range s.pools {
		failed = append(failed, pool.Close())
	}
	return errors.Join(failed...)
}

// Ready says whether the database answers, and can be locked for writing.
func (s *Store) Ready(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		var one int
		return t.row("SELECT 1", nil, &one)
	})
}

// write has fn done in a transaction. fn may run again, or be undone, until write returns nil.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	return s.writer.run(ctx, fn)
}

// found turns the absence of a row into the error that a domain has for it.
func found(err, absent error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return absent
	}
	return explain(err)
}

// Sweep deletes what has run out and nobody will look for again: codes, spent captchas, full buckets.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	for _, q := range []struct {
		statement string
		until     int64
	}{
		{"DELETE FROM codes WHERE expires_at < $1", now.Unix()},
		{"DELETE FROM spent_captchas WHERE until < $1", now.Unix()},
		{"DELETE FROM throttles WHERE until_ns < $1", now.UnixNano()},
	} {
		err := s.write(ctx, func(t *tx) error {
			_, err := t.exec(q.statement, q.until)
			return err
		})
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0) }
