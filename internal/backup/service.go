package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
	"caesar/internal/session"
)

// ErrNotFound says that the asker has no such version.
var ErrNotFound = fault.New(fault.NotFound, "not_found", phrase.VersionNotFound)

var errGone = fault.New(fault.Unauthenticated, "unauthenticated", phrase.LogIn)

// Config is what a Service is made of.
type Config struct {
	Store Store
	Blobs Blobs
	Keys  *Keys
	Root  *rootkey.Ring

	FileMax int64 // bytes of one file
	Retention

	Now func() time.Time
	Log *slog.Logger
}

// Service is what people can do with their backups. Its methods may be called by many at once.
type Service struct {
	Config
	rows     rows
	inFlight inFlight
	budget   budget
}

// NewService returns a service.
func NewService(c Config) *Service {
	return &Service{
		Config: c,
		rows:   newRows(c.Root),
		// Twice, as of two that are uploaded one may take the other's place.
		inFlight: inFlight{most: 2 * c.Quota, users: map[int64]*underway{}},
		budget:   newBudget(),
	}
}

// Listing is what a person keeps.
type Listing struct {
	Versions []Version // newest first, never nil; without those whose rows are not as they were written
	Used     int64     // bytes of all that the quota counts
	Retention
}

// List returns what the asker keeps. A row that is not as it was written is told to the log alone, and
// hides none of the others; it can be deleted by its id.
func (s *Service) List(ctx context.Context, who session.Asker) (Listing, error) {
	versions, err := s.Store.Versions(ctx, who.UserID)
	if err != nil {
		return Listing{}, fmt.Errorf("list versions: %w", err)
	}
	l := Listing{Versions: make([]Version, 0, len(versions)), Retention: s.Retention}
	for i := range versions {
		v := &versions[i]
		l.Used += v.Size
		if err := s.rows.check(v); err != nil {
			s.Log.ErrorContext(ctx, "a backup is not listed: its row is broken", "user", who.UserID, "version", v.ID, "err", err)
			continue
		}
		l.Versions = append(l.Versions, *v)
	}
	return l, nil
}

// opening bounds how often the newest version is looked for again because it gave way to a newer one.
const opening = 5

// Open opens a version, the newest where the id is 0. An absent one is ErrNotFound.
func (s *Service) Open(ctx context.Context, who session.Asker, id int64) (*Content, error) {
	var gone string // the blob that was not there
	for range opening {
		v, err := s.Store.Version(ctx, who.UserID, id)
		if errors.Is(err, ErrNoVersion) {
			return nil, ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("read version: %w", err)
		}
		if err := s.rows.check(&v); err != nil {
			return nil, err
		}
		blob, err := s.Blobs.Open(ctx, v.Blob)
		if err == nil {
			return s.content(v, blob)
		}
		// A blob goes after its row: where the row is still there, the blob is lost.
		if !errors.Is(err, ErrNoBlob) || v.Blob == gone {
			return nil, fmt.Errorf("open version %d: %w", v.ID, err)
		}
		gone = v.Blob
	}
	return nil, errors.New("open version: the newest kept changing")
}

// Delete deletes a version. An absent one is ErrNotFound.
func (s *Service) Delete(ctx context.Context, who session.Asker, id int64) error {
	freed, err := s.Store.DeleteVersion(ctx, who.UserID, id)
	if errors.Is(err, ErrNoVersion) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("delete version: %w", err)
	}
	s.drop(context.WithoutCancel(ctx), freed)
	return nil
}

// erasedAtOnce is how many versions of an erased user go in one transaction.
const erasedAtOnce = 100

// EraseAll deletes all versions of a user who is gone.
func (s *Service) EraseAll(ctx context.Context, userID int64) error {
	for {
		freed, err := s.Store.EraseVersions(ctx, userID, erasedAtOnce)
		if err != nil {
			return fmt.Errorf("erase versions: %w", err)
		}
		if len(freed) == 0 {
			return nil
		}
		s.drop(context.WithoutCancel(ctx), freed...)
	}
}

// Sweep deletes what a crash left, and tells the log how many blobs it took.
func (s *Service) Sweep(ctx context.Context) error {
	unnamed, taken := map[string]bool{}, 0
	err := s.Blobs.Sweep(ctx, func(ctx context.Context, name string) (bool, error) {
		named, err := s.Store.NamesBlob(ctx, name)
		if err == nil && !named {
			if unnamed[name] { // asked again, it goes
				taken++
			}
			unnamed[name] = true
		}
		return named, err
	})
	if taken > 0 {
		s.Log.WarnContext(ctx, "blobs that no row names were swept: a crash leaves such, a deletion while their store was away, and a move that was run again or undone", "blobs", taken)
	}
	if err != nil {
		return fmt.Errorf("sweep backups: %w", err)
	}
	return nil
}

// second is the time as documents count it.
func (s *Service) second() time.Time { return s.Now().Truncate(time.Second) }
