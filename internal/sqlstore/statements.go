package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// preparer is what statements are prepared on: a pool or one connection.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// statements runs statements on SQLite, and keeps what was prepared, by its text. The texts are made of
// constants of this package, so that they are few.
type statements struct {
	on preparer

	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

func newStatements(on preparer) *statements {
	return &statements{on: on, prepared: map[string]*sql.Stmt{}}
}

func (s *statements) get(query string) (*sql.Stmt, error) {
	s.mu.RLock()
	stmt := s.prepared[query]
	s.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt := s.prepared[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.on.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare statement: %w", err)
	}
	s.prepared[query] = stmt
	return stmt, nil
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed []error
	for _, stmt := range s.prepared {
		failed = append(failed, stmt.Close())
	}
	return errors.Join(failed...)
}

// Statements run to their end once begun: they take microseconds, and to watch a context costs more
// than that.
var uncancelled = context.Background()

func (s *statements) row(query string, args []any, dest ...any) error {
	stmt, err := s.get(query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(uncancelled, args...).Scan(dest...)
}

func (s *statements) rows(query string, args []any, scan func(scanner) error) (err error) {
	stmt, err := s.get(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(uncancelled, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *statements) later(query string, args ...any) error {
	_, err := s.exec(query, args...)
	return err
}

func (s *statements) exec(query string, args ...any) (int64, error) {
	stmt, err := s.get(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(uncancelled, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
