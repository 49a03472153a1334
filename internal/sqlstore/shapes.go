package sqlstore

import (
	"strconv"
	"strings"
)

// parameter returns the placeholder of the nth argument, as both engines read it.
func parameter(n int) string { return "$" + strconv.Itoa(n) }

// bound returns the nth argument as a bound of LIMIT and OFFSET. SQLite plans anew whenever an argument
// that bounds by itself changes, which costs as much as reading a page; a sum it does not look into.
func bound(n int) string { return parameter(n) + " + 0" }

// prefixed puts a table's name before each of a list of columns.
func prefixed(table, columns string) string {
	return table + strings.ReplaceAll(columns, ", ", ", "+table)
}

// nextID returns the id that the next row of a table gets, and takes it. Ids rise and are never given
// twice, also not after the newest row was deleted.
func nextID(t *tx, table string) (id int64, err error) {
	err = t.row("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = $1", list(table), &id)
	return id, err
}
