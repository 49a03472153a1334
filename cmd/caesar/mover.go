package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"caesar/internal/blob"
	"caesar/internal/blob/blobmove"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/settings"
	"caesar/internal/sqlstore/sqlmove"
)

// How many backups are moved side by side, and how many of them may be long: enough that the store is not
// waited for, and so few that the parts of the long ones fit into little memory.
const (
	blobsAtOnce     = 16
	longBlobsAtOnce = 3
)

// moveMemory is how much memory a move fills before it looks for what it does not need any more, in bytes. Left
// to itself Go would let it grow to twice of what is in use: some 50 MiB, parts of long blobs for the most.
const moveMemory = 64 << 20

// mostLostTold is how many lost backups are told one by one.
const mostLostTold = 100

// mover is one move.
type mover struct {
	rows           *sqlmove.Move
	settings       *settings.Settings
	despiteMissing bool

	language phrase.Language
	out      io.Writer
	progress *progress

	blobs   *blob.S3  // where backups go; nil: they stay
	mark    string    // the one that this place has
	already bool      // whether they lie there already, so that none is copied
	from    *blob.Dir // where they come from; nil: they lie there already

	// What was moved, once it is.
	all, people, items, mended int64
	moved, movedBytes          int64 // blobs
	found                      atomic.Int64
	lost                       lost
}

// prepare looks at the places of backups, and has the move begin.
func (m *mover) prepare(ctx context.Context) (err error) {
	if m.settings.Blobs.Reveal() == "" {
		if err := m.refuseNoFolder(ctx); err != nil {
			return err
		}
		return m.rows.Begin(ctx, "")
	}
	if m.blobs, err = blob.OpenS3(ctx, m.settings.Blobs.Reveal()); err != nil {
		return err
	}
	if err := m.lookAtPlace(ctx); err != nil {
		return err
	}
	return m.rows.Begin(ctx, m.blobs.String())
}

// inLittleMemory keeps memory small until what it returns is called, unless the operator has set GOMEMLIMIT.
func inLittleMemory() (leave func()) {
	before := debug.SetMemoryLimit(-1)
	if before != math.MaxInt64 {
		return func() {}
	}
	debug.SetMemoryLimit(moveMemory)
	return func() { debug.SetMemoryLimit(before) }
}

// run moves what has not been moved yet.
func (m *mover) run(ctx context.Context) error {
	defer inLittleMemory()()
	if err := m.moveRows(ctx); err != nil {
		return err
	}
	if m.blobs != nil {
		if err := m.moveBlobs(ctx); err != nil {
			return err
		}
	}
	if err := m.accept(ctx, phrase.MoveLost); err != nil {
		return err
	}
	return m.rows.Finish(ctx, m.done())
}

// accept tells of blobs that are lost, and refuses to go on without them unless that was asked for. Else their
// place is the target's.
func (m *mover) accept(ctx context.Context, refusal phrase.Phrase) error {
	m.lost.tell(m)
	if m.lost.count > 0 && !m.despiteMissing {
		return fault.New(fault.NotFound, "blobs_lost", refusal.With(m.lost.count, m.folder()))
	}
	if m.blobs == nil {
		return nil
	}
	return m.endPlace(ctx)
}

func (m *mover) moveRows(ctx context.Context) error {
	if err := m.count(ctx); err != nil {
		return err
	}
	there, err := m.rows.Copied(ctx)
	if err != nil {
		return err
	}
	if there > 0 {
		m.progress.say(phrase.MoveResumed.With(there))
	}
	copying := m.progress.stage(phrase.MoveCopying, m.all-there, rows)
	defer copying.leave()
	if err := m.rows.Copy(ctx, copying.add); err != nil {
		return err
	}
	copying.done()
	checking := m.progress.stage(phrase.MoveChecking, m.all, rows)
	defer checking.leave()
	mended, err := m.rows.Check(ctx, checking.add)
	if err != nil {
		return err
	}
	m.mended = int64(mended)
	checking.done()
	return nil
}

// count counts what there is to move.
func (m *mover) count(ctx context.Context) error {
	counts, err := m.rows.Counts(ctx)
	if err != nil {
		return err
	}
	for _, c := range counts {
		m.all += c.Rows
		switch c.Table {
		case "users":
			m.people = c.Rows
		case "items":
			m.items = c.Rows
		}
	}
	return nil
}

// moveBlobs brings the blobs to their place, or counts those that lie there already.
func (m *mover) moveBlobs(ctx context.Context) error {
	move := m.copyBlobs
	if m.already {
		move = m.countPlace
	}
	if err := move(ctx); err != nil {
		return err
	}
	return m.lost.identify(ctx, m.rows)
}

func (m *mover) copyBlobs(ctx context.Context) error {
	if err := m.beginPlace(ctx); err != nil {
		return err
	}
	size, err := blobmove.Survey(ctx, m.from, m.rows.BlobNames(ctx))
	if err != nil {
		return err
	}
	moving := m.progress.stage(phrase.MoveBlobs, size, bytesTwice)
	defer moving.leave()
	mover := blobmove.Mover{
		From: m.from, To: m.blobs, AtOnce: blobsAtOnce, LongAtOnce: longBlobsAtOnce, Read: moving.add,
		Found: func(string) { m.found.Add(1) }, Lost: m.lost.add,
	}
	if m.moved, m.movedBytes, err = mover.Move(ctx, m.rows.BlobNames(ctx)); err != nil {
		return err
	}
	moving.done()
	return nil
}

// lost are the blobs that could not be read, the first of them one by one.
type lost struct {
	mu    sync.Mutex
	count int64
	told  []lostBlob
}

type lostBlob struct {
	name          string
	why           error
	user, version int64
}

func (l *lost) add(name string, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	if len(l.told) < mostLostTold {
		l.told = append(l.told, lostBlob{name: name, why: why})
	}
}

// identify finds out whose they are.
func (l *lost) identify(ctx context.Context, rows *sqlmove.Move) (err error) {
	for i := range l.told {
		b := &l.told[i]
		if b.user, b.version, err = rows.VersionOf(ctx, b.name); err != nil {
			return fmt.Errorf("find version of lost backup: %w", err)
		}
	}
	return nil
}

func (l *lost) tell(m *mover) {
	for _, b := range l.told {
		m.progress.say(phrase.MoveLostOne.With(b.user, b.version, oneLine(b.why)))
	}
	if more := l.count - int64(len(l.told)); more > 0 {
		m.progress.say(phrase.MoveLostMore.With(more))
	}
}
