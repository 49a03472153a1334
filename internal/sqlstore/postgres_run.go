package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pooled runs statements that read, each on any connection. One whose connection broke before anything
// came is run once more: the database may have been restarted since the connection was used.
type pooled struct {
	pool     *pgxpool.Pool
	patience time.Duration
}

// errReadsOnly says that a statement which changes something is not part of a transaction.
var errReadsOnly = errors.New("a statement that writes runs in a transaction")

func (p pooled) row(text string, args []any, dest ...any) error {
	return p.read(text, args, first(dest))
}

func (p pooled) rows(text string, args []any, scan func(scanner) error) error {
	return p.read(text, args, each(scan))
}

func (p pooled) exec(string, ...any) (int64, error) { return 0, errReadsOnly }

func (p pooled) later(string, ...any) error { return errReadsOnly }

func (p pooled) read(text string, args []any, read func(pgx.Rows) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	came := false
	once := func() error {
		return query(ctx, p.pool, text, args, func(rows pgx.Rows) error {
			return read(noticed{rows, &came})
		})
	}
	err := once()
	if isLost(err) {
		p.pool.Reset()
		if !came {
			err = once()
		}
	}
	return err
}

// noticed notes that a row came.
type noticed struct {
	pgx.Rows
	came *bool
}

// Next implements pgx.Rows.
func (n noticed) Next() bool {
	next := n.Rows.Next()
	*n.came = *n.came || next
	return next
}

// pgQuerier is a pool or a connection. Both keep what was prepared, by its text.
type pgQuerier interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

// query runs one statement and has its answer read.
func query(ctx context.Context, on pgQuerier, text string, args []any, read func(pgx.Rows) error) error {
	rows, err := on.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	return readAll(rows, read)
}

func readAll(rows pgx.Rows, read func(pgx.Rows) error) error {
	defer rows.Close()
	if err := read(rows); err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// first reads the first row; pgx.ErrNoRows, which is sql.ErrNoRows, where there is none.
func first(dest []any) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		if !rows.Next() {
			if err := rows.Err(); err != nil {
				return err
			}
			return pgx.ErrNoRows
		}
		return rows.Scan(dest...)
	}
}

// each has every row scanned.
func each(scan func(scanner) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}
