package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
	"caesar/internal/vault"
)

func TestNoMoreConnectionsAreOpenedThanMayBe(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	const most = 3
	store, err := sqlstore.OpenPostgresWith(t.Context(), database, sqlstore.PostgresTerms{Connections: most})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	id := register(t, store, "marcus")
	var busy sync.WaitGroup
	for range 40 {
		busy.Go(func() {
			for range 5 {
				_, written := store.CreateItem(t.Context(), id, sealed(id, "github"))
				_, read := store.UserByID(t.Context(), id)
				if err := errors.Join(written, read); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		busy.Wait()
		close(done)
	}()
	conn := connected(t, database)
	defer func() { _ = conn.Close(context.Background()) }()
	seen := 0
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-time.After(time.Millisecond):
		}
		var n int
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'caesar'").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		seen = max(seen, n)
	}
	if seen != most {
		t.Errorf("%d connections were there at once, want %d", seen, most)
	}
}

// TestStatementsArePreparedOnce holds for the one connection that there is.
func TestStatementsArePreparedOnce(t *testing.T) {
	t.Parallel()
	store, err := sqlstore.OpenPostgresWith(t.Context(), testbed.Postgres(t), sqlstore.PostgresTerms{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	id := register(t, store, "marcus")
	prepared := func() (statements, uses int) {
		t.Helper()
		err := store.Row("SELECT count(*), sum(generic_plans + custom_plans) FROM pg_prepared_statements", nil, &statements, &uses)
		if err != nil {
			t.Fatal(err)
		}
		return statements, uses
	}
	work := func() {
		t.Helper()
		item, created := store.CreateItem(t.Context(), id, sealed(id, "github"))
		logged, viewed := store.LogView(t.Context(), id, item.ID, item.MAC, item.CreatedAt)
		_, _, listed := store.Items(t.Context(), id, vault.Query{Page: vault.Page{Number: 1, Size: 20}, Platform: "git"})
		_, read := store.UserByID(t.Context(), id)
		if err := errors.Join(created, viewed, listed, read); err != nil || !logged {
			t.Fatal(logged, err)
		}
	}
	work()
	first, used := prepared()
	for range 10 {
		work()
	}
	again, usedAgain := prepared()
	if first < 6 || again != first || usedAgain < used+10*6 {
		t.Errorf("%d statements were prepared and used %d times, then %d and %d times", first, used, again, usedAgain)
	}
}

func TestAWriteThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			errOwn := errors.New("its own")
			for what, c := range map[string]struct {
				end func(*sqlstore.Tx) error
				is  func(error) bool
			}{
				"an error of its own": {func(*sqlstore.Tx) error { return errOwn }, func(err error) bool { return errors.Is(err, errOwn) }},
				"a panic":             {func(*sqlstore.Tx) error { panic("out of luck") }, func(err error) bool { return strings.Contains(err.Error(), "out of luck") }},
				"a statement that fails": {
					func(tx *sqlstore.Tx) error { return errors.Join(mark(tx, "twice"), mark(tx, "twice")) },
					func(err error) bool { return !unavailable(err) },
				},
				"a statement that fails with the commit": {
					func(tx *sqlstore.Tx) error {
						return errors.Join(mark(tx, "twice"), tx.Later("INSERT INTO facts (name, value) SELECT name, value FROM facts WHERE name = 'twice'"))
					},
					func(err error) bool { return !unavailable(err) },
				},
			} {
				err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
					if err := mark(tx, what); err != nil {
						return err
					}
					return c.end(tx)
				})
				if err == nil || !c.is(err) {
					t.Errorf("%s: the error is %v", what, err)
				}
				if err := store.Write(t.Context(), func(tx *sqlstore.Tx) error { return mark(tx, "after "+what) }); err != nil {
					t.Errorf("after %s: %v", what, err)
				}
			}
			var n int
			if err := store.Row("SELECT count(*) FROM facts", nil, &n); err != nil || n != 4 {
				t.Errorf("%d rows of the 4 that came after are there: %v", n, err)
			}
		})
	}
}

func TestAWriteThatIsUnderWayComesToPassThoughItsCallerLeft(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			ctx, leave := context.WithCancel(t.Context())
			err := store.Write(ctx, func(tx *sqlstore.Tx) error {
				if err := mark(tx, "a"); err != nil {
					return err
				}
				leave()
				return mark(tx, "b")
			})
			if err != nil {
				t.Errorf("it is told %v, though it came to pass", err)
			}
			var n int
			if err := store.Row("SELECT count(*) FROM facts", nil, &n); err != nil || n != 2 {
				t.Errorf("%d of its 2 rows are there: %v", n, err)
			}
		})
	}
}

func TestClosingAwaitsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	store, err := sqlstore.OpenPostgres(t.Context(), database, 2)
	if err != nil {
		t.Fatal(err)
	}
	begun, outcome, shut := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	free := make(chan struct{})
	go func() {
		outcome <- store.Write(context.Background(), func(tx *sqlstore.Tx) error {
			close(begun)
			<-free
			return mark(tx, "a")
		})
	}()
	<-begun
	go func() { shut <- store.Close() }()
	waitUntil(t, func() bool { return store.Ready(t.Context()) != nil })
	close(free)
	if err := errors.Join(<-outcome, <-shut); err != nil {
		t.Error(err)
	}
	if n := asked[int](t, database, "SELECT count(*) FROM facts"); n != 1 {
		t.Error("what was under way is lost")
	}
}

func TestASweepTakesMoreThanGoesAtOnce(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			const rows = 2500
			err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
				for i := range rows + 10 { // ten of them hold longer
					key := []byte{byte(i >> 8), byte(i)}
					until := int64(1)
					if i >= rows {
						until = 1 << 62
					}
					err := errors.Join(
						tx.Later("INSERT INTO spent_captchas (serial, until) VALUES ($1, $2)", key, until),
						tx.Later("INSERT INTO throttles (key, until_ns) VALUES ($1, $2)", key, until),
						tx.Later("INSERT INTO codes (slot, user_id, code_hash, sent_at, expires_at) VALUES ($1, 0, $1, 0, $2)", key, until),
					)
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Sweep(t.Context(), time.Unix(1_800_000_000, 0)); err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"spent_captchas", "throttles", "codes"} {
				var n int
				if err := store.Row("SELECT count(*) FROM "+table, nil, &n); err != nil || n != 10 {
					t.Errorf("%d of the 10 rows of %s that hold are there: %v", n, table, err)
				}
			}
		})
	}
}

// TestWhatSomebodyLocksIsLeftToTheNextSweep holds that a sweep waits for nobody.
func TestWhatSomebodyLocksIsLeftToTheNextSweep(t *testing.T) {
	t.Parallel()
	store := openPostgres(t, testbed.Postgres(t))
	count := func() (n int) {
		t.Helper()
		if err := store.Row("SELECT count(*) FROM throttles", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
		return errors.Join(
			tx.Later("INSERT INTO throttles (key, until_ns) VALUES ($1, 1)", []byte("a")),
			tx.Later("INSERT INTO throttles (key, until_ns) VALUES ($1, 1)", []byte("b")),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = store.Write(t.Context(), func(tx *sqlstore.Tx) error {
		if _, err := tx.Exec("UPDATE throttles SET until_ns = 2 WHERE key = $1", []byte("a")); err != nil {
			return err
		}
		return store.Sweep(t.Context(), time.Unix(1_800_000_000, 0))
	})
	if err != nil || count() != 1 {
		t.Errorf("%d rows are left, want the one that was locked: %v", count(), err)
	}
	if err := store.Sweep(t.Context(), time.Unix(1_800_000_000, 0)); err != nil || count() != 0 {
		t.Errorf("%d rows are left: %v", count(), err)
	}
}
