// Package sqlmove moves all rows that package sqlstore keeps from a SQLite database to a PostgreSQL one.
//
// What always holds: rows are copied as they are, and in the order of their keys; a target that holds
// anything else is refused before anything is written to it; each step is one transaction of the target,
// so that a move may end anywhere and be taken up again; and until it is finished the target has a fact
// that keeps every server from serving it (sqlstore.MoveFact). The statements here read the rows of all
// users: they serve nobody.
package sqlmove

import (
	"context"
	"errors"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/sqlstore"
)

// Move is a move from one database to another. It serves one goroutine at a time, and nobody else may
// use either database while it lasts.
type Move struct {
	source *source
	target *target
	url    string
	id     []byte // of the source; the target has it too from when its first move began
	tables []table
}

// Open looks at both databases: the SQLite file at path, which is brought to this version's tables, and
// the PostgreSQL database of a URL, to which nothing is written yet. A target that holds something else,
// or an unfinished move from somewhere else, is refused with a fault.Conflict; so is a source that was moved
// to another target, as that may have been served since, and a copy of one from before its move had come to its
// end, as that may have been.
func Open(ctx context.Context, path, url string) (*Move, error) {
	m := &Move{url: url}
	if err := m.open(ctx, path); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Move) open(ctx context.Context, path string) (err error) {
	if m.source, err = openSource(ctx, path); err != nil {
		return err
	}
	if m.id, err = m.source.id(ctx); err != nil {
		return err
	}
	names, err := m.source.tables(ctx)
	if err != nil {
		return err
	}
	if m.target, err = openTarget(ctx, m.url); err != nil {
		return err
	}
	if err := m.target.look(ctx, m.id, names); err != nil {
		return err
	}
	if m.target.note.From != nil {
		return nil
	}
	to, err := m.source.movedTo(ctx)
	switch {
	case err != nil:
		return err
	case m.target.finished && to == "": // Finish marks the source first
		return fault.New(fault.Conflict, "moved_copy", phrase.MoveCopy.With(path))
	case !m.target.finished && to != "":
		return fault.New(fault.Conflict, "moved_away", phrase.MoveAway.With(to))
	}
	return nil
}

// Close lets go of both databases.
func (m *Move) Close() error {
	var failed []error
	if m.target != nil {
		failed = append(failed, m.target.close())
	}
	if m.source != nil {
		failed = append(failed, m.source.close())
	}
	return errors.Join(failed...)
}

// Finished says whether a move from this source into this target was finished before: no row is left to be
// moved, and Done tells of the blobs.
func (m *Move) Finished() bool { return m.target.finished }

// Blobs returns the place of blobs that Begin was told when an unfinished move was last taken up; empty where
// there was none.
func (m *Move) Blobs() string { return m.target.note.Blobs }

// Begin brings the target to this version's tables and notes in it that a move has begun, or is taken up
// again. Blobs is the place to which blobs are moved beside the rows, without credentials.
func (m *Move) Begin(ctx context.Context, blobs string) error {
	store, err := sqlstore.OpenPostgres(ctx, m.url, 1)
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	names, err := m.source.tables(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		t, err := m.target.shape(ctx, name)
		if err != nil {
			return err
		}
		if err := m.source.fits(ctx, t); err != nil {
			return err
		}
		m.tables = append(m.tables, t)
	}
	return m.target.begin(ctx, note{From: m.id, Blobs: blobs}, m.tables)
}

// Count is how many rows a table has.
type Count struct {
	Table string
	Rows  int64
}

// Counts returns how many rows each table of the source has.
func (m *Move) Counts(ctx context.Context) ([]Count, error) {
	var counts []Count
	for _, t := range m.tables {
		rows, err := m.source.count(ctx, t)
		if err != nil {
			return nil, err
		}
		counts = append(counts, Count{t.name, rows})
	}
	return counts, nil
}

// Copied returns how many rows the target has.
func (m *Move) Copied(ctx context.Context) (rows int64, err error) {
	for _, t := range m.tables {
		n, err := m.target.count(ctx, t)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}

// Copy copies the rows behind the last that is there, and tells each time how many more it has copied.
func (m *Move) Copy(ctx context.Context, copied func(rows int)) error {
	for _, t := range m.tables {
		after, err := m.target.last(ctx, t)
		if err != nil {
			return err
		}
		for c, err := range m.source.chunks(ctx, t, after) {
			if err != nil {
				return err
			}
			if len(c.rows) == 0 {
				continue
			}
			if err := m.target.add(ctx, t, c); err != nil {
				return err
			}
			copied(len(c.rows))
		}
	}
	return nil
}

// Check compares every row on both sides, column by column, and tells each time how many more it has
// compared. Where they differ, as the source may have been written to between two runs, it copies the rows
// anew, and compares them again; mended is how many were.
func (m *Move) Check(ctx context.Context, compared func(rows int)) (mended int, err error) {
	for _, t := range m.tables {
		for c, err := range m.source.chunks(ctx, t, nil) {
			if err != nil {
				return mended, err
			}
			anew, err := m.target.settle(ctx, t, c)
			if err != nil {
				return mended, err
			}
			mended += anew
			compared(len(c.rows))
		}
	}
	return mended, nil
}

// Finish has the planner look at the tables of the target, has ids go on behind the highest that the source ever
// gave, notes what was done with the blobs, and takes away what keeps it from being served. The source is kept
// from that just before: wherever this breaks off, at most one of both can be served. Check must have found all
// rows there.
func (m *Move) Finish(ctx context.Context, blobs Blobs) error {
	highest, err := m.source.highestIDs(ctx)
	if err != nil {
		return err
	}
	if err := m.target.analyse(ctx, m.tables); err != nil {
		return err
	}
	if err := m.markSource(ctx); err != nil {
		return err
	}
	return m.target.finish(ctx, highest, blobs)
}

// markSource keeps the source of a finished move from being served (sqlstore.MovedFact).
func (m *Move) markSource(ctx context.Context) error {
	return m.source.markMoved(ctx, m.target.place())
}

// Done returns what a finished move did with the blobs.
func (m *Move) Done() Blobs { return m.target.blobs }

// Brought notes that the blobs of a finished move were moved after it.
func (m *Move) Brought(ctx context.Context, blobs Blobs) error {
	return m.target.brought(ctx, blobs)
}

// BlobsMark returns what was drawn once for the place of the source's blobs, and is moved with its rows.
func (m *Move) BlobsMark() []byte { return m.source.blobsMark }
