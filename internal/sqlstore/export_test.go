package sqlstore

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"
)

// Tx is a transaction that tests write in by themselves.
type Tx = querier

// Exec runs a statement.
func (q *querier) Exec(query string, args ...any) (int64, error) { return q.exec(query, args...) }

// Later runs a statement at the latest when the transaction is committed.
func (q *querier) Later(query string, args ...any) error { return q.later(query, args...) }

// Row reads one row.
func (q *querier) Row(query string, args []any, dest ...any) error {
	return q.row(query, args, dest...)
}

// Rows calls each with every row, of which it scans.
func (q *querier) Rows(query string, each func(scan func(dest ...any) error) error) error {
	return q.rows(query, nil, func(row scanner) error { return each(row.Scan) })
}

// Write has fn done in a transaction, as every writing method of the store has.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error { return s.write(ctx, fn) }

func (s *Store) file() *sqliteFile { return s.engine.(*sqliteFile) } //nolint:errcheck,forcetypeassert // the tests know

// Waiting is how many writes wait for SQLite's writer.
func (s *Store) Waiting() int { return len(s.file().jobs) }

// OnCommit has fn called at every commit, by the writer.
func (s *Store) OnCommit(fn func()) error {
	return s.file().conn.Raw(func(driver any) error {
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

// Statements returns the texts of what was prepared on SQLite so far.
func (s *Store) Statements() []string {
	var texts []string
	for _, prepared := range []*statements{s.file().reading, s.file().stmts} {
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

// PostgresTerms are those on which a test opens a database; what is not set is as it is built in.
type PostgresTerms struct {
	Connections int
	Steps       fs.FS
	Tracer      pgx.QueryTracer
	Patience    time.Duration
}

// OpenPostgresWith opens a database on terms of the test's own.
func OpenPostgresWith(ctx context.Context, url string, t PostgresTerms) (*Store, error) {
	terms := postgresTerms{connections: 10, steps: migrationFiles, tracer: t.Tracer, patience: patience}
	if t.Connections > 0 {
		terms.connections = t.Connections
	}
	if t.Steps != nil {
		terms.steps = t.Steps
	}
	if t.Patience > 0 {
		terms.patience = t.Patience
	}
	return openPostgres(ctx, url, terms)
}

// ParsePostgres reads the URL of a database.
var ParsePostgres = parsePostgres

// ErrOutrun is what a write returns that is to run anew.
var ErrOutrun = errOutrun
