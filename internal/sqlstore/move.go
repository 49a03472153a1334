package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// Facts that package sqlmove leaves in databases, and that tell servers to keep off.
const (
	// MoveFact is there for as long as rows are being moved into the database.
	MoveFact = "move"
	// MovedFact is there once all rows were moved away; its value says where to, without credentials.
	MovedFact = "moved"
)

// ErrMoving says that a move into the database has not finished, so that it must not be served.
var ErrMoving error = fault.New(fault.Unavailable, "move_unfinished", phrase.MoveUnfinished)

// LockStart is a statement by which a server that starts for the first time and a move that begins keep each
// other waiting until what they say of themselves is committed.
const LockStart = "INSERT INTO leases (name, until_ms) VALUES ('start', 0) ON CONFLICT (name) DO UPDATE SET until_ms = leases.until_ms"

// Moving says whether rows were begun to be moved into the database, and not all are there yet: then it
// must not be served. Package sqlmove moves them.
func (s *Store) Moving(context.Context) (bool, error) {
	note, err := fact(&s.querier, MoveFact)
	return note != nil, explain(err)
}

// Moved says where the rows of the database were moved to, as people read it; empty where they were not.
// Then it must not be served: what is written to it is not moved any more.
func (s *Store) Moved(context.Context) (to string, err error) {
	value, err := fact(&s.querier, MovedFact)
	return string(value), explain(err)
}

// fact returns the value of a fact, nil where there is none.
func fact(in *querier, name string) (value []byte, err error) {
	err = in.row("SELECT value FROM facts WHERE name = $1", []any{name}, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}
