package sqlstore

import (
	"strconv"
	"strings"
)

// parameter returns the placeholder of the nth argument, as both engines read it.
func parameter(n int) string { return "$" + strconv.Itoa(n) }

// bound returns the nth argument as a bound of LIMIT and OFFSET.
func (w *words) bound(n int) string { return parameter(n) + w.number }

// prefixed puts a table's name before each of a list of columns.
func prefixed(table, columns string) string {
	return table + strings.ReplaceAll(columns, ", ", ", "+table)
}

// next returns the id that the next row of a table gets, and takes it.
func (q *querier) next(table string) (id int64, err error) {
	err = q.row(q.nextID, list(table), &id)
	return id, err
}
