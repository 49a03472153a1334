package movetest

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// unmoved are the tables that are no part of what a folder keeps.
var unmoved = []string{"migrations", "leases"}

// noted says which rows moves note for themselves in either database.
const noted = " WHERE name NOT IN ('move', 'moved', 'moved blobs', 'blobs next')"

// Compare demands that a PostgreSQL database has the rows that a data folder has, in every table but those
// which tell of the databases themselves, and no others, but for what moves note. It returns how many rows each
// table has.
func Compare(t Test, folder, url string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+Database(folder)+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows := map[string]int{}
	for _, table := range list(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'") {
		if slices.Contains(unmoved, table) {
			continue
		}
		columns := list(t, db, "SELECT name FROM pragma_table_info('"+table+"')")
		query := `SELECT "` + strings.Join(columns, `", "`) + `" FROM "` + table + `"`
		if table == "facts" {
			query += noted
		}
		source, target := fromSQLite(t, db, query), fromPostgres(t, conn, query)
		if source != target {
			t.Errorf("table %s has %d rows in the source and %d in the target, and they are not the same", table, source.rows, target.rows)
		}
		rows[table] = source.rows
	}
	return rows
}

func list(t Test, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

// digest is that of a table's rows, in any order.
type digest struct {
	rows int
	sum  [4]uint64
}

func (d *digest) add(row []any) {
	text := sha256.New()
	for _, value := range row {
		fmt.Fprintf(text, "%T %v|", value, value)
	}
	sum := text.Sum(nil)
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
	d.rows++
}

func fromSQLite(t Test, db *sql.DB, query string) (d digest) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		d.add(row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}

func fromPostgres(t Test, conn *pgx.Conn, query string) (d digest) {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		d.add(row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}
