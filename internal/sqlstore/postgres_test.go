package sqlstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"caesar/internal/sqlstore"
	"caesar/internal/sqlstore/storetest"
	"caesar/internal/testbed"
)

func TestPostgreSQLKeepsWhatTheDomainIsPromised(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	var seen said
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store {
			t.Helper()
			url := schemaOf(t, database)
			store, err := sqlstore.OpenPostgresWith(t.Context(), url, sqlstore.PostgresTerms{Tracer: listening{&seen}})
			if err != nil {
				t.Fatal(err)
			}
			return &ordered{store, t, url}
		})
	})
	t.Run("no statement touches two users", func(t *testing.T) { seen.holdToOneUser(t, "sqlite.go") })
	t.Run("no two transactions wait for each other", func(t *testing.T) {
		// All lock in one order: a user before what is the user's.
		if n := asked[int](t, database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n > 0 {
			t.Errorf("%d deadlocks had to be broken", n)
		}
	})
}

// schemaOf is the URL of an empty schema of a database: made in no time, where a database takes some.
func schemaOf(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := "of_" + strings.ToLower(rand.Text())
	conn := connected(t, database)
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// ordered looks, when it is closed, whether all is in order.
type ordered struct {
	*sqlstore.Store
	t   *testing.T
	url string
}

func (o *ordered) Close() error {
	conn := connected(o.t, o.url)
	inOrder(o.t, func(query string, _ []any, dest ...any) error {
		return conn.QueryRow(context.Background(), query).Scan(dest...)
	})
	return errors.Join(conn.Close(context.Background()), o.Store.Close())
}

// asked is what a database answers, over a connection of the test's own.
func asked[V any](t testing.TB, url, query string, args ...any) (answer V) {
	t.Helper()
	conn := connected(t, url)
	if err := conn.QueryRow(context.Background(), query, args...).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(context.Background()); err != nil {
		t.Error(err)
	}
	return answer
}

// connected is a connection of the test's own.
func connected(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// listening collects what a database is told.
type listening struct{ seen *said }

// TraceQueryStart implements pgx.QueryTracer.
func (l listening) TraceQueryStart(ctx context.Context, _ *pgx.Conn, query pgx.TraceQueryStartData) context.Context {
	l.seen.add(query.SQL)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (listening) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (listening) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (l listening) TraceBatchQuery(_ context.Context, _ *pgx.Conn, query pgx.TraceBatchQueryData) {
	l.seen.add(query.SQL)
}

// TraceBatchEnd implements pgx.BatchTracer.
func (listening) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
