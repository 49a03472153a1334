package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// sqliteWords are those of SQLite. It plans anew whenever an argument that bounds by itself changes, which
// costs as much as reading a page; a sum it does not look into.
var sqliteWords = &words{
	position: "instr",
	number:   " + 0",
	nextID:   "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = $1",
}

// busyTimeout is how long another process, such as a copying tool, is waited for.
const busyTimeout = 10 * time.Second

// OpenSQLite opens the database at path, makes it where there is none, and brings it to this version's
// tables. It refuses a database of a newer version.
func OpenSQLite(ctx context.Context, path string) (*Store, error) {
	return openSQLite(ctx, path, migrationFiles)
}

func openSQLite(ctx context.Context, path string, steps fs.FS) (*Store, error) {
	m, err := loadMigrations(steps, "sqlite")
	if err != nil {
		return nil, err
	}
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	writing, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	writing.SetMaxOpenConns(1)
	conn, err := writing.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), writing.Close())
	}
	if err := migrateSQLite(ctx, conn, path, m); err != nil {
		return nil, errors.Join(err, conn.Close(), writing.Close())
	}
	reading, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), conn.Close(), writing.Close())
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	reading.SetMaxOpenConns(readers)
	reading.SetMaxIdleConns(readers)
	prepared := newStatements(reading)
	return &Store{
		querier: querier{prepared, sqliteWords},
		engine:  &sqliteFile{writer: startWriter(conn), reading: prepared, pools: []*sql.DB{reading, writing}},
	}, nil
}

// sqliteFile is a database in a file.
type sqliteFile struct {
	*writer

	reading *statements
	pools   []*sql.DB
}

func (f *sqliteFile) close() error {
	failed := []error{f.writer.close(), f.reading.close()}
	for _, pool := range f.pools {
		failed = append(failed, pool.Close())
	}
	return errors.Join(failed...)
}

// ready says whether the database can be locked for writing.
func (f *sqliteFile) ready(ctx context.Context) error {
	return f.write(ctx, func(t *tx) error {
		var one int
		return t.row("SELECT 1", nil, &one)
	})
}

// dsn names the database with the pragmas that every connection sets.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)",
		"synchronous(FULL)",            // an answered write survives a power cut
		"secure_delete(ON)",            // what is erased is overwritten, not only unlinked
		"cache_size(-1024)",            // KiB a connection; the system's page cache does the rest
		"temp_store(MEMORY)",           // nothing spills to files outside the data folder
		"trusted_schema(OFF)",          // a doctored schema runs no functions
		"cell_size_check(ON)",          // a corrupted page is an error early
		"journal_size_limit(67108864)", // a burst's log shrinks again (bytes)
	}, pragmas...)}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// makePrivate makes the database's file, so that it and what SQLite lays beside it (which takes after
// it) are readable by their owner alone. It refuses files that are there already and open to others, as a
// copy may be: they hold people's names and addresses. Windows has no such modes.
func makePrivate(path string) error {
	var open []string
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(file)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			open = append(open, file)
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("the database is open to other users of this machine: run chmod 600 %s", strings.Join(open, " "))
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return f.Close()
}

// migrateSQLite brings the tables up to date. Before it changes a database that holds something, it
// copies it to a file beside it.
func migrateSQLite(ctx context.Context, conn *sql.Conn, path string, m migrations) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("lock database %s: %w", path, err)
	}
	tables := sqliteTables{conn}
	from, err := m.version(ctx, tables)
	if err == nil && from > 0 && from < m.newest() {
		err = copySQLite(ctx, path, fmt.Sprintf("%s.v%d-%s", path, from, time.Now().UTC().Format("20060102T150405Z")))
	}
	if err == nil {
		err = m.apply(ctx, tables, from)
	}
	end := "COMMIT"
	if err != nil {
		end = "ROLLBACK"
	}
	if _, ended := conn.ExecContext(ctx, end); ended != nil {
		err = errors.Join(err, fmt.Errorf("end migration: %w", ended))
	}
	return err
}

// sqliteTables is a schema.
type sqliteTables struct{ conn *sql.Conn }

func (s sqliteTables) run(ctx context.Context, script string) error {
	_, err := s.conn.ExecContext(ctx, script)
	return err
}

func (s sqliteTables) number(ctx context.Context, query string) (n int, err error) {
	err = s.conn.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// copySQLite writes what is committed in a database into a new file of its own.
func copySQLite(ctx context.Context, path, to string) error {
	if err := makePrivate(to); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", to)
	if err != nil {
		err = fmt.Errorf("copy database to %s before changing it: %w", to, err)
	}
	return errors.Join(err, db.Close())
}

// forget brings what is committed into the database's file and cuts the write-ahead log to nothing: until
// then it holds what rows were before they were deleted. Where somebody is reading an older state for
// longer than others are waited for, it is left to the next time.
func (f *sqliteFile) forget() error {
	var busy, pages, moved int
	if err := f.reading.row("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &pages, &moved); err != nil {
		return fmt.Errorf("empty write-ahead log: %w", explain(err))
	}
	return nil
}

// explainSQLite explains errors of SQLite.
func explainSQLite(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		if errors.Is(err, sql.ErrConnDone) || strings.Contains(err.Error(), "sql: database is closed") || strings.Contains(err.Error(), "sql: statement is closed") {
			return errClosed.Because(err)
		}
		return err
	}
	switch e.Code() & 0xff { // the primary result code; the rest is its extension
	case sqlite3.SQLITE_FULL:
		return fault.New(fault.Full, "full", phrase.StorageFull).Because(err)
	case sqlite3.SQLITE_IOERR:
		// Where a write-ahead log can't grow, the file system's own word is lost in this code.
		if e.Code() == sqlite3.SQLITE_IOERR_WRITE || e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
			return fault.New(fault.Full, "full", phrase.StorageFull).Because(err)
		}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.New(fault.Unavailable, "unavailable", phrase.DatabaseBusy).After(time.Second).Because(err)
	}
	return err
}
