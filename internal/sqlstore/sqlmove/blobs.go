package sqlmove

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
)

// Blobs is what a finished move did with the blobs.
type Blobs struct {
	Place string `json:"place"` // where they went, without credentials; empty: they stayed
	Lost  int64  `json:"lost"`  // how many of them could not be read, and were left out
}

// side is a database that is asked for its blobs.
type side interface {
	// texts reads a column of text.
	texts(ctx context.Context, query string, args ...any) ([]string, error)
	// numbers reads two numbers of a row; found is whether there is one.
	numbers(ctx context.Context, query string, args ...any) (a, b int64, found bool, err error)
}

// named is the database whose rows name the blobs: the source, until the move is finished; the target from
// then on, as it may have been served since.
func (m *Move) named() side {
	if m.target.finished {
		return m.target
	}
	return m.source
}

// NamesBlob says whether a row names a blob.
func (m *Move) NamesBlob(ctx context.Context, name string) (bool, error) {
	_, _, found, err := m.named().numbers(ctx, "SELECT 1, 1 FROM blobs WHERE name = $1", name)
	if err != nil {
		return false, fmt.Errorf("look for blob: %w", err)
	}
	return found, nil
}

// BlobNames yields the names of all blobs that rows name, in their order. Nothing is open while one is
// worked on.
func (m *Move) BlobNames(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for after := ""; ; {
			names, err := m.named().texts(ctx, fmt.Sprintf("SELECT name FROM blobs WHERE name > $1 ORDER BY name LIMIT %d", mostRows), after)
			if err != nil {
				yield("", fmt.Errorf("read names of blobs: %w", err))
				return
			}
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if len(names) < mostRows {
				return
			}
			after = names[len(names)-1]
		}
	}
}

// VersionOf tells whose a blob is, and which version of a backup it holds; 0 where no version has it.
func (m *Move) VersionOf(ctx context.Context, blob string) (userID, versionID int64, err error) {
	userID, versionID, found, err := m.named().numbers(ctx, `SELECT b.user_id, coalesce(v.id, 0) FROM blobs b LEFT JOIN versions v ON v.user_id = b.user_id AND v.blob = b.name
		WHERE b.name = $1`, blob)
	if err == nil && !found {
		err = errors.New("no row names it")
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look for version of blob %s: %w", blob, err)
	}
	return userID, versionID, nil
}

func (s *source) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	return s.column(ctx, query, args...)
}

func (s *source) numbers(ctx context.Context, query string, args ...any) (a, b int64, found bool, err error) {
	err = s.db.QueryRowContext(ctx, query, args...).Scan(&a, &b)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, false, nil
	}
	return a, b, err == nil, err
}

func (t *target) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return t.column(ctx, query, args...)
}

func (t *target) numbers(ctx context.Context, query string, args ...any) (a, b int64, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = t.conn.QueryRow(ctx, query, args...).Scan(&a, &b)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, false, nil
	}
	return a, b, err == nil, err
}
