package sqlmove

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"path/filepath"
	"slices"

	"caesar/internal/sqlstore"
)

// A chunk ends with whichever of these comes first.
const (
	mostRows  = 2000
	mostBytes = 4 << 20
)

// idFact is the fact by which the target of a finished move knows its source again.
const idFact = "move id"

// What the place of the source's blobs is recognised by: now, and once an undoing that was begun is done.
const (
	markFact = "blobs"
	nextFact = "blobs next"
)

// source is the SQLite database.
type source struct {
	db        *sql.DB
	mostRows  int    // of a chunk
	blobsMark []byte // of the database; the target has it too, as it is a row
}

// openSource brings the tables up to date, after a copy where they were not, and opens the database.
func openSource(ctx context.Context, path string) (*source, error) {
	store, err := sqlstore.OpenSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	fresh := make([]byte, 16)
	rand.Read(fresh)
	blobsMark, err := store.BlobsMark(ctx, fresh)
	if err = errors.Join(err, store.Close()); err != nil {
		return nil, fmt.Errorf("read mark of blobs of source: %w", err)
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: "mode=rw&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	return &source{db, mostRows, blobsMark}, nil
}

func (s *source) close() error { return s.db.Close() }

// id returns the name that the database goes by as a source, drawn at random by its first move.
func (s *source) id(ctx context.Context) (id []byte, err error) {
	if id, err = s.drawn(ctx, idFact); err != nil {
		return nil, fmt.Errorf("name source: %w", err)
	}
	return id, nil
}

// markMoved notes where the rows were moved to: from then on no server serves them.
func (s *source) markMoved(ctx context.Context, to string) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		sqlstore.MovedFact, []byte(to))
	if err != nil {
		return fmt.Errorf("note end in source: %w", err)
	}
	return nil
}

// movedTo returns what markMoved noted, "" where it has not.
func (s *source) movedTo(ctx context.Context) (to string, err error) {
	var value []byte
	err = s.db.QueryRowContext(ctx, "SELECT value FROM facts WHERE name = $1", sqlstore.MovedFact).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read end in source: %w", err)
	}
	return string(value), nil
}

// nextMark returns what the place of the source's blobs is to be recognised by once the move is undone, drawn
// by the first run.
func (s *source) nextMark(ctx context.Context) (next []byte, err error) {
	if next, err = s.drawn(ctx, nextFact); err != nil {
		return nil, fmt.Errorf("draw next mark of blobs: %w", err)
	}
	return next, nil
}

// drawn returns the 16 bytes of a fact, which are drawn at random where there are none.
func (s *source) drawn(ctx context.Context, fact string) (value []byte, err error) {
	fresh := make([]byte, 16)
	rand.Read(fresh)
	_, err = s.db.ExecContext(ctx, "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", fact, fresh)
	if err == nil {
		err = s.db.QueryRowContext(ctx, "SELECT value FROM facts WHERE name = $1", fact).Scan(&value)
	}
	return value, err
}

// forget takes back what markMoved noted, and the name and the mark of blobs that the target knows; nextMark
// takes the place of that.
func (s *source) forget(ctx context.Context) (err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("take back end in source: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	_, err = tx.ExecContext(ctx, "DELETE FROM facts WHERE name IN ($1, $2, $3)", sqlstore.MovedFact, idFact, markFact)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE facts SET name = $1 WHERE name = $2", markFact, nextFact)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("take back end in source: %w", err)
	}
	return nil
}

// tables returns the names of the tables that are moved.
func (s *source) tables(ctx context.Context) ([]string, error) {
	names, err := s.column(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list tables of source: %w", err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(left, name) }), nil
}

// fits says whether a table has the columns that the target's has.
func (s *source) fits(ctx context.Context, t table) error {
	columns, err := s.column(ctx, "SELECT name FROM pragma_table_info($1) ORDER BY name", t.name)
	if err != nil {
		return fmt.Errorf("list columns of %s: %w", t.name, err)
	}
	if theirs := slices.Sorted(slices.Values(t.columns)); !slices.Equal(columns, theirs) {
		return fmt.Errorf("table %s has the columns %q in the source and %q in the target", t.name, columns, theirs)
	}
	return nil
}

// column reads one column of text.
func (s *source) column(ctx context.Context, query string, args ...any) (values []string, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

func (s *source) count(ctx context.Context, t table) (n int64, err error) {
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+quoted([]string{t.name})+" WHERE "+t.moved()).Scan(&n); err != nil {
		return 0, fmt.Errorf("count rows of source: %w", err)
	}
	return n, nil
}

// chunks yields a table from behind a key on; its last chunk, of which there is one always, may be empty.
// Nothing is open while a chunk is worked on.
func (s *source) chunks(ctx context.Context, t table, after []any) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		for {
			c, err := s.chunk(ctx, &t, after)
			if err != nil {
				err = fmt.Errorf("read table %s of source: %w", t.name, err)
			}
			if !yield(c, err) || err != nil || c.last {
				return
			}
			after = c.until(&t)
		}
	}
}

// reading is the statement that reads the chunk behind a key. The source has an index for the order of each
// table, by its user at least, so that little is sorted.
func (s *source) reading(t *table, after []any) string {
	return fmt.Sprintf("%s WHERE %s AND %s ORDER BY %s LIMIT %d", t.selecting(), t.beyond(">", after, 1), t.moved(), quoted(t.key), s.mostRows)
}

func (s *source) chunk(ctx context.Context, t *table, after []any) (c chunk, err error) {
	c.after = after
	rows, err := s.db.QueryContext(ctx, s.reading(t, after), after...)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for taken := 0; taken < mostBytes; {
		if !rows.Next() {
			c.last = len(c.rows) < s.mostRows
			return c, rows.Err()
		}
		row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return c, err
		}
		if err := t.storable(row); err != nil {
			return c, err
		}
		c.rows = append(c.rows, row)
		taken += size(row)
	}
	return c, nil
}

// highestIDs returns the highest id that each table ever gave, of those that have given one.
func (s *source) highestIDs(ctx context.Context) (_ map[string]int64, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT name, seq FROM sqlite_sequence WHERE seq > 0")
	if err != nil {
		return nil, fmt.Errorf("read highest ids: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	highest := map[string]int64{}
	for rows.Next() {
		var name string
		var id int64
		if err := rows.Scan(&name, &id); err != nil {
			return nil, fmt.Errorf("read highest ids: %w", err)
		}
		highest[name] = id
	}
	return highest, rows.Err()
}
