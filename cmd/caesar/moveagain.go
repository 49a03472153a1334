package main

import (
	"context"

	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/sqlstore/sqlmove"
)

// again is a run after the end of the move. Nothing is left for it, unless the backups stayed in the data
// folder and are now to go to a bucket.
func (m *mover) again(ctx context.Context) error {
	done := m.rows.Done()
	if m.settings.Blobs.Reveal() == "" {
		return m.sayAgain(done)
	}
	var err error
	if m.blobs, err = blob.OpenS3(ctx, m.settings.Blobs.Reveal()); err != nil {
		return broken(ctx, err, phrase.MoveNotBegun)
	}
	switch done.Place {
	case m.blobs.String():
		return m.sayAgain(done)
	case "":
		return m.bring(ctx)
	}
	return fault.New(fault.Conflict, "blobs_elsewhere", phrase.MoveBlobsElsewhere.With(done.Place))
}

// bring moves the backups of a finished move, which stayed in the data folder. The target may have been served
// with them since: its rows tell which there are.
func (m *mover) bring(ctx context.Context) error {
	if err := m.lookAtPlace(ctx); err != nil {
		return broken(ctx, err, phrase.MoveNotBegun)
	}
	defer inLittleMemory()()
	err := m.moveBlobs(ctx)
	if err == nil {
		err = m.accept(ctx, phrase.BroughtLost)
	}
	if err == nil {
		err = m.rows.Brought(ctx, m.done())
	}
	if err != nil {
		return broken(ctx, err, phrase.MoveBroken)
	}
	if m.already {
		return m.sayAgain(m.done())
	}
	return m.sayBrought()
}

// done is what was done with the blobs.
func (m *mover) done() sqlmove.Blobs {
	if m.blobs == nil {
		return sqlmove.Blobs{}
	}
	return sqlmove.Blobs{Place: m.blobs.String(), Lost: m.lost.count}
}
