package sqlmove

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/sqlstore"
)

const (
	// patience is how long one step may take. A chunk takes a fraction of a second: a target that has
	// fallen silent is noticed by it.
	patience = 5 * time.Minute
	// connectWithin is how long the making of the connection may take.
	connectWithin = 15 * time.Second
)

// note is the value of the fact that tells of an unfinished move. How far it got is not in it: what is
// there tells, as rows are copied in order.
type note struct {
	From  []byte `json:"from"`  // the id of the source
	Blobs string `json:"blobs"` // where blobs go
	Step  int64  `json:"step"`  // rises with each transaction, so that two moves at once notice each other
}

// blobsFact is the fact of the target that tells what was done with the blobs: a Blobs.
const blobsFact = "moved blobs"

func (n note) text() []byte {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err) // bytes, text and a number
	}
	return text
}

// target is the PostgreSQL database.
type target struct {
	conn     *pgx.Conn
	finished bool
	note     note   // what the database has; zero where no move was begun
	blobs    Blobs  // of a finished one
	noted    []byte // the same as it is written there, also by another version
}

func openTarget(ctx context.Context, url string) (*target, error) {
	config, err := pgxpool.ParseConfig(url) // which knows what else may stand in the URL for a server
	if err != nil {
		return nil, sqlstore.ErrDatabaseURL
	}
	config.ConnConfig.ConnectTimeout = connectWithin
	config.ConnConfig.RuntimeParams["application_name"] = "caesar move"
	config.ConnConfig.RuntimeParams["default_transaction_isolation"] = "read committed"
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("reach target: %w", err)
	}
	return &target{conn: conn}, nil
}

func (t *target) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), connectWithin)
	defer cancel()
	return t.conn.Close(ctx)
}

const tablesOfTarget = `SELECT table_name::text FROM information_schema.tables
	WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`

// look reads what the target holds, and refuses one into which nothing may be moved from the source of
// that id and those tables.
func (t *target) look(ctx context.Context, id []byte, known []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	there, err := t.column(ctx, tablesOfTarget)
	if err != nil {
		return fmt.Errorf("list tables of target: %w", err)
	}
	if slices.Contains(there, "migrations") && slices.Contains(there, "facts") {
		if err := t.recognise(ctx, id); err != nil || t.finished || t.note.From != nil {
			return err
		}
	}
	for _, name := range there {
		if slices.Contains(left, name) {
			continue
		}
		if !slices.Contains(known, name) {
			return fault.New(fault.Conflict, "target_foreign", phrase.MoveForeign.With(name))
		}
		if err := t.demandEmpty(ctx, t.conn, table{name: name}); err != nil {
			return err
		}
	}
	return nil
}

// recognise reads what the facts of the target tell of moves.
func (t *target) recognise(ctx context.Context, id []byte) error {
	text, err := t.fact(ctx, sqlstore.MoveFact)
	if err != nil {
		return err
	}
	if text != nil {
		var n note
		if err := json.Unmarshal(text, &n); err != nil {
			return fmt.Errorf("read note of an unfinished move in target: %w", err)
		}
		if !bytes.Equal(n.From, id) {
			return fault.New(fault.Conflict, "target_elsewhere", phrase.MoveElsewhere)
		}
		t.note, t.noted = n, text
		return nil
	}
	moved, err := t.fact(ctx, idFact)
	if err != nil || !bytes.Equal(moved, id) {
		return err
	}
	t.finished = true
	text, err = t.fact(ctx, blobsFact)
	if err == nil && text != nil {
		err = json.Unmarshal(text, &t.blobs)
	}
	if err != nil {
		return fmt.Errorf("read note of a finished move in target: %w", err)
	}
	return nil
}

// fact returns a fact, nil where there is none.
func (t *target) fact(ctx context.Context, name string) (value []byte, err error) {
	err = t.conn.QueryRow(ctx, "SELECT value FROM facts WHERE name = $1", name).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read facts of target: %w", err)
	}
	return value, nil
}

// queryRower is the connection, or a transaction.
type queryRower interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// demandEmpty refuses a table that holds anything but what a move notes.
func (t *target) demandEmpty(ctx context.Context, in queryRower, of table) error {
	var holds bool
	query := "SELECT EXISTS (SELECT 1 FROM " + quoted([]string{of.name}) + " WHERE " + of.moved() + ")"
	if err := in.QueryRow(ctx, query).Scan(&holds); err != nil {
		return fmt.Errorf("look into table %s of target: %w", of.name, err)
	}
	if holds {
		return fault.New(fault.Conflict, "target_full", phrase.MoveFull.With(of.name))
	}
	return nil
}

// shape returns a table as the target has it.
func (t *target) shape(ctx context.Context, name string) (table, error) {
	of := table{name: name}
	var err error
	of.columns, err = t.column(ctx, `SELECT column_name::text FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`, name)
	if err != nil {
		return of, fmt.Errorf("list columns of target: %w", err)
	}
	of.key, err = t.column(ctx, `SELECT k.column_name::text FROM information_schema.table_constraints c
		JOIN information_schema.key_column_usage k
			ON k.constraint_schema = c.constraint_schema AND k.constraint_name = c.constraint_name AND k.table_name = c.table_name
		WHERE c.table_schema = current_schema() AND c.table_name = $1 AND c.constraint_type = 'PRIMARY KEY'
		ORDER BY k.ordinal_position`, name)
	if err != nil {
		return of, fmt.Errorf("read key in target: %w", err)
	}
	if len(of.key) == 0 {
		return of, fmt.Errorf("table %s has no key in the target", name)
	}
	for _, column := range of.key {
		of.at = append(of.at, slices.Index(of.columns, column))
	}
	return of, nil
}

// column reads one column of text.
func (t *target) column(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := t.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// begin notes that a move begins, or goes on.
func (t *target) begin(ctx context.Context, n note, tables []table) error {
	if t.note.From != nil {
		n.Step = t.note.Step + 1
		return t.step(ctx, n, func(context.Context, pgx.Tx) error { return nil })
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlstore.LockStart); err != nil {
			return fmt.Errorf("lock target: %w", err)
		}
		done, err := tx.Exec(ctx, "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", sqlstore.MoveFact, n.text())
		if err != nil {
			return fmt.Errorf("note beginning in target: %w", err)
		}
		if done.RowsAffected() == 0 {
			return errRace
		}
		for _, of := range tables {
			if err := t.demandEmpty(ctx, tx, of); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		t.note, t.noted = n, n.text()
	}
	return err
}

// errRace says that somebody else writes to the target.
var errRace = fault.New(fault.Conflict, "target_busy", phrase.MoveRace)

// step takes a step of the move and the next note in one transaction.
func (t *target) step(ctx context.Context, next note, take func(context.Context, pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "UPDATE facts SET value = $1 WHERE name = $2 AND value = $3", next.text(), sqlstore.MoveFact, t.noted)
		if err != nil {
			return fmt.Errorf("note step in target: %w", err)
		}
		if done.RowsAffected() == 0 {
			return errRace
		}
		return take(ctx, tx)
	})
	if err == nil {
		t.note, t.noted = next, next.text()
	}
	return err
}

// onward is the note of the next step.
func (t *target) onward() note {
	next := t.note
	next.Step++
	return next
}

// finish sets the sequences of ids, notes what was done with the blobs, and takes the other note away.
func (t *target) finish(ctx context.Context, highest map[string]int64, blobs Blobs) error {
	return t.step(ctx, t.onward(), func(ctx context.Context, tx pgx.Tx) error {
		for name, id := range highest {
			if _, err := tx.Exec(ctx, "SELECT setval($1::text::regclass, $2)", quoted([]string{name + "_id"}), id); err != nil {
				return fmt.Errorf("set next id of %s in target: %w", name, err)
			}
		}
		if _, err := tx.Exec(ctx, "DELETE FROM facts WHERE name = $1", sqlstore.MoveFact); err != nil {
			return fmt.Errorf("note end in target: %w", err)
		}
		return noteBlobs(ctx, tx, blobs)
	})
}

// brought notes that the blobs were moved after the rows.
func (t *target) brought(ctx context.Context, blobs Blobs) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error { return noteBlobs(ctx, tx, blobs) })
	if err == nil {
		t.blobs = blobs
	}
	return err
}

func noteBlobs(ctx context.Context, tx pgx.Tx, blobs Blobs) error {
	text, err := json.Marshal(blobs)
	if err == nil {
		_, err = tx.Exec(ctx, "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", blobsFact, text)
	}
	if err != nil {
		return fmt.Errorf("note place of blobs in target: %w", err)
	}
	return nil
}

// place is where the target is, without credentials.
func (t *target) place() string {
	c := t.conn.Config()
	at := c.Host // the folder of a socket
	if network, _ := pgconn.NetworkAddress(c.Host, c.Port); network != "unix" {
		at = net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	}
	return "postgres://" + at + "/" + c.Database
}

// analyse has the planner look at the tables.
func (t *target) analyse(ctx context.Context, tables []table) error {
	for _, of := range tables {
		if err := t.analyseOne(ctx, of); err != nil {
			return err
		}
	}
	return nil
}

func (t *target) analyseOne(ctx context.Context, of table) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := t.conn.Exec(ctx, "ANALYZE "+quoted([]string{of.name})); err != nil {
		return fmt.Errorf("analyse table %s of target: %w", of.name, err)
	}
	return nil
}
