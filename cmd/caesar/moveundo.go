package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
	"caesar/internal/sqlstore/sqlmove"
)

// undoMove lets the database of the data folder be served again that was moved away. The target stays as it is.
func (p *program) undoMove(ctx context.Context, s *settings.Settings) (err error) {
	release, err := claimSource(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	to, err := sqlmove.Undo(ctx, databaseFile(s), func(drawn []byte) error { return giveBackBlobs(ctx, blobsFolder(s), drawn) })
	if err != nil {
		return err
	}
	if to == "" {
		return fault.New(fault.NotFound, "not_moved", phrase.MoveNotMoved.With(databaseFile(s)))
	}
	_, err = fmt.Fprintln(p.stdout, phrase.MoveUndone.With(databaseFile(s), to).In(p.language()))
	return err
}

// giveBackBlobs marks the folder of backups as the SQLite database's again, where the PostgreSQL one was served
// with it.
func giveBackBlobs(ctx context.Context, folder string, drawn []byte) error {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	dir, err := blob.OpenDir(folder)
	if err != nil {
		return err
	}
	onSQLite, onPostgres := marksOf(drawn)
	mark, _, err := dir.Mark(ctx)
	if err != nil || mark != onPostgres {
		return err
	}
	return dir.SetMark(ctx, onPostgres, onSQLite)
}

// refuseMoved refuses a database whose rows have all been moved away.
func refuseMoved(ctx context.Context, store *sqlstore.Store) error {
	to, err := store.Moved(ctx)
	if to != "" {
		return fault.New(fault.Unavailable, "moved_away", phrase.MoveAway.With(to))
	}
	return err
}
