package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgTx runs the statements of a transaction. Each exchange with the database costs as much as a statement:
// so BEGIN goes with the first statement, and those whose answer nobody waits for go with the next, or with
// COMMIT.
type pgTx struct {
	conn     *pgx.Conn
	ctx      context.Context //nolint:containedctx // that of the transaction, which outlasts its request
	patience time.Duration   // with each exchange
	waiting  []statement     // to be sent with the next exchange
	begun    bool            // whether the database knows of the transaction
}

// statement is a statement with its arguments.
type statement struct {
	text string
	args []any
}

func beginOn(ctx context.Context, conn *pgx.Conn, patience time.Duration) *pgTx {
	return &pgTx{conn: conn, ctx: ctx, patience: patience, waiting: []statement{{text: "BEGIN"}}}
}

// exchange sends what waits and one more statement, and has its answer read.
func (t *pgTx) exchange(text string, args []any, read func(pgx.Rows) error) (err error) {
	ctx, cancel := context.WithTimeout(t.ctx, t.patience)
	defer cancel()
	t.begun = true
	if len(t.waiting) == 0 {
		return query(ctx, t.conn, text, args, read)
	}
	batch := &pgx.Batch{}
	for _, s := range t.waiting {
		batch.Queue(s.text, s.args...)
	}
	before := len(t.waiting)
	t.waiting = nil
	batch.Queue(text, args...)
	answers := t.conn.SendBatch(ctx, batch)
	defer func() {
		if closed := answers.Close(); err == nil {
			err = closed
		}
	}()
	for range before {
		if _, err := answers.Exec(); err != nil {
			return err
		}
	}
	rows, err := answers.Query()
	if err != nil {
		return err
	}
	return readAll(rows, read)
}

func (t *pgTx) row(text string, args []any, dest ...any) error {
	return t.exchange(text, args, first(dest))
}

func (t *pgTx) rows(text string, args []any, scan func(scanner) error) error {
	return t.exchange(text, args, each(scan))
}

func (t *pgTx) exec(text string, args ...any) (changed int64, err error) {
	err = t.exchange(text, args, func(rows pgx.Rows) error {
		rows.Close()
		changed = rows.CommandTag().RowsAffected()
		return rows.Err()
	})
	return changed, err
}

func (t *pgTx) later(text string, args ...any) error {
	t.waiting = append(t.waiting, statement{text, args})
	return nil
}

// commit ends the transaction. Whether one that fails left nothing, isSettled tells.
func (t *pgTx) commit() error {
	if !t.begun && len(t.waiting) == 1 {
		return nil // there was nothing to do
	}
	var tag pgconn.CommandTag
	err := t.exchange("COMMIT", nil, func(rows pgx.Rows) error {
		rows.Close()
		tag = rows.CommandTag()
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if tag.String() != "COMMIT" {
		return fmt.Errorf("commit: %w: %s", errRolledBack, tag)
	}
	return nil
}

// undo ends a transaction that failed as if it had never been. Its connection is given up where it broke,
// where it leads to a database that takes no writes any more, and where the transaction can't be ended.
func (t *pgTx) undo(failed error) {
	if !t.begun {
		return
	}
	t.waiting = nil
	if !isLost(failed) {
		if _, err := t.exec("ROLLBACK"); err == nil {
			return
		}
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.patience)
	defer cancel()
	_ = t.conn.Close(ctx)
}
