package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
)

// refusesBlobs checks that the program does not start, and says why in one line.
func refusesBlobs(t *testing.T, options ...testbed.Option) {
	t.Helper()
	answer, said := testbed.Refuse(t, options...)
	if answer == 0 || !strings.Contains(said, "are those of another database") || !strings.Contains(said, "CAESAR_DATABASE") || strings.Count("\n"+said, "\ncaesar: ") != 1 {
		t.Errorf("the answer is %d, and it says\n%s", answer, said)
	}
}

// keeps checks that all blobs are where they were, and can be had again on their own database.
func (c *caller) keeps(before []testbed.Blob) {
	c.t.Helper()
	if now := c.Blobs(); len(before) == 0 || !slices.Equal(now, before) {
		c.t.Errorf("of %v there is %v", before, now)
	}
	c.Restart()
	if got := c.done(c.ask("GET /user/download_file/", "")); got.body != "dear diary" {
		c.t.Errorf("of the file came %q", got.body)
	}
}

func TestAServerOnAnotherDatabaseDoesNotTouchABucketOfBackups(t *testing.T) {
	t.Parallel()
	place := testbed.Env("CAESAR_BLOBS", testbed.S3(t))
	c := enter(t, place)
	c.done(c.upload("dear diary"))
	c.Stop()
	before := c.Blobs()
	refusesBlobs(t, place)
	refusesBlobs(t, place, testbed.Env("CAESAR_DATABASE", testbed.Postgres(t)))
	c.RemoveBlob("place") // from before there were marks
	refusesBlobs(t, place)
	c.keeps(before)
}

func TestAServerOnAnotherDatabaseDoesNotTouchAFolderOfBackups(t *testing.T) {
	t.Parallel()
	c := enter(t, testbed.Embedded())
	c.done(c.upload("dear diary"))
	c.Stop()
	before := c.Blobs()
	swap := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(from, "blobs"), filepath.Join(to, "blobs")); err != nil {
			t.Fatal(err)
		}
	}
	for _, options := range [][]testbed.Option{{testbed.Embedded()}, {testbed.Env("CAESAR_DATABASE", testbed.Postgres(t))}} {
		empty := t.TempDir()
		options = append(options, testbed.Folder(empty))
		swap(c.Data, empty)
		refusesBlobs(t, options...)
		if err := os.Remove(filepath.Join(empty, "blobs", "place")); err != nil {
			t.Fatal(err)
		}
		refusesBlobs(t, options...)
		swap(empty, c.Data)
		c.keeps(before)
		c.Stop()
	}
}

func TestAPlaceFromBeforeThereWereMarksIsMarkedOfWhatTheDatabaseNames(t *testing.T) {
	t.Parallel()
	for _, c := range []*caller{enter(t, testbed.Embedded()), enter(t, testbed.Env("CAESAR_BLOBS", testbed.S3(t)))} {
		c.done(c.upload("dear diary"))
		mark := string(c.ReadBlob("place"))
		if random, kind, _ := strings.Cut(mark, " "); len(random) != 2*markBytes || kind != "sqlite" {
			t.Errorf("the mark is %q", mark)
		}
		c.Stop()
		c.RemoveBlob("place")
		c.keeps(c.Blobs())
		if now := string(c.ReadBlob("place")); now != mark {
			t.Errorf("the mark %q is %q now", mark, now)
		}
	}
}

func TestAStoreThatIsAwayAtTheStartIsMarkedBeforeTheFirstUpload(t *testing.T) {
	t.Parallel()
	store := testbed.StartS3(t)
	if err := store.Stop(); err != nil {
		t.Fatal(err)
	}
	c := enter(t, testbed.Env("CAESAR_BLOBS", store.URL()))
	c.away("upload", c.upload("dear diary"))
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	c.done(c.upload("dear diary"))
	if mark := string(c.ReadBlob("place")); !strings.HasSuffix(mark, " sqlite") {
		t.Errorf("the mark is %q", mark)
	}
	c.keeps(c.Blobs())
}

// lab is a database and a place of blobs, as a server opens them.
type lab struct {
	*testing.T
	place *blobs
	store *sqlstore.Store
	s     *settings.Settings
}

func newLab(t *testing.T, blobsURL string) *lab {
	t.Helper()
	s := settingsIn(t.TempDir())
	s.Blobs = settings.NewSecret(blobsURL)
	store, err := sqlstore.OpenSQLite(t.Context(), databaseFile(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	place, err := openBlobs(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return &lab{t, place, store, s}
}

func (l *lab) claim() error {
	return l.place.claim(l.Context(), l.s, l.store, slog.New(slog.DiscardHandler))
}

// own claims the place, which has to work.
func (l *lab) own() *owned {
	l.Helper()
	if err := l.claim(); err != nil {
		l.Fatal(err)
	}
	o, ok := l.place.marked.(*owned)
	if !ok {
		l.Fatalf("the place is a %T", l.place.marked)
	}
	return o
}

// stray puts a blob that no row names.
func (l *lab) stray(o *owned) (name string) {
	l.Helper()
	w, err := o.Create(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	defer w.Close()
	if name, err = w.Commit(l.Context()); err != nil {
		l.Fatal(err)
	}
	return name
}

// isShut checks that nothing is swept, written or deleted.
func (l *lab) isShut(o *owned, name string) {
	l.Helper()
	err := o.Sweep(l.Context(), func(context.Context, string) (bool, error) {
		l.Error("a sweep asks what is used")
		return false, nil
	})
	if !errors.Is(err, errOther) {
		l.Errorf("Sweep: %v", err)
	}
	if _, err := o.Create(l.Context()); !errors.Is(err, errOther) {
		l.Errorf("Create: %v", err)
	}
	if err := o.Delete(l.Context(), name); !errors.Is(err, errOther) {
		l.Errorf("Delete: %v", err)
	}
	there := false
	err = o.Names(l.Context(), func(n string, _ int64) error { there = there || n == name; return nil })
	if err != nil || !there {
		l.Errorf("the blob is there: %v, %v", there, err)
	}
}

func TestAPlaceThatBecameAnothersIsNeitherSweptNorWrittenNorDeletedIn(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", testbed.S3(t)} {
		l := newLab(t, url)
		o := l.own()
		name := l.stray(o)
		if err := o.SetMark(t.Context(), o.mark, "another's"); err != nil {
			t.Fatal(err)
		}
		l.isShut(o, name)
		if err := o.SetMark(t.Context(), "another's", o.mark); err != nil {
			t.Fatal(err)
		}
		if err := o.Sweep(t.Context(), l.store.NamesBlob); err != nil {
			t.Errorf("its own again: %v", err)
		}
		if err := o.Delete(t.Context(), name); err != nil {
			t.Errorf("its own again: %v", err)
		}
	}
}

func TestAStoreThatWasAwayAtTheStartAndIsAnothersStaysAsItIs(t *testing.T) {
	t.Parallel()
	server := testbed.StartS3(t)
	first := newLab(t, server.URL())
	name := first.stray(first.own())
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	second := newLab(t, server.URL())
	o := second.own()
	if _, err := o.Create(t.Context()); !isUnavailable(err) {
		t.Errorf("while it is away: %v", err)
	}
	if err := o.Delete(t.Context(), name); !isUnavailable(err) {
		t.Errorf("while it is away: %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	second.isShut(o, name)
}

func isUnavailable(err error) bool { return isKind(err, fault.Unavailable) }

func TestWhatWasMovedToPostgreSQLIsItsAndNotTheSQLiteDatabasesAnyMore(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	o := l.own()
	name := l.stray(o)
	moved := &owned{marked: o.marked, store: l.store, mark: o.moved, moved: o.mark, onPostgres: true, now: time.Now}
	if err := moved.settle(t.Context()); err != nil {
		t.Fatalf("the target does not take it over: %v", err)
	}
	l.place.marked = o.marked
	err := l.claim()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Slug != "blobs_moved" || !strings.Contains(err.Error(), "was moved to PostgreSQL") {
		t.Errorf("the source says %v", err)
	}
	if err := o.Sweep(t.Context(), l.store.NamesBlob); !errors.Is(err, errMoved) {
		t.Errorf("the source sweeps: %v", err)
	}
	if err := moved.Sweep(t.Context(), func(_ context.Context, n string) (bool, error) { return n == name, nil }); err != nil {
		t.Errorf("the target does not sweep: %v", err)
	}
}

func TestABlobOfABucketThatIsOwnedIsStillReadInStretches(t *testing.T) {
	t.Parallel()
	l := newLab(t, testbed.S3(t))
	o := l.own()
	b, err := o.Open(t.Context(), l.stray(o))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, ok := b.(backup.Remote); !ok {
		t.Error("each chunk of it takes a request")
	}
}
