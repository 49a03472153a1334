package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/sqlstore"
)

func newStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	store := openSQLite(t, filepath.Join(t.TempDir(), "caesar.db"))
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// note is a write that leaves a row by which it can be known.
func note(name string) func(*sqlstore.Tx) error {
	return func(t *sqlstore.Tx) error {
		_, err := t.Exec("INSERT INTO facts (name, value) VALUES ($1, x'00')", name)
		return err
	}
}

func noted(t *testing.T, store *sqlstore.Store, name string) bool {
	t.Helper()
	var n int
	if err := store.Row("SELECT count(*) FROM facts WHERE name = $1", []any{name}, &n); err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// writes is what goes on at a store at once.
type writes struct {
	t     *testing.T
	store *sqlstore.Store
	done  sync.WaitGroup
}

// hold keeps the writer busy, with a write that notes a name, until it is released.
func (w *writes) hold(name string) (release func(), outcome <-chan error) {
	w.t.Helper()
	held, free, told := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	w.done.Go(func() {
		told <- w.store.Write(w.t.Context(), func(t *sqlstore.Tx) error {
			close(held)
			<-free
			return note(name)(t)
		})
	})
	<-held
	return func() { close(free) }, told
}

// queue has a write wait for the writer, as the nth that does. Its outcome comes by the channel.
func (w *writes) queue(ctx context.Context, nth int, write func(*sqlstore.Tx) error) <-chan error {
	w.t.Helper()
	outcome := make(chan error, 1)
	w.done.Go(func() { outcome <- w.store.Write(ctx, write) })
	waitUntil(w.t, func() bool { return w.store.Waiting() >= nth })
	return outcome
}

func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func countCommits(t *testing.T, store *sqlstore.Store) *atomic.Int64 {
	t.Helper()
	var commits atomic.Int64
	if err := store.OnCommit(func() { commits.Add(1) }); err != nil {
		t.Fatal(err)
	}
	return &commits
}

func TestWhatWaitsTogetherIsCommittedTogether(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	commits := countCommits(t, store)
	w := &writes{t: t, store: store}
	release, _ := w.hold("held")
	for i := range 99 {
		w.queue(t.Context(), i+1, note(fmt.Sprint(i)))
	}
	release()
	w.done.Wait()
	for i := range 99 {
		if !noted(t, store, fmt.Sprint(i)) {
			t.Errorf("write %d is lost", i)
		}
	}
	if n := commits.Load(); n != 1 {
		t.Errorf("100 writes that waited took %d commits", n)
	}
}

func TestAWriteThatIsAloneIsCommittedAlone(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	commits := countCommits(t, store)
	for i := range 5 {
		if err := store.Write(t.Context(), note(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if n := commits.Load(); n != int64(i+1) {
			t.Fatalf("%d writes after one another were answered with %d commits", i+1, n)
		}
	}
}

func TestATransactionTakesInOnlySoMany(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	var together, most, commits int // written by the writer alone
	err := store.OnCommit(func() {
		most, together = max(most, together), 0
		commits++
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &writes{t: t, store: store}
	release, _ := w.hold("held")
	const all = 3 * sqlstore.MostTogether
	var answered atomic.Int64
	for i := range all {
		w.done.Go(func() {
			err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
				together++
				return note(fmt.Sprint(i))(tx)
			})
			if err == nil {
				answered.Add(1)
			}
		})
	}
	waitUntil(t, func() bool { return store.Waiting() == sqlstore.MostTogether })
	release()
	w.done.Wait()
	if answered.Load() != all || commits < all/sqlstore.MostTogether || most > sqlstore.MostTogether {
		t.Errorf("%d writes took %d commits, of %d writes at most", answered.Load(), commits, most)
	}
}

func TestAFailedWriteUndoesItselfAlone(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	commits := countCommits(t, store)
	w := &writes{t: t, store: store}
	release, _ := w.hold("held")
	errOwn := errors.New("its own")
	before := w.queue(t.Context(), 1, note("before"))
	failing := w.queue(t.Context(), 2, func(tx *sqlstore.Tx) error {
		return errors.Join(note("failing")(tx), errOwn)
	})
	broken := w.queue(t.Context(), 3, func(tx *sqlstore.Tx) error {
		return errors.Join(note("broken")(tx), note("before")(tx)) // a name that is there
	})
	panicking := w.queue(t.Context(), 4, func(tx *sqlstore.Tx) error {
		if err := note("panicking")(tx); err != nil {
			return err
		}
		panic("out of luck")
	})
	after := w.queue(t.Context(), 5, note("after"))
	release()
	w.done.Wait()

	if err := errors.Join(<-before, <-after); err != nil {
		t.Errorf("a write failed of another's fault: %v", err)
	}
	if err := <-failing; !errors.Is(err, errOwn) {
		t.Errorf("the failed write is told %v", err)
	}
	if err := <-broken; err == nil || !strings.Contains(err.Error(), "UNIQUE") {
		t.Errorf("the write with a name that was there is told %v", err)
	}
	if err := <-panicking; err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("the panicking write is told %v", err)
	}
	for name, want := range map[string]bool{
		"held": true, "before": true, "failing": false, "broken": false, "panicking": false, "after": true,
	} {
		if got := noted(t, store, name); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
	if n := commits.Load(); n != 1 {
		t.Errorf("they took %d commits", n)
	}
}

func TestATransactionThatCannotGoOnFailsAllThatAreInIt(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	w := &writes{t: t, store: store}
	release, first := w.hold("first")
	second := w.queue(t.Context(), 1, note("second"))
	breaking := w.queue(t.Context(), 2, func(tx *sqlstore.Tx) error {
		_, err := tx.Exec("ROLLBACK") // as SQLite does by itself after some errors
		return err
	})
	late := w.queue(t.Context(), 3, note("late"))
	release()
	w.done.Wait()
	for name, outcome := range map[string]<-chan error{"first": first, "second": second, "breaking": breaking} {
		if err := <-outcome; err == nil {
			t.Errorf("%s is answered, though its transaction was lost", name)
		}
	}
	if err := <-late; err != nil {
		t.Errorf("the next transaction: %v", err)
	}
	for name, want := range map[string]bool{"first": false, "second": false, "late": true} {
		if got := noted(t, store, name); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
}

func TestAWriteThatStillWaitsCanBeGivenUp(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	w := &writes{t: t, store: store}
	release, _ := w.hold("held")
	ctx, giveUp := context.WithCancel(t.Context())
	givenUp := w.queue(ctx, 1, note("given up"))
	stays := w.queue(t.Context(), 2, note("stays"))
	giveUp()
	if err := <-givenUp; !errors.Is(err, context.Canceled) {
		t.Errorf("the write that was given up is told %v", err)
	}
	release()
	w.done.Wait()
	if err := <-stays; err != nil {
		t.Error(err)
	}
	if noted(t, store, "given up") || !noted(t, store, "stays") {
		t.Error("what was given up was written, or what was not is lost")
	}
}

func TestAWriteThatHasBegunTellsItsOutcome(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	ctx, giveUp := context.WithCancel(t.Context())
	err := store.Write(ctx, func(tx *sqlstore.Tx) error {
		giveUp()
		return note("begun")(tx)
	})
	if err != nil {
		t.Errorf("it is told %v, though it came to pass", err)
	}
	if !noted(t, store, "begun") {
		t.Error("it is lost")
	}
}

func TestClosingEndsWhatHasBegunAndRefusesWhatWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	store := openSQLite(t, path)
	w := &writes{t: t, store: store}
	release, _ := w.hold("held")
	waiting := map[string]<-chan error{}
	for i := range 20 {
		name := fmt.Sprint(i)
		waiting[name] = w.queue(t.Context(), i+1, note(name))
	}
	closed := make(chan error, 1)
	go func() { closed <- store.Close() }()
	release()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	w.done.Wait()
	if err := store.Write(t.Context(), note("late")); !isUnavailable(err) {
		t.Errorf("a write after closing is told %v", err)
	}

	again := openSQLite(t, path)
	defer func() { _ = again.Close() }()
	if !noted(t, again, "held") || noted(t, again, "late") {
		t.Error("the write that had begun is lost, or one after closing is there")
	}
	for name, outcome := range waiting {
		err := <-outcome
		if err != nil && !isUnavailable(err) {
			t.Errorf("a write that waited is told %v", err)
		}
		if got := noted(t, again, name); got != (err == nil) {
			t.Errorf("a write that was told %v is there: %v", err, got)
		}
	}
}

func isUnavailable(err error) bool {
	var e *fault.Error
	return errors.As(err, &e) && e.Kind == fault.Unavailable
}

func TestAFullDiskIsToldAndPasses(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	limit := func(pages string) {
		t.Helper()
		err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
			var got int
			return tx.Row("PRAGMA max_page_count = "+pages, nil, &got)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // no more than there are
	var full *fault.Error
	err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
		_, err := tx.Exec("INSERT INTO facts (name, value) VALUES ('large', zeroblob(1000000))")
		return err
	})
	if !errors.As(err, &full) || full.Kind != fault.Full {
		t.Errorf("a write without room is told %v", err)
	}
	limit("1000000")
	if err := store.Write(t.Context(), note("after")); err != nil {
		t.Errorf("a write when there is room again: %v", err)
	}
	if noted(t, store, "large") || !noted(t, store, "after") {
		t.Error("half a write is there, or a whole one is lost")
	}
}

func TestADatabaseLockedByAnotherIsUnavailable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	store := openSQLite(t, path)
	defer func() { _ = store.Close() }()
	err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
		var ms int // instead of the ten seconds that the store waits for a lock
		return tx.Row("PRAGMA busy_timeout = 50", nil, &ms)
	})
	if err != nil {
		t.Fatal(err)
	}
	other := openRaw(t, path)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	err = store.Write(t.Context(), note("locked out"))
	if e := (*fault.Error)(nil); !isUnavailable(err) || !errors.As(err, &e) || e.RetryAfter <= 0 {
		t.Errorf("a write to a locked database is told %v", err)
	}
	if noted(t, store, "locked out") {
		t.Error("it was written, or could not be read")
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := store.Write(t.Context(), note("let in")); err != nil {
		t.Error(err)
	}
}

// openRaw opens a database as any other program would, on one connection.
func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
