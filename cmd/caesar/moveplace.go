package main

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/settings"
)

// unfinished is the mark of a place into which a move brings the blobs of a database that is going to have the
// other mark there: no server takes the place for its own until all of them are there.
func unfinished(mark string) string { return mark + " moving" }

// lookAtPlace finds out whose the place is to which backups go, and opens the one where they come from, unless
// they lie there already.
func (m *mover) lookAtPlace(ctx context.Context) error {
	if err := m.blobs.Check(ctx); err != nil {
		return err
	}
	ours, err := m.refuseMarked(ctx)
	if err != nil {
		return err
	}
	if ours {
		holds, err := m.folderHolds(ctx)
		if m.already = err == nil && !holds; err != nil || m.already {
			return err
		}
	}
	if err := m.refuseNoFolder(ctx); err != nil {
		return err
	}
	if m.from, err = blob.OpenDir(m.folder()); err != nil {
		return err
	}
	// What an earlier run brought there may be named by no row any more: the server sweeps it.
	if m.mark != "" || m.blobs.String() == m.rows.Blobs() {
		return nil
	}
	return m.refuseForeign(ctx)
}

// refuseMarked refuses a place that is another database's, although no blob may lie there. It says whether the
// source's or the target's blobs may all be there: the source was served with the place, or a move has brought
// all.
func (m *mover) refuseMarked(ctx context.Context) (ours bool, err error) {
	var holds bool
	if m.mark, holds, err = m.blobs.Mark(ctx); err != nil {
		return false, err
	}
	onSQLite, onPostgres := marksOf(m.rows.BlobsMark())
	switch m.mark {
	case onSQLite, onPostgres:
		return true, nil
	case unfinished(onPostgres):
		return false, nil
	case "":
		if !holds {
			return false, nil
		}
		return knowsAny(ctx, m.blobs, m.rows.NamesBlob) // of those from before there were marks
	}
	return false, fault.New(fault.Conflict, "blobs_foreign", phrase.MoveBlobsMarked.With(m.blobs.String()))
}

// folderHolds says whether there is a backup where they should come from.
func (m *mover) folderHolds(ctx context.Context) (bool, error) {
	if _, err := os.Stat(m.folder()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	dir, err := blob.OpenDir(m.folder())
	if err != nil {
		return false, err
	}
	err = dir.Names(ctx, func(string, int64) error { return errEnough })
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}

// refuseForeign refuses a place with a blob that no row names.
func (m *mover) refuseForeign(ctx context.Context) error {
	return m.blobs.Names(ctx, func(name string, _ int64) error {
		ours, err := m.rows.NamesBlob(ctx, name)
		if err == nil && !ours {
			err = fault.New(fault.Conflict, "blobs_foreign", phrase.MoveBlobsFull.With(m.blobs.String(), name))
		}
		return err
	})
}

// refuseNoFolder refuses a folder of backups that is not there, where there should be backups: it may not be
// mounted, and they may lie in a bucket.
func (m *mover) refuseNoFolder(ctx context.Context) error {
	if _, err := os.Stat(m.folder()); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, err := range m.rows.BlobNames(ctx) {
		if err != nil {
			return err
		}
		return fault.New(fault.NotFound, "no_blobs", phrase.MoveNoBlobs.With(m.folder()))
	}
	return nil
}

// beginPlace marks the place as one into which blobs are brought. One that all of them were brought to before,
// or that the source was served with, stays as it is.
func (m *mover) beginPlace(ctx context.Context) error {
	onSQLite, onPostgres := marksOf(m.rows.BlobsMark())
	if m.mark == onSQLite || m.mark == onPostgres {
		return nil
	}
	err := m.blobs.SetMark(ctx, m.mark, unfinished(onPostgres))
	if err == nil {
		m.mark = unfinished(onPostgres)
	}
	return err
}

// endPlace marks the place as the target's, once all is there that is to be. One that the source was served
// with is marked by the first server that is started on the target.
func (m *mover) endPlace(ctx context.Context) error {
	_, onPostgres := marksOf(m.rows.BlobsMark())
	if m.mark != unfinished(onPostgres) {
		return nil
	}
	return m.blobs.SetMark(ctx, m.mark, onPostgres)
}

// countPlace counts the blobs that lie in the place already. Those that a row names and that are not there are
// lost. Both come in the order of their names.
func (m *mover) countPlace(ctx context.Context) error {
	next, stop := iter.Pull2(m.rows.BlobNames(ctx))
	defer stop()
	name, err, more := next()
	lose := func() {
		m.lost.add(name, backup.ErrNoBlob)
		name, err, more = next()
	}
	listed := m.blobs.Names(ctx, func(there string, size int64) error {
		for err == nil && more && name < there {
			lose()
		}
		if err == nil && more && name == there {
			m.moved, m.movedBytes = m.moved+1, m.movedBytes+size
			name, err, more = next()
		}
		return err
	})
	if listed != nil {
		return listed
	}
	for err == nil && more {
		lose()
	}
	return err
}

// folder is where backups come from.
func (m *mover) folder() string { return blobsFolder(m.settings) }

// blobsFolder is where backups lie in a data folder.
func blobsFolder(s *settings.Settings) string { return filepath.Join(s.Data, "blobs") }
