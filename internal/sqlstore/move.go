package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// MoveFact is the fact that a database has for as long as rows are being moved into it.
const MoveFact = "move"

// Moving says whether rows were begun to be moved into the database, and not all are there yet: then it
// must not be served. Package sqlmove moves them.
func (s *Store) Moving(context.Context) (bool, error) {
	var note []byte
	err := s.row("SELECT value FROM facts WHERE name = '"+MoveFact+"'", nil, &note)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, explain(err)
}
