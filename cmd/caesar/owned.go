package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

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
	now         func() time.Time
	settled     atomic.Bool
	refused     atomic.Pointer[refusal] // nil: the place was not found to be another's
}

// refusal is that a place was found not to be this database's, which holds until then for what is asked meanwhile.
type refusal struct {
	err   error
	until time.Time
}

// refusedFor is for how long nobody looks again whose a place is: a look takes up to mostAsked questions.
const refusedFor = time.Minute

// Why a place is not this database's.
var (
	errOther = errors.New("the blobs here are those of another database")
	errMoved = errors.New("the blobs here are those of the PostgreSQL database that this one was moved to")
	errGone  = errors.New("the database names blobs, and none is here")
	errHalf  = errors.New("a move that brings blobs here has not finished")
)

// markBytes is how many random bytes tell a database from all others.
const markBytes = 16

// marksOf returns the marks of a database by what was drawn for it once. That moves with its rows; but the
// SQLite database that was moved does not know the blobs that came since, and so must be told from the
// PostgreSQL one.
func marksOf(drawn []byte) (onSQLite, onPostgres string) {
	return fmt.Sprintf("%x sqlite", drawn), fmt.Sprintf("%x postgres", drawn)
}

// own returns the place as that of a database, by what was drawn for it.
func own(place marked, store *sqlstore.Store, drawn []byte, onPostgres bool) *owned {
	o := &owned{marked: place, store: store, onPostgres: onPostgres, now: time.Now}
	if o.mark, o.moved = marksOf(drawn); onPostgres {
		o.mark, o.moved = o.moved, o.mark
	}
	return o
}

// claim has the place serve one database only, and refuses one that is another's. Where the place can't be
// reached, or has no room for the mark, it is looked at before anything is swept or written.
func (b *blobs) claim(ctx context.Context, s *settings.Settings, store *sqlstore.Store, log *slog.Logger) error {
	fresh := make([]byte, markBytes)
	rand.Read(fresh)
	drawn, err := store.BlobsMark(ctx, fresh)
	if err != nil {
		return fmt.Errorf("read mark of blobs: %w", err)
	}
	o := own(b.marked, store, drawn, s.Database.Reveal() != "")
	if o.onPostgres && b.bucket == nil {
		log.WarnContext(ctx, "the backups lie in a folder of this machine: only one replica may run so; several need CAESAR_BLOBS", "blobs", b.where)
	}
	b.marked = o
	if b.bucket != nil && !b.bucket.Reached() {
		return nil // which warn tells: a start waits for it once
	}
	err = o.settle(ctx)
	switch {
	case errors.Is(err, errMoved):
		return fault.New(fault.Conflict, "blobs_moved", phrase.BlobsMoved.With(b.where))
	case errors.Is(err, errOther):
		return fault.New(fault.Conflict, "blobs_of_another", phrase.BlobsOfAnother.With(b.where))
	case errors.Is(err, errGone):
		return gone(b.where, o.mark)
	case errors.Is(err, errHalf):
		return fault.New(fault.Conflict, "blobs_moving", phrase.BlobsMoving.With(b.where))
	case isKind(err, fault.Unavailable) && b.bucket != nil:
		return nil // likewise
	case isKind(err, fault.Full):
		log.WarnContext(ctx, "there is no room to mark the place of backups: until there is, uploads are answered with 507", "blobs", b.where, "err", oneLine(err))
		return nil
	}
	return err
}

// gone refuses a place without the blobs that the database names, and tells how to say that they are lost.
func gone(where, mark string) error {
	return fault.New(fault.Conflict, "blobs_gone", phrase.BlobsGone.With(where, mark))
}

func isKind(err error, kind fault.Kind) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == kind
}

// ready says whether the place is this database's, by what was found last.
func (o *owned) ready(ctx context.Context) error {
	if o.settled.Load() {
		return nil
	}
	if r := o.refused.Load(); r != nil && o.now().Before(r.until) {
		return r.err
	}
	return o.settle(ctx)
}

// settle finds out whether the place is this database's still, and marks one that is nobody's yet. For people,
// one that is not is a store that is away: what is wrong is for the operator, and in the log.
func (o *owned) settle(ctx context.Context) error {
	err := o.look(ctx)
	o.settled.Store(err == nil)
	o.refused.Store(nil)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("look whose blobs there are: %w", err)
	if errors.Is(err, errOther) || errors.Is(err, errMoved) || errors.Is(err, errGone) || errors.Is(err, errHalf) {
		err = fault.New(fault.Unavailable, "unavailable", phrase.BlobsAway).After(refusedFor).Because(err)
		o.refused.Store(&refusal{err, o.now().Add(refusedFor)})
	}
	return err
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
	case mark == unfinished(o.mark), mark == unfinished(o.moved):
		return errHalf
	case mark != "" && mark != o.moved:
		return errOther
	case mark == "" && holds: // from before there were marks
		known, err := knowsAny(ctx, o.marked, o.store.NamesBlob)
		if err != nil {
			return err
		}
		if !known {
			return errOther
		}
	case mark == "": // of the first start, or not the place at all, as where nothing is mounted
		names, err := o.store.NamesAnyBlob(ctx)
		if err != nil {
			return err
		}
		if names {
			return errGone
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

// knowsAny says whether a database names a blob of those that lie in a place.
func knowsAny(ctx context.Context, place marked, namesBlob func(ctx context.Context, name string) (bool, error)) (known bool, err error) {
	asked := 0
	err = place.Names(ctx, func(name string, _ int64) error {
		named, err := namesBlob(ctx, name)
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
	if err := o.ready(ctx); err != nil {
		return nil, err
	}
	return o.marked.Create(ctx)
}

// Delete implements backup.Blobs. The name of a blob is random, and yet an old copy of the database names
// blobs of the one that it was copied from. Where there is only no room for the mark, deleting makes some.
func (o *owned) Delete(ctx context.Context, name string) error {
	if err := o.ready(ctx); err != nil && !isKind(err, fault.Full) {
		return err
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
