package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// mostTogether bounds how many writes share one transaction, so that the first of them is not kept
// waiting for its answer.
const mostTogether = 256

var errClosed = fault.New(fault.Unavailable, "unavailable", phrase.ShuttingDown)

// writer is the one connection that writes to SQLite. What waits while a transaction is being made
// durable goes into the next one together, each in a savepoint of its own: a hundred waiting writers
// share one fsync.
type writer struct {
	conn  *sql.Conn
	stmts *statements
	jobs  chan *job
	stop  chan struct{} // closed to end the loop
	ended chan struct{} // closed when it has
}

// job is one write that waits. Whoever takes it from waiting decides its fate: the writer runs it, or
// the caller gives it up.
type job struct {
	write func(*tx) error
	taken atomic.Bool
	done  chan error
}

func startWriter(conn *sql.Conn) *writer {
	w := &writer{
		conn:  conn,
		stmts: newStatements(conn),
		jobs:  make(chan *job, mostTogether),
		stop:  make(chan struct{}),
		ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

// write has a write done in a transaction and returns when it is durable, or when it failed and left
// nothing behind. A context that ends while the write still waits gives it up; after that its outcome
// is awaited, as it may have come to pass.
func (w *writer) write(ctx context.Context, write func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{write: write, done: make(chan error, 1)}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return errClosed
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	case <-w.ended:
		if j.taken.CompareAndSwap(false, true) {
			return errClosed
		}
	}
	return <-j.done
}

// close ends the loop when what it is doing is done. What still waits is refused.
func (w *writer) close() error {
	close(w.stop)
	<-w.ended
	return errors.Join(w.stmts.close(), w.conn.Close())
}

func (w *writer) loop() {
	defer close(w.ended)
	for {
		select {
		case j := <-w.jobs:
			w.together(j)
		case <-w.stop:
			return
		}
	}
}

// together runs a job, and all others that wait by then, in one transaction.
func (w *writer) together(first *job) {
	t := &tx{w.stmts, sqliteWords}
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		if first.taken.CompareAndSwap(false, true) {
			first.done <- explain(fmt.Errorf("begin: %w", err))
		}
		return
	}
	var written []*job
	next := first
	for next != nil {
		if next.taken.CompareAndSwap(false, true) {
			err, broken := w.inSavepoint(t, next.write)
			switch {
			case broken:
				w.abandon(t, append(written, next), err)
				return
			case err != nil:
				next.done <- explain(err)
			default:
				written = append(written, next)
			}
		}
		next = nil
		if len(written) < mostTogether {
			select {
			case next = <-w.jobs:
			default:
			}
		}
	}
	if _, err := t.exec("COMMIT"); err != nil {
		w.abandon(t, written, fmt.Errorf("commit: %w", err))
		return
	}
	for _, j := range written {
		j.done <- nil
	}
}

// inSavepoint runs one write so that its failure undoes it alone. Broken says that the transaction as a
// whole can't go on, as after a full disk.
func (w *writer) inSavepoint(t *tx, write func(*tx) error) (err error, broken bool) { //nolint:revive // the flag qualifies the error
	if _, err := t.exec("SAVEPOINT job"); err != nil {
		return fmt.Errorf("set savepoint: %w", err), true
	}
	if err := guarded(t, write); err != nil {
		if _, undo := t.exec("ROLLBACK TO job"); undo != nil {
			return err, true
		}
		_, release := t.exec("RELEASE job")
		return err, release != nil
	}
	if _, err := t.exec("RELEASE job"); err != nil {
		return fmt.Errorf("release savepoint: %w", err), true
	}
	return nil, false
}

// guarded turns a panic of a write into its error: it must not take the writer with it.
func guarded(t *tx, write func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return write(t)
}

// abandon undoes the transaction and tells all whose writes were in it.
func (w *writer) abandon(t *tx, jobs []*job, err error) {
	// SQLite undoes the transaction by itself after some errors; then there is none to roll back.
	_, _ = t.exec("ROLLBACK")
	for _, j := range jobs {
		j.done <- explain(err)
	}
}
