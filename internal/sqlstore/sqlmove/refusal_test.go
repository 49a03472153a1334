package sqlmove_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"caesar/internal/fault"
	"caesar/internal/sqlstore"
	"caesar/internal/sqlstore/sqlmove"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// everything is a text of all that a database of a few tables holds.
const everything = `SELECT coalesce(string_agg(table_name || query_to_xml('SELECT * FROM ' || quote_ident(table_name), false, false, '')::text, '' ORDER BY table_name), '')
	FROM information_schema.tables WHERE table_schema = current_schema()`

func TestATargetThatHoldsSomethingElseIsRefusedAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	source := small(t)
	for name, c := range map[string]struct {
		fill func(t *testing.T, url string)
		slug string
		says string
	}{
		"a table of somebody's": {func(t *testing.T, url string) {
			t.Helper()
			do(t, url, "CREATE TABLE things (id int)")
		}, "target_foreign", "a table things"},
		"tables called as ours": {func(t *testing.T, url string) {
			t.Helper()
			do(t, url, "CREATE TABLE users (id int)", "INSERT INTO users VALUES (1)")
		}, "target_full", "users"},
		"a server that has started": {func(t *testing.T, url string) {
			t.Helper()
			store, err := sqlstore.OpenPostgres(t.Context(), url, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			if _, err := store.RememberRootKey(t.Context(), []byte("mark")); err != nil {
				t.Fatal(err)
			}
		}, "target_full", "facts"},
		"a finished move from elsewhere": {func(t *testing.T, url string) {
			t.Helper()
			finish(t, begin(t, small(t), url))
		}, "target_full", ""},
		"an unfinished move from elsewhere": {func(t *testing.T, url string) {
			t.Helper()
			begin(t, small(t), url)
		}, "target_elsewhere", "another data folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testbed.Postgres(t)
			c.fill(t, url)
			before := ask[string](t, url, everything)
			m, err := sqlmove.Open(t.Context(), movetest.Database(source), url)
			if err == nil {
				t.Fatal("it is taken")
			}
			if m != nil {
				t.Error("there is a move with an error")
			}
			refused, ok := errors.AsType[*fault.Error](err)
			if !ok || refused.Kind != fault.Conflict || refused.Slug != c.slug || !strings.Contains(refused.Message.String(), c.says) {
				t.Errorf("the error is %v", err)
			}
			if after := ask[string](t, url, everything); after != before {
				t.Errorf("it was changed from\n%.1000s\nto\n%.1000s", before, after)
			}
		})
	}
}

func TestATargetOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	url := testbed.Postgres(t)
	store, err := sqlstore.OpenPostgres(t.Context(), url, 1)
	if err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	do(t, url, "INSERT INTO migrations VALUES (999)")
	if err := open(t, small(t), url).Begin(t.Context(), ""); !errors.Is(err, sqlstore.ErrNewer) {
		t.Errorf("the error is %v", err)
	}
}

func TestEmptyTablesOfACaesarAreAnEmptyTarget(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	store, err := sqlstore.OpenPostgres(t.Context(), url, 1)
	if err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	do(t, url, "INSERT INTO leases VALUES ('sweep', 1)")
	finish(t, begin(t, folder, url))
	movetest.Compare(t, folder, url)
}

func TestOfTwoMovesAtOnceOneStops(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	first := begin(t, folder, url)
	var second *sqlmove.Move
	copied := 0
	err := first.Copy(t.Context(), func(rows int) {
		if copied += rows; second == nil && copied > 200 {
			second = begin(t, folder, url) // as on another machine, from a copy of the folder
		}
	})
	if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Slug != "target_busy" {
		t.Errorf("the first goes on: %v", err)
	}
	finish(t, second)
	movetest.Compare(t, folder, url)
}

func TestAServerThatStartsAtTheSameMomentIsNoticed(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := open(t, folder, url)
	store, err := sqlstore.OpenPostgres(t.Context(), url, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := store.RememberRootKey(t.Context(), []byte("mark")); err != nil {
		t.Fatal(err)
	}
	err = m.Begin(t.Context(), "")
	if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Slug != "target_full" {
		t.Errorf("the error is %v", err)
	}
	if moving(t, url) {
		t.Error("what is refused is moved into")
	}
}

func TestTextThatPostgreSQLCanNotStoreIsNamed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"a NUL": "x'610062'", "broken UTF-8": "x'ff'"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, url := small(t), testbed.Postgres(t)
			movetest.Change(t, folder, func(tx *sql.Tx) {
				if _, err := tx.ExecContext(t.Context(), "UPDATE items SET user_id = 17, url = CAST("+text+" AS TEXT) WHERE id = 42"); err != nil {
					t.Fatal(err)
				}
			})
			err := begin(t, folder, url).Copy(t.Context(), func(int) {})
			refused, ok := errors.AsType[*fault.Error](err)
			if !ok || !strings.Contains(refused.Message.String(), `the column url of a row of the table items, the one with user_id "17", id "42"`) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestATargetThatAltersWhatIsWrittenIsNoticed(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	do(t, url, "CREATE FUNCTION alter_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.mac := NEW.mac || ''x''; RETURN NEW; END'",
		"CREATE TRIGGER alters BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION alter_it()")
	if err := m.Copy(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Check(t.Context(), func(int) {}); err == nil || !strings.Contains(err.Error(), "check rows of table versions") {
		t.Errorf("the error is %v", err)
	}
}

func TestAnErrorHoldsNoPassword(t *testing.T) {
	t.Parallel()
	folder := small(t)
	for _, url := range []string{
		"postgres://ada:hunter2@127.0.0.1:1/x", "postgres://ada:hunter2@127.0.0.1:x/y", "postgres://ada:hunter2@127.0.0.1:1/x?sslmode=hunter2",
		"postgres://ada:hunter2@nowhere.invalid/x",
	} {
		_, err := sqlmove.Open(t.Context(), movetest.Database(folder), url)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error is %v", err)
		}
	}
}
