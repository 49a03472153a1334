package sqlmove

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/sqlstore"
)

// left are the tables that are not moved: both databases know of their own tables how new they are, and
// who of the replicas of a server does what at the moment.
var left = []string{"migrations", "leases"}

// table is a table that both databases have, with the same columns.
type table struct {
	name    string
	columns []string
	key     []string // the columns of the target's primary key, which orders the rows
	at      []int    // where those stand among the columns
}

// keyOf returns the key of a row.
func (t *table) keyOf(row []any) []any {
	key := make([]any, len(t.at))
	for i, at := range t.at {
		key[i] = row[at]
	}
	return key
}

// selecting begins a statement that reads rows.
func (t *table) selecting() string {
	return "SELECT " + quoted(t.columns) + " FROM " + quoted([]string{t.name})
}

// beyond is the condition for rows behind a key, or up to it; its placeholders begin with the one of that
// number. Every row is beyond no key.
func (t *table) beyond(comparison string, key []any, placeholder int) string {
	if key == nil {
		return "true"
	}
	values := make([]string, len(key))
	for i := range key {
		values[i] = fmt.Sprintf("$%d", placeholder+i)
	}
	return "(" + quoted(t.key) + ") " + comparison + " (" + strings.Join(values, ", ") + ")"
}

// moved is the condition for rows that the source and the target have in common: all but what moves note.
func (t *table) moved() string {
	if t.name == "facts" {
		return "name NOT IN ('" + sqlstore.MoveFact + "', '" + sqlstore.MovedFact + "', '" + blobsFact + "', '" + nextFact + "')"
	}
	return "true"
}

// quoted lists names as both engines read them.
func quoted(names []string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = pgx.Identifier{name}.Sanitize()
	}
	return strings.Join(texts, ", ")
}

// chunk is a stretch of a table in the order of its keys: all rows behind one key, up to the last of rows.
type chunk struct {
	after []any // the key behind which it begins; nil: with the first row
	rows  [][]any
	last  bool // no row is behind it: then it has no end
}

// until is the key with which the chunk ends; nil: with the table.
func (c *chunk) until(t *table) []any {
	if c.last {
		return nil
	}
	return t.keyOf(c.rows[len(c.rows)-1])
}

// size returns about how many bytes of memory a row takes.
func size(row []any) int {
	n := 16 * len(row)
	for _, value := range row {
		switch v := value.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// same compares what is in a column on both sides.
func same(a, b any) bool {
	switch a := a.(type) {
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	case string, int64:
		return a == b
	}
	return false
}

// storable refuses a row with text that PostgreSQL has no room for, and says which one it is.
func (t *table) storable(row []any) error {
	at := slices.IndexFunc(row, func(value any) bool {
		text, ok := value.(string)
		return ok && (!utf8.ValidString(text) || strings.ContainsRune(text, 0))
	})
	if at < 0 {
		return nil
	}
	var where []string
	for i, value := range t.keyOf(row) {
		where = append(where, fmt.Sprintf("%s %q", t.key[i], fmt.Sprint(value)))
	}
	return fault.New(fault.Conflict, "unstorable", phrase.MoveUnstorable.With(t.columns[at], t.name, strings.Join(where, ", ")))
}
