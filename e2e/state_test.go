package e2e_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// witness sees whether anything was changed: in the whole database, by reading it beside the server, and
// in what a user can see.
type witness struct {
	l       *lab
	db      *sql.DB
	version int64
	rows    string
	query   string // that returns the hash of all rows, of PostgreSQL
}

func watch(l *lab) *witness {
	l.t.Helper()
	db := l.Database()
	db.SetMaxOpenConns(1) // the version tells of the writes of others as one connection sees them
	w := &witness{l: l, db: db}
	if l.OnPostgres() {
		w.query = w.hashing()
	}
	return w
}

// settle waits until the mails are out, and notes how everything is.
func (w *witness) settle() {
	w.l.t.Helper()
	w.l.eventually("all mails are sent", func() bool {
		var waiting int64
		w.scan("SELECT count(*) FROM mail_queue", &waiting)
		return waiting == 0
	})
	w.written()
	w.rows = w.read()
}

// changed tells whether anything was written since settle, but for how often somebody has guessed.
func (w *witness) changed() bool {
	w.l.t.Helper()
	return w.written() && w.read() != w.rows
}

// written tells whether anybody may have committed anything since it was last called.
func (w *witness) written() bool {
	w.l.t.Helper()
	if w.l.OnPostgres() {
		return true // it does not tell this of one database
	}
	before := w.version
	w.scan("PRAGMA data_version", &w.version)
	return w.version != before
}

// columns are what is looked at of a table: not what counts guesses, nor who sweeps.
func columns(table string) string {
	switch table {
	case "throttles", "leases":
		return ""
	case "codes":
		return "slot, user_id, code_hash, sent_at, expires_at"
	}
	return "*"
}

// read returns a hash of all rows.
func (w *witness) read() string {
	w.l.t.Helper()
	if w.l.OnPostgres() {
		var hash string
		w.scan(w.query, &hash)
		return hash
	}
	hash := sha256.New()
	for _, table := range w.tables("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
		if columns(table) == "" {
			continue
		}
		fmt.Fprintln(hash, table)
		w.each("SELECT "+columns(table)+" FROM "+table+" ORDER BY 1", func(row []any) { fmt.Fprintf(hash, "%v\n", row) })
	}
	return string(hash.Sum(nil))
}

// hashing returns the query that hashes all rows of all tables at once: as PostgreSQL does not tell whether
// anything was written, it is asked after each request.
func (w *witness) hashing() string {
	w.l.t.Helper()
	var all []string
	for _, table := range w.tables("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename") {
		if columns(table) != "" {
			all = append(all, fmt.Sprintf("SELECT '%s' || r::text AS row FROM (SELECT %s FROM %s) r", table, columns(table), table))
		}
	}
	return "SELECT md5(coalesce(string_agg(row, '' ORDER BY row), '')) FROM (" + strings.Join(all, " UNION ALL ") + ") t"
}

// tables returns the one text column that a query finds.
func (w *witness) tables(query string) []string {
	w.l.t.Helper()
	var names []string
	w.each(query, func(row []any) { names = append(names, fmt.Sprint(row[0])) })
	return names
}

func (w *witness) each(query string, row func([]any)) {
	w.l.t.Helper()
	rows, err := w.db.QueryContext(w.l.t.Context(), query)
	if err != nil {
		w.l.t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		w.l.t.Fatal(err)
	}
	values, pointers := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		pointers[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			w.l.t.Fatal(err)
		}
		row(values)
	}
	if err := rows.Err(); err != nil {
		w.l.t.Fatal(err)
	}
}

func (w *witness) scan(query string, into any) {
	w.l.t.Helper()
	if err := w.db.QueryRowContext(w.l.t.Context(), query).Scan(into); err != nil {
		w.l.t.Fatal(err)
	}
}

// sight is all that a user can see of their own, as the answers have it.
func (l *lab) sight(p *person) string {
	l.t.Helper()
	if p.token == "" {
		return ""
	}
	var all strings.Builder
	for _, path := range []string{"/api/auth/me", "/api/auth/account?page_size=200", "/api/auth/log?page_size=200", "/api/auth/sessions"} {
		r := l.ask(question{method: "GET", path: path, token: p.token})
		if r.status != 200 {
			l.t.Errorf("GET %s answers %d %s", path, r.status, r.body)
		}
		all.Write(r.body)
	}
	return all.String()
}

func TestAWitnessSeesWhatIsWrittenAndNotWhatIsOnlyCounted(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p := l.person()
	w := watch(l)
	w.settle()
	if err := l.tryLogin(p.UserName, "a wrong guess"); err == nil || w.changed() {
		t.Errorf("a wrong guess: %v", err)
	}
	l.keep(p, "GitHub")
	if !w.changed() {
		t.Error("an item that was kept goes unseen")
	}
}
