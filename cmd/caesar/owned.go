package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// marked is a place of blobs that has a mark: blob.Dir or blob.S3.
type marked interface {
	backup.Blobs
	Names(ctx context.Context, each func(name string, size int64) error) error
	Mark(ctx context.Context) (mark string, holds bool, err error)
	SetMark(ctx context.Context, was, mark string) error
}

// owned is the place of one database's blobs. A sweep asks that database which blobs are used: so nothing is
// swept, written or deleted before the place is known to be this database's, by a mark that both have. To read
// takes no mark: what a row does not mean is no answer to it.
type owned struct {
	marked

	store *sqlstore.Store
	// mark is this database's, and moved the one that it has once it was moved to PostgreSQL, or had before.
	mark, moved string
	onPostgres  bool
	settled     atomic.Bool
}

// Whose the blobs of a place are that is not this database's.
var (
	errOther = errors.New("the blobs here are those of another database")
	errMoved = errors.New("the blobs here are those of the PostgreSQL database that this one was moved to")
)

// markBytes is how many random bytes tell a database from all others.
const markBytes = 16

// marksOf returns the marks of a database by what was drawn for it once. That moves with its rows; but the
// SQLite database that was moved does not know the blobs that came since, and so must be told from the
// PostgreSQL one.
func marksOf(drawn []byte) (onSQLite, onPostgres string) {
	return fmt.Sprintf("%x sqlite", drawn), fmt.Sprintf("%x postgres", drawn)
}

// claim has the place serve one database only, and refuses one that is another's. Where the place can't be
// reached, it is looked at before anything is swept or written.
func (b *blobs) claim(ctx context.Context, s *settings.Settings, store *sqlstore.Store, log *slog.Logger) error {
	fresh := make([]byte, markBytes)
	rand.Read(fresh)
	drawn, err := store.BlobsMark(ctx, fresh)
	if err != nil {
		return fmt.Errorf("read mark of blobs: %w", err)
	}
	o := &owned{marked: b.marked, store: store, onPostgres: s.Database.Reveal() != ""}
	if o.mark, o.moved = marksOf(drawn); o.onPostgres {
		o.mark, o.moved = o.moved, o.mark
	}
	if o.onPostgres && b.bucket == nil {
		log.WarnContext(ctx, "the backups lie in a folder of this machine: only one replica may run so; several need CAESAR_BLOBS", "blobs", b.where)
	}
	b.marked = o
	if b.bucket != nil && !b.bucket.Reached() {
		return nil // which warn tells: a start waits for it once
	}
	err = o.settle(ctx)
	away, ok := errors.AsType[*fault.Error](err)
	switch {
	case errors.Is(err, errMoved):
		return fault.New(fault.Conflict, "blobs_moved", phrase.BlobsMoved.With(b.where))
	case errors.Is(err, errOther):
		return fault.New(fault.Conflict, "blobs_of_another", phrase.BlobsOfAnother.With(b.where))
	case ok && away.Kind == fault.Unavailable && b.bucket != nil:
		return nil // likewise
	}
	return err
}

// settle finds out whether the place is this database's still, and marks one that is nobody's yet.
func (o *owned) settle(ctx context.Context) error {
	err := o.look(ctx)
	o.settled.Store(err == nil)
	if err != nil {
		return fmt.Errorf("look whose blobs there are: %w", err)
	}
	return nil
}

func (o *owned) look(ctx context.Context) error {
	mark, holds, err := o.Mark(ctx)
	if err != nil {
		return err
	}
	switch {
	case mark == o.mark:
		return nil
	case mark == o.moved && !o.onPostgres:
		return errMoved
	case mark != "" && mark != o.moved:
		return errOther
	case mark == "" && holds: // from before there were marks
		known, err := o.knowsAny(ctx)
		if err != nil {
			return err
		}
		if !known {
			return errOther
		}
	}
	if err = o.SetMark(ctx, mark, o.mark); errors.Is(err, blob.ErrOther) {
		return errOther
	}
	return err
}

// mostAsked is how many blobs the database is asked for before none is taken to be its own.
const mostAsked = 1000

var errEnough = errors.New("enough was asked")

// knowsAny says whether the database names a blob of those that lie here.
func (o *owned) knowsAny(ctx context.Context) (known bool, err error) {
	asked := 0
	err = o.Names(ctx, func(name string, _ int64) error {
		named, err := o.store.NamesBlob(ctx, name)
		if asked++; err == nil && (named || asked == mostAsked) {
			known, err = named, errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return known, err
}

// Create implements backup.Blobs.
func (o *owned) Create(ctx context.Context) (backup.BlobWriter, error) {
	if !o.settled.Load() {
		if err := o.settle(ctx); err != nil {
			return nil, err
		}
	}
	return o.marked.Create(ctx)
}

// Delete implements backup.Blobs. The name of a blob is random, and yet an old copy of the database names
// blobs of the one that it was copied from.
func (o *owned) Delete(ctx context.Context, name string) error {
	if !o.settled.Load() {
		if err := o.settle(ctx); err != nil {
			return err
		}
	}
	return o.marked.Delete(ctx, name)
}

// Sweep implements backup.Blobs. It looks each time, for the place may have been given to another since.
func (o *owned) Sweep(ctx context.Context, used func(ctx context.Context, name string) (bool, error)) error {
	if err := o.settle(ctx); err != nil {
		return err
	}
	return o.marked.Sweep(ctx, used)
}
