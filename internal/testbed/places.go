package testbed

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the tests look into the database beside the server
	_ "modernc.org/sqlite"             // likewise
)

// The variables that say where a server keeps what it keeps.
const (
	databaseVariable = "CAESAR_DATABASE"
	blobsVariable    = "CAESAR_BLOBS"
)

// places are where a server keeps what it keeps; what is empty is in its data folder.
type places struct {
	database string // a postgres:// URL
	blobs    string // an s3+http:// URL
	chosen   bool   // whether the test has said so
}

func (p *places) set(variable, value string) {
	switch variable {
	case databaseVariable:
		p.database, p.chosen = value, true
	case blobsVariable:
		p.blobs, p.chosen = value, true
	}
}

// Embedded has the program keep all in its data folder, whatever back end the tests run on: for tests that
// are about that folder or what SQLite does in it.
func Embedded() Option {
	return func(s *Server) { s.places.chosen = true }
}

// Over has the program run on the data folder of another server and on what that keeps elsewhere.
func Over(other *Server) Option {
	return func(s *Server) {
		s.Data, s.places.chosen = other.Data, true
		if other.OnPostgres() {
			Env(databaseVariable, other.places.database)(s)
		}
		if other.OnS3() {
			Env(blobsVariable, other.places.blobs)(s)
		}
	}
}

// settle gives the server places of the back end that the tests run on, unless its test has chosen some.
func (s *Server) settle() {
	s.t.Helper()
	if s.places.chosen {
		return
	}
	switch backend := os.Getenv("CAESAR_TEST_BACKEND"); backend {
	case "":
	case "postgres":
		Env(databaseVariable, Postgres(s.t))(s)
		Env(blobsVariable, S3(s.t))(s)
	default:
		s.t.Fatalf("testbed: CAESAR_TEST_BACKEND is %q, and not postgres or empty", backend)
	}
}

// OnPostgres reports whether the server keeps its rows in PostgreSQL.
func (s *Server) OnPostgres() bool { return s.places.database != "" }

// OnS3 reports whether the server keeps its backups in an S3 store.
func (s *Server) OnS3() bool { return s.places.blobs != "" }

// Database opens the server's database beside it, until the test ends: SQLite or PostgreSQL, both of which
// take $1 for the first value.
func (s *Server) Database() *sql.DB {
	s.t.Helper()
	driver, name := "pgx", s.places.database
	if !s.OnPostgres() {
		file := (&url.URL{Path: filepath.Join(s.Data, "caesar.db")}).EscapedPath()
		driver, name = "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		s.t.Fatalf("testbed: open database: %v", err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

// Tables returns what is in each table of a server's database, by the tables' names: what its rows hold,
// each value as it lies there, with a line break after it.
func (s *Server) Tables() map[string][]byte {
	s.t.Helper()
	db := s.Database()
	defer func() { _ = db.Close() }()
	query := "SELECT name FROM sqlite_schema WHERE type = 'table'"
	if s.OnPostgres() {
		query = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
	}
	tables := map[string][]byte{}
	for _, row := range s.rows(db, query) {
		table := string(row[0])
		tables[table] = []byte{}
		for _, row := range s.rows(db, `SELECT * FROM "`+table+`"`) {
			for _, value := range row {
				tables[table] = append(append(tables[table], value...), '\n')
			}
		}
	}
	return tables
}

// rows returns all that a query finds.
func (s *Server) rows(db *sql.DB, query string) (all [][]sql.RawBytes) {
	s.t.Helper()
	rows, err := db.QueryContext(s.t.Context(), query)
	if err != nil {
		s.t.Fatalf("testbed: %s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		s.t.Fatalf("testbed: %s: %v", query, err)
	}
	for rows.Next() {
		row, into := make([]sql.RawBytes, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			s.t.Fatalf("testbed: %s: %v", query, err)
		}
		for i := range row {
			row[i] = append(sql.RawBytes{}, row[i]...) // it is the driver's until the next row
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatalf("testbed: %s: %v", query, err)
	}
	return all
}
