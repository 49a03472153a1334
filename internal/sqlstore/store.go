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
	"strconv"
	"time"

	"caesar/internal/fault"
)

// Store is a database. Its methods may be called by many at once.
type Store struct {
	querier // reads what is committed
	engine
}

// engine is what the two databases do in ways of their own.
type engine interface {
	// write has fn done in a transaction, and returns when it is durable, or when it failed and left
	// nothing behind. fn may run again, or be undone, until write returns nil: what it gives back, it
	// sets anew each time.
	write(ctx context.Context, fn func(*tx) error) error
	// ready says whether the database answers, and takes writes.
	ready(ctx context.Context) error
	// forget clears away what is still there of rows that were deleted, as far as the database can.
	forget() error
	// close ends the writes that are under way, and closes the database.
	close() error
}

// errOutrun is what a write returns that saw another go past it: it runs anew.
var errOutrun = errors.New("another transaction was quicker")

// Close ends the writes that are under way and closes the database. What is called after that fails.
func (s *Store) Close() error { return s.close() }

// Ready says whether the database answers, and takes writes.
func (s *Store) Ready(ctx context.Context) error { return s.ready(ctx) }

// explain gives the errors of the database that people can do something about their fault.
func explain(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return explainPostgres(explainSQLite(err))
}

// found turns the absence of a row into the error that a domain has for it.
func found(err, absent error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return absent
	}
	return explain(err)
}

// sweptAtOnce is how many rows are swept in one transaction, so that nobody waits long behind it.
const sweptAtOnce = 1000

// Sweep deletes what has run out and nobody will look for again: codes, spent captchas, full buckets. A
// row that somebody is changing is left to the next time.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	// Spelled out, as who plans has to know how few rows it is about.
	limit := " LIMIT " + strconv.Itoa(sweptAtOnce)
	for _, q := range []struct {
		statement string
		until     int64
	}{
		{"DELETE FROM codes WHERE slot IN (SELECT slot FROM codes WHERE expires_at < $1", now.Unix()},
		{"DELETE FROM spent_captchas WHERE serial IN (SELECT serial FROM spent_captchas WHERE until < $1", now.Unix()},
		{"DELETE FROM throttles WHERE key IN (SELECT key FROM throttles WHERE until_ns < $1", now.UnixNano()},
	} {
		for swept := int64(sweptAtOnce); swept >= sweptAtOnce; {
			err := s.write(ctx, func(t *tx) (err error) {
				swept, err = t.exec(q.statement+limit+t.skipLocked+")", q.until)
				return err
			})
			if err != nil {
				return fmt.Errorf("sweep: %w", err)
			}
		}
	}
	return nil
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0) }
