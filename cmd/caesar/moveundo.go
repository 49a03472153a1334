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
	var back []string
	to, err := sqlmove.Undo(ctx, databaseFile(s), func(drawn, next []byte) (err error) {
		back, err = giveBackBlobs(ctx, s, drawn, next)
		return err
	})
	if err != nil {
		return err
	}
	if to == "" {
		return fault.New(fault.NotFound, "not_moved", phrase.MoveNotMoved.With(databaseFile(s)))
	}
	if _, err = fmt.Fprintln(p.stdout, phrase.MoveUndone.With(databaseFile(s), to).In(p.language())); err != nil {
		return err
	}
	for _, place := range back {
		if _, err := fmt.Fprintln(p.stdout, phrase.MoveUndoneBlobs.With(place).In(p.language())); err != nil {
			return err
		}
	}
	return nil
}

// giveBackBlobs marks the places of backups, the folder and the bucket that was given, as those of the SQLite
// database by what is drawn next for it, where they were its before the move or are the PostgreSQL one's since.
// It returns which. Where that is none, the place that the database is going to be served with has to be one
// that it may be served with.
func giveBackBlobs(ctx context.Context, s *settings.Settings, drawn, next []byte) (back []string, err error) {
	places, err := undonePlaces(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		given, err := giveBack(ctx, place, drawn, next)
		if err != nil {
			return nil, fmt.Errorf("give back the place of backups: %w", err)
		}
		if given {
			back = append(back, place.where)
		}
	}
	if len(back) > 0 {
		return back, nil
	}
	store, err := sqlstore.OpenSQLite(ctx, databaseFile(s))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if len(places) == 0 {
		return nil, refuseGone(ctx, store, blobsFolder(s), next)
	}
	place := places[len(places)-1]
	o := own(place.marked, store, next, false)
	switch err := o.settle(ctx); {
	case errors.Is(err, errGone):
		return nil, gone(place.where, o.mark)
	case errors.Is(err, errOther), errors.Is(err, errMoved):
		return nil, fault.New(fault.Conflict, "blobs_of_another", phrase.MoveUndoElsewhere.With(place.where))
	case err != nil:
		return nil, err
	}
	return nil, nil
}

// undonePlaces returns where the backups may be, last where the database is going to be served with them: a
// folder that is not there is not made, as it may not be mounted.
func undonePlaces(ctx context.Context, s *settings.Settings) (places []*blobs, err error) {
	folder := blobsFolder(s)
	if _, err := os.Stat(folder); err == nil {
		dir, err := blob.OpenDir(folder)
		if err != nil {
			return nil, err
		}
		places = append(places, &blobs{dir, folder, nil})
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for the folder of backups: %w", err)
	}
	if s.Blobs.Reveal() == "" {
		return places, nil
	}
	bucket, err := openBlobs(ctx, s)
	if err != nil {
		return nil, err
	}
	return append(places, bucket), nil
}

// giveBack marks a place as the SQLite database's, where it is one database's or the other's, and says whether.
func giveBack(ctx context.Context, place *blobs, drawn, next []byte) (given bool, err error) {
	mark, _, err := place.Mark(ctx)
	if err != nil {
		return false, err
	}
	onSQLite, onPostgres := marksOf(drawn)
	again, _ := marksOf(next)
	switch mark {
	case onSQLite, onPostgres, again:
		return true, place.SetMark(ctx, mark, again)
	}
	return false, nil
}

// refuseGone refuses a folder that is not there, where the database names backups.
func refuseGone(ctx context.Context, store *sqlstore.Store, folder string, next []byte) error {
	names, err := store.NamesAnyBlob(ctx)
	if err == nil && names {
		mark, _ := marksOf(next)
		err = gone(folder, mark)
	}
	return err
}

// refuseMoved refuses a database whose rows have all been moved away.
func refuseMoved(ctx context.Context, store *sqlstore.Store) error {
	to, err := store.Moved(ctx)
	if to != "" {
		return fault.New(fault.Unavailable, "moved_away", phrase.MoveAway.With(to))
	}
	return err
}
