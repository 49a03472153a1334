package sqlstore_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"caesar/internal/fault"
	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
)

// mark is a write that leaves a row by which it can be known.
func mark(tx *sqlstore.Tx, name string) error {
	_, err := tx.Exec("INSERT INTO facts (name, value) VALUES ($1, $2)", name, []byte("0"))
	return err
}

// touch is a write that changes a row.
func touch(tx *sqlstore.Tx, name string) error {
	_, err := tx.Exec("UPDATE facts SET value = value || $1 WHERE name = $2", []byte("1"), name)
	return err
}

// marked returns a store on a fresh database with marks, and the URL.
func marked(t *testing.T, names ...string) (*sqlstore.Store, string) {
	t.Helper()
	url := testbed.Postgres(t)
	store := openPostgres(t, url)
	for _, name := range names {
		if err := store.Write(t.Context(), func(tx *sqlstore.Tx) error { return mark(tx, name) }); err != nil {
			t.Fatal(err)
		}
	}
	return store, url
}

// unavailable says whether an error has one come again, and when.
func unavailable(err error) bool {
	var e *fault.Error
	return errors.As(err, &e) && e.Kind == fault.Unavailable && e.RetryAfter > 0
}

func TestTransactionsThatWaitForEachOtherBothComeToPass(t *testing.T) {
	t.Parallel()
	store, url := marked(t, "a", "b")
	var both, done sync.WaitGroup
	both.Add(2)
	var runs atomic.Int64
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		first := true
		done.Go(func() {
			err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
				runs.Add(1)
				if err := touch(tx, order[0]); err != nil {
					return err
				}
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				return touch(tx, order[1])
			})
			if err != nil {
				t.Errorf("%v: %v", order, err)
			}
		})
	}
	done.Wait()
	if runs.Load() != 3 {
		t.Errorf("two transactions ran %d times", runs.Load())
	}
	for _, name := range []string{"a", "b"} {
		if value := asked[[]byte](t, url, "SELECT value FROM facts WHERE name = $1", name); string(value) != "011" {
			t.Errorf("%s is %s", name, value)
		}
	}
}

func TestATransactionThatCouldNotBeSerializedRunsAnew(t *testing.T) {
	t.Parallel()
	store, url := marked(t, "a")
	runs := 0
	err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
		runs++
		if runs == 1 {
			if _, err := tx.Exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); err != nil {
				return err
			}
			var seen int
			if err := tx.Row("SELECT count(*) FROM facts", nil, &seen); err != nil {
				return err
			}
			if err := store.Write(t.Context(), func(tx *sqlstore.Tx) error { return touch(tx, "a") }); err != nil {
				return err
			}
		}
		return touch(tx, "a")
	})
	if err != nil || runs != 2 {
		t.Errorf("it ran %d times: %v", runs, err)
	}
	if value := asked[[]byte](t, url, "SELECT value FROM facts WHERE name = 'a'"); string(value) != "011" {
		t.Errorf("a is %s", value)
	}
}

func TestAWriteThatWasOutrunRunsAnewAndNotForEver(t *testing.T) {
	t.Parallel()
	store, url := marked(t)
	for name, c := range map[string]struct {
		outrun, runs int
		there        int
	}{"in the end": {5, 6, 1}, "never": {1000, 20, 0}} {
		runs := 0
		err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
			if err := mark(tx, name); err != nil {
				return err
			}
			if runs++; runs <= c.outrun {
				return sqlstore.ErrOutrun
			}
			return nil
		})
		if runs != c.runs || (err == nil) != (c.there == 1) || (err != nil && !unavailable(err)) {
			t.Errorf("%s: it ran %d times: %v", name, runs, err)
		}
		if n := asked[int](t, url, "SELECT count(*) FROM facts WHERE name = $1", name); n != c.there {
			t.Errorf("%s: there are %d rows", name, n)
		}
	}
}

func TestAFaultOfTheStatementItselfIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	store, url := marked(t, "a")
	for what, c := range map[string]struct {
		write func(*sqlstore.Tx) error
		code  string
	}{
		"a name that is there": {func(tx *sqlstore.Tx) error { return mark(tx, "a") }, "23505"},
		"no statement": {func(tx *sqlstore.Tx) error {
			_, err := tx.Exec("SELECT nonsense")
			return err
		}, "42703"},
		"a number out of range": {func(tx *sqlstore.Tx) error {
			_, err := tx.Exec("UPDATE mail_queue SET attempts = 9223372036854775807 + $1::bigint", 1)
			return err
		}, "22003"},
	} {
		runs := 0
		err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
			runs++
			if err := mark(tx, "left"); err != nil {
				return err
			}
			return c.write(tx)
		})
		var e *pgconn.PgError
		if runs != 1 || !errors.As(err, &e) || e.Code != c.code || unavailable(err) {
			t.Errorf("%s: it ran %d times: %v", what, runs, err)
		}
	}
	if n := asked[int](t, url, "SELECT count(*) FROM facts WHERE name = 'left'"); n != 0 {
		t.Error("what was begun with them is there")
	}
}

func TestAConnectionThatIsLostBeforeTheCommitHarmsNobody(t *testing.T) {
	t.Parallel()
	store, url := marked(t)
	runs := 0
	err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
		runs++
		if err := mark(tx, "a"); err != nil {
			return err
		}
		if runs == 1 {
			var pid int
			if err := tx.Row("SELECT pg_backend_pid()", nil, &pid); err != nil {
				return err
			}
			if !asked[bool](t, url, "SELECT pg_terminate_backend($1, 5000)", pid) {
				t.Error("the connection lives")
			}
		}
		return touch(tx, "a")
	})
	if err != nil || runs != 2 {
		t.Errorf("it ran %d times: %v", runs, err)
	}
	if value := asked[[]byte](t, url, "SELECT value FROM facts WHERE name = 'a'"); string(value) != "01" {
		t.Errorf("a is %s", value)
	}
}

// TestACommitOfWhichNobodyHeardIsNotTriedAgain holds for the statement that commits alone and for one
// with which others go.
func TestACommitOfWhichNobodyHeardIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		cut   func(*proxy)
		there int
	}{
		"the answer is lost":   {func(p *proxy) { p.cutAnswer("COMMIT\x00") }, 1},
		"the question is lost": {func(p *proxy) { p.cutRequest("COMMIT\x00") }, 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			url := testbed.Postgres(t)
			p, through := between(t, url)
			store := openPostgres(t, through)
			for _, late := range []bool{false, true} {
				name := "committed alone"
				if late {
					name = "committed with others"
				}
				c.cut(p)
				runs := 0
				err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
					runs++
					if late {
						return tx.Later("INSERT INTO facts (name, value) VALUES ($1, $2)", name, []byte("0"))
					}
					return mark(tx, name)
				})
				if runs != 1 || !unavailable(err) || !errors.Is(err, fault.ErrUnsettled) {
					t.Errorf("%s: it ran %d times: %v", name, runs, err)
				}
				if n := asked[int](t, url, "SELECT count(*) FROM facts WHERE name = $1", name); n != c.there {
					t.Errorf("%s: there are %d rows, want %d", name, n, c.there)
				}
				if err := store.Ready(t.Context()); err != nil {
					t.Errorf("%s: afterwards: %v", name, err)
				}
			}
		})
	}
}

func TestConnectionsThatWereEndedAllAtOnceAreReplaced(t *testing.T) {
	t.Parallel()
	store, url := marked(t)
	id := register(t, store, "marcus")
	for range 3 {
		var busy sync.WaitGroup
		for range 10 { // so that there are ten connections
			busy.Go(func() {
				if _, err := store.CreateItem(t.Context(), id, sealed(id, "github")); err != nil {
					t.Error(err)
				}
			})
		}
		busy.Wait()
		asked[int](t, url, "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		for range 10 {
			busy.Go(func() {
				if _, err := store.UserByID(t.Context(), id); err != nil {
					t.Errorf("a read: %v", err)
				}
			})
			busy.Go(func() {
				if _, err := store.CreateItem(t.Context(), id, sealed(id, "github")); err != nil {
					t.Errorf("a write: %v", err)
				}
			})
		}
		busy.Wait()
	}
	if n := asked[int](t, url, "SELECT item_count FROM users"); n != 60 {
		t.Errorf("%d of 60 items are there", n)
	}
}
