package sqlstore

import (
	"context"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
)

// Tx is a transaction that tests write in by themselves.
type Tx = querier

// Exec runs a statement.
func (q *querier) Exec(query string, args ...any) (int64, error) { return q.exec(query, args...) }

// Row reads one row.
func (q *querier) Row(query string, args []any, dest ...any) error {
	return q.row(query, args, dest...)
}

// Write has fn done in a transaction, as every writing method of the store has.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error { return s.write(ctx, fn) }

// Waiting is how many writes wait for the writer.
func (s *Store) Waiting() int { return len(s.writer.jobs) }

// OnCommit has fn called at every commit, by the writer.
func (s *Store) OnCommit(fn func()) error {
	return s.writer.conn.Raw(func(driver any) error {
		hooks, ok := driver.(sqlite.HookRegisterer)
		if !ok {
			return fmt.Errorf("%T takes no hooks", driver)
		}
		hooks.RegisterCommitHook(func() int32 {
			fn()
			return 0
		})
		return nil
	})
}

// Statements returns the texts of what was prepared so far.
func (s *Store) Statements() []string {
	var texts []string
	for _, prepared := range []*statements{s.stmts, s.writer.stmts} {
		prepared.mu.RLock()
		for text := range prepared.prepared {
			texts = append(texts, text)
		}
		prepared.mu.RUnlock()
	}
	return texts
}

// OpenSQLiteWith opens a database with migrations other than the ones that are built in.
func OpenSQLiteWith(ctx context.Context, path string, steps fs.FS) (*Store, error) {
	return openSQLite(ctx, path, steps)
}

// MigrationFiles are the migrations that are built in.
var MigrationFiles fs.FS = migrationFiles

// MostTogether is how many writes share one transaction at most.
const MostTogether = mostTogether
