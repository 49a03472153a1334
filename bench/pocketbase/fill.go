package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/types"
)

// together is how many rows go into one transaction.
const together = 50_000

// filler writes rows as PocketBase itself does, but many to a transaction.
type filler struct {
	db     *sql.DB
	model  []any    // the row of the person that others take after
	column []string // what its values are
	people []string // the ids of all
	now    time.Time
}

// newFiller makes the first person by PocketBase itself, where there is none.
func newFiller(ctx context.Context, app core.App, password string) (*filler, error) {
	db, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return nil, errors.New("PocketBase keeps its database elsewhere by now")
	}
	f := &filler{db: db.DB(), now: time.Now()}
	if err := app.DB().NewQuery("SELECT id FROM users ORDER BY rowid").Column(&f.people); err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	if len(f.people) > 0 {
		return f, nil
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return nil, fmt.Errorf("find users: %w", err)
	}
	first := core.NewRecord(users)
	first.SetEmail("model@example.org")
	first.SetPassword(password)
	first.SetVerified(true)
	if err := app.Save(first); err != nil {
		return nil, fmt.Errorf("make the first person: %w", err)
	}
	if err := f.read(ctx, first.Id); err != nil {
		return nil, fmt.Errorf("read the first person: %w", err)
	}
	return f, app.Delete(first)
}

// read keeps the row of a person.
func (f *filler) read(ctx context.Context, id string) error {
	rows, err := f.db.QueryContext(ctx, "SELECT * FROM users WHERE id = ?", id)
	if err != nil {
		return err
	}
	defer rows.Close()
	if f.column, err = rows.Columns(); err != nil {
		return err
	}
	f.model = make([]any, len(f.column))
	into := make([]any, len(f.column))
	for i := range into {
		into[i] = &f.model[i]
	}
	if !rows.Next() {
		return errors.Join(sql.ErrNoRows, rows.Err())
	}
	return rows.Scan(into...)
}

// fill inserts what the lines hold.
func (f *filler) fill(ctx context.Context, lines *bufio.Scanner) error {
	for more := true; more; {
		tx, err := f.db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("fill: %w", err)
		}
		if more, err = f.some(ctx, tx, lines); err != nil {
			return errors.Join(fmt.Errorf("fill: %w", err), tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return lines.Err()
}

// some inserts what belongs into one transaction.
func (f *filler) some(ctx context.Context, tx *sql.Tx, lines *bufio.Scanner) (more bool, err error) {
	items, err := tx.PrepareContext(ctx, "INSERT INTO accounts (id, owner, created, updated, name, email, password, platform, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return false, err
	}
	defer items.Close()
	for range together {
		if !lines.Scan() {
			return false, nil
		}
		fields := strings.Split(lines.Text(), "\t")
		switch {
		case fields[0] == "P" && len(fields) == 3:
			err = f.person(ctx, tx, fields[1], fields[2])
		case fields[0] == "I" && len(fields) == 7:
			err = f.item(ctx, items, fields[1], fields[2:])
		default:
			err = fmt.Errorf("%q is neither a person nor what one keeps", lines.Text())
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// person inserts a copy of the first person under another id, name and token key.
func (f *filler) person(ctx context.Context, tx *sql.Tx, email, name string) error {
	if f.model == nil {
		return errors.New("there were people before")
	}
	id := core.GenerateDefaultRandomId()
	own := map[string]string{"id": id, "email": email, "name": name, "tokenKey": security.RandomString(50)}
	values := make([]any, len(f.column))
	for i, column := range f.column {
		values[i] = f.model[i]
		if value, ok := own[column]; ok {
			values[i] = value
		}
	}
	places := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
	insert := "INSERT INTO users (" + strings.Join(f.column, ", ") + ") VALUES (" + places + ")" //nolint:gosec // the columns are the table's own
	if _, err := tx.ExecContext(ctx, insert, values...); err != nil {
		return err
	}
	f.people = append(f.people, id)
	return nil
}

// item inserts what a person keeps. Each is a millisecond younger than the one before.
func (f *filler) item(ctx context.Context, insert *sql.Stmt, owner string, texts []string) error {
	number, err := strconv.Atoi(owner)
	if err != nil || number < 0 || number >= len(f.people) {
		return fmt.Errorf("nobody has the number %q", owner)
	}
	f.now = f.now.Add(time.Millisecond)
	created, err := types.ParseDateTime(f.now)
	if err != nil {
		return err
	}
	at := created.String()
	_, err = insert.ExecContext(ctx, core.GenerateDefaultRandomId(), f.people[number], at, at, texts[0], texts[1], texts[2], texts[3], texts[4])
	return err
}
