package testbed_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"caesar/internal/testbed"
)

// query asks a database for one number.
func query(ctx context.Context, database, statement string) (n int, err error) {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, statement).Scan(&n)
	return n, errors.Join(err, conn.Close(ctx))
}

func TestAPostgreSQLKeepsWhatWasCommittedWhetherItIsStoppedOrKilled(t *testing.T) {
	t.Parallel()
	server := testbed.StartPostgres(t)
	where := server.URL()
	if _, err := query(t.Context(), where, "CREATE TABLE kept (n int)"); !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	for i, end := range []func() error{server.Stop, server.Kill} {
		if _, err := query(t.Context(), where, "INSERT INTO kept VALUES (1) RETURNING n"); err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := query(t.Context(), where, "SELECT 1"); err == nil {
			t.Error("it answers although it was ended")
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		if n, err := query(t.Context(), where, "SELECT count(*) FROM kept"); n != i+1 || err != nil || server.URL() != where {
			t.Errorf("after end %d: %d rows, %v, at the same place: %t", i, n, err, server.URL() == where)
		}
	}
	if n, err := query(t.Context(), where, "SELECT count(*) FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting = 'on'"); n != 3 || err != nil {
		t.Errorf("of the settings that make it durable %d are on: %v", n, err)
	}
}

func TestAPostgreSQLLetsNobodyInWithoutItsPassword(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(testbed.StartPostgres(t).URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "another")
	if _, err := query(t.Context(), u.String(), "SELECT 1"); err == nil {
		t.Error("anybody on this machine is its superuser")
	}
}

func TestEachTestHasADatabaseOfItsOwnThatIsDroppedAfterIt(t *testing.T) {
	server := testbed.StartPostgres(t)
	t.Setenv("CAESAR_TEST_POSTGRES", server.URL())
	const count = "SELECT count(*) FROM pg_database WHERE datname LIKE 'caesar\\_%'"
	t.Run("while it runs", func(t *testing.T) {
		for range 2 {
			if n, err := query(t.Context(), testbed.Postgres(t), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 || err != nil {
				t.Errorf("it is not empty: %d tables, %v", n, err)
			}
		}
		left, err := pgx.Connect(t.Context(), testbed.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := query(t.Context(), server.URL(), count); n != 3 || err != nil {
			t.Errorf("there are %d databases, %v, not 3", n, err)
		}
		_ = left // and it stays connected
	})
	if n, err := query(t.Context(), server.URL(), count); n != 0 || err != nil {
		t.Errorf("%d databases are left, %v", n, err)
	}
}
