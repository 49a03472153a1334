package sqlmove

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

func (t *target) count(ctx context.Context, of table) (n int64, err error) {
	query := "SELECT count(*) FROM " + quoted([]string{of.name}) + " WHERE " + of.moved()
	if err := t.conn.QueryRow(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("count rows of target: %w", err)
	}
	return n, nil
}

// last returns the key of the last row that is there, nil where there is none.
func (t *target) last(ctx context.Context, of table) (key []any, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	order := strings.ReplaceAll(quoted(of.key), ",", " DESC,") + " DESC"
	rows, err := t.conn.Query(ctx, "SELECT "+quoted(of.key)+" FROM "+quoted([]string{of.name})+" WHERE "+of.moved()+" ORDER BY "+order+" LIMIT 1")
	if err == nil {
		defer rows.Close()
		if rows.Next() {
			key, err = rows.Values()
		}
		rows.Close()
		err = errors.Join(err, rows.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("read last key of table %s of target: %w", of.name, err)
	}
	return key, nil
}

// within is the condition for the rows of the target that a chunk stands for, with its arguments.
func within(of *table, c *chunk) (condition string, args []any) {
	until := c.until(of)
	condition = of.beyond(">", c.after, 1) + " AND " + of.beyond("<=", until, 1+len(c.after)) + " AND " + of.moved()
	return condition, append(append([]any{}, c.after...), until...)
}

// add copies a chunk of rows.
func (t *target) add(ctx context.Context, of table, c chunk) error {
	return t.step(ctx, t.onward(), func(ctx context.Context, tx pgx.Tx) error { return insert(ctx, tx, of, c) })
}

func insert(ctx context.Context, tx pgx.Tx, of table, c chunk) error {
	n, err := tx.CopyFrom(ctx, pgx.Identifier{of.name}, of.columns, pgx.CopyFromRows(c.rows))
	if err == nil && n != int64(len(c.rows)) {
		err = fmt.Errorf("of %d rows %d were taken", len(c.rows), n)
	}
	if err != nil {
		return fmt.Errorf("copy rows of table %s: %w", of.name, err)
	}
	return nil
}

// settle compares a chunk with what is there, and copies it anew where they differ; anew is how many rows
// it copied or took away then.
func (t *target) settle(ctx context.Context, of table, c chunk) (anew int, err error) {
	equal, err := t.holds(ctx, of, c)
	if err != nil || equal {
		return 0, err
	}
	err = t.step(ctx, t.onward(), func(ctx context.Context, tx pgx.Tx) error {
		condition, args := within(&of, &c)
		gone, err := tx.Exec(ctx, "DELETE FROM "+quoted([]string{of.name})+" WHERE "+condition, args...)
		if err != nil {
			return fmt.Errorf("delete rows of table %s of target: %w", of.name, err)
		}
		anew = max(int(gone.RowsAffected()), len(c.rows))
		return insert(ctx, tx, of, c)
	})
	if err != nil {
		return 0, err
	}
	equal, err = t.holds(ctx, of, c)
	if err == nil && !equal {
		err = fmt.Errorf("check rows of table %s: the target does not keep them as they were written", of.name)
	}
	return anew, err
}

// holds says whether the target has the rows of a chunk, as they are, and no others in its place.
func (t *target) holds(ctx context.Context, of table, c chunk) (_ bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	condition, args := within(&of, &c)
	query := fmt.Sprintf("%s WHERE %s ORDER BY %s LIMIT %d", of.selecting(), condition, quoted(of.key), len(c.rows)+1)
	rows, err := t.conn.Query(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("read table %s of target: %w", of.name, err)
	}
	defer rows.Close()
	equal, n := true, 0
	for ; equal && rows.Next(); n++ {
		there, err := rows.Values()
		if err != nil {
			return false, fmt.Errorf("read table %s of target: %w", of.name, err)
		}
		equal = n < len(c.rows) && sameRow(c.rows[n], there)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return false, fmt.Errorf("read table %s of target: %w", of.name, err)
	}
	return equal && n == len(c.rows), nil
}

func sameRow(a, b []any) bool {
	for i := range a {
		if !same(a[i], b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}
