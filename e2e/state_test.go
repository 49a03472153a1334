package e2e_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the database is read beside the server
)

// witness sees whether anything was changed: in the whole database, by reading it beside the server, and
// in what a user can see.
type witness struct {
	l       *lab
	db      *sql.DB
	version int64
	rows    string
}

func watch(l *lab) *witness {
	l.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(l.Data, "caesar.db")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1) // the version tells of the writes of others as one connection sees them
	return &witness{l: l, db: db}
}

// settle waits until the mails are out, and notes how everything is.
func (w *witness) settle() {
	w.l.t.Helper()
	w.l.eventually("all mails are sent", func() bool {
		var waiting int64
		w.scan("SELECT count(*) FROM mail_queue", &waiting)
		return waiting == 0
	})
	w.scan("PRAGMA data_version", &w.version)
	w.rows = w.read()
}

// changed tells whether anything was written since settle, but for how often somebody has guessed.
func (w *witness) changed() bool {
	w.l.t.Helper()
	var version int64
	w.scan("PRAGMA data_version", &version)
	if version == w.version {
		return false // nobody has committed anything
	}
	w.version = version
	return w.read() != w.rows
}

// read returns a hash of all rows, but for counters of guesses.
func (w *witness) read() string {
	w.l.t.Helper()
	var tables string
	w.scan("SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)", &tables)
	hash := sha256.New()
	for table := range strings.SplitSeq(tables, ",") {
		columns := "*"
		switch table {
		case "throttles":
			continue
		case "codes":
			columns = "slot, user_id, code_hash, sent_at, expires_at"
		}
		fmt.Fprintln(hash, table)
		w.each("SELECT "+columns+" FROM "+table+" ORDER BY 1", func(row []any) { fmt.Fprintf(hash, "%v\n", row) })
	}
	return string(hash.Sum(nil))
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
