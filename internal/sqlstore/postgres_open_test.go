package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
)

func TestReplicasThatStartAtOnceOnAnEmptyDatabaseMigrateItOnce(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{3, 10} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			t.Parallel()
			database := testbed.Postgres(t)
			stores := make([]*sqlstore.Store, replicas)
			errs := make([]error, replicas)
			var all sync.WaitGroup
			for i := range stores {
				all.Go(func() { stores[i], errs[i] = sqlstore.OpenPostgres(t.Context(), database, 5) })
			}
			all.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			ids := map[int64]bool{}
			for i, store := range stores {
				ids[register(t, closed(t, store), fmt.Sprint("m", i))] = true
			}
			if len(ids) != replicas {
				t.Errorf("ids given by several replicas: %v", ids)
			}
			if got, want := asked[int](t, database, "SELECT count(*) FROM migrations"), len(builtIn(t, "postgres")); got != want {
				t.Errorf("%d of %d migrations were noted", got, want)
			}
		})
	}
}

func TestAnUpgradeKeepsWhatPostgreSQLHoldsAndAnOlderReplicaIsRefused(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	old := openPostgres(t, database)
	id := register(t, old, "marcus")

	steps := next(t, "postgres", "CREATE TABLE next (id BIGINT PRIMARY KEY); UPDATE users SET name = 'upgraded';")
	upgraded, err := sqlstore.OpenPostgresWith(t.Context(), database, sqlstore.PostgresTerms{Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, upgraded)
	for _, store := range []*sqlstore.Store{upgraded, old} { // one that is running already goes on
		if u, err := store.UserByID(t.Context(), id); err != nil || u.Name != "upgraded" {
			t.Errorf("after the upgrade: %q, %v", u.Name, err)
		}
	}
	store, err := sqlstore.OpenPostgres(t.Context(), database, 5)
	if !errors.Is(err, sqlstore.ErrNewer) || store != nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a newer database is answered with %v", err)
	}
	if got, want := asked[int](t, database, "SELECT max(version) FROM migrations"), len(steps); got != want {
		t.Errorf("the tables are of version %d, want %d", got, want)
	}
}

func TestAnUpgradeOfPostgreSQLThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	id := register(t, openPostgres(t, database), "marcus")
	steps := next(t, "postgres", "CREATE TABLE next (id BIGINT PRIMARY KEY); ALTER TABLE users DROP COLUMN career; UPDATE users SET name = 'half'; SELECT nonsense;")
	if store, err := sqlstore.OpenPostgresWith(t.Context(), database, sqlstore.PostgresTerms{Steps: steps}); err == nil {
		closed(t, store)
		t.Fatal("a migration that can't be done was done")
	}
	again := openPostgres(t, database)
	if u, err := again.UserByID(t.Context(), id); err != nil || u.Name != "marcus" {
		t.Errorf("the database holds %q, %v", u.Name, err)
	}
	if n := asked[int](t, database, "SELECT count(*) FROM pg_tables WHERE tablename = 'next'"); n != 0 {
		t.Error("half of the migration is there")
	}
}

// TestAnEmptyDatabaseIsLeftEmptyWhereItCannotBeMigrated holds also for the table of migrations.
func TestAnEmptyDatabaseIsLeftEmptyWhereItCannotBeMigrated(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	if store, err := sqlstore.OpenPostgresWith(t.Context(), database, sqlstore.PostgresTerms{Steps: next(t, "postgres", "SELECT nonsense")}); err == nil {
		closed(t, store)
		t.Fatal("a migration that can't be done was done")
	}
	if n := asked[int](t, database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"); n != 0 {
		t.Errorf("%d tables, indexes and sequences are there", n)
	}
}

const secret = "cassius-6F1b"

func TestADatabaseThatCannotBeReachedIsToldWithoutThePassword(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	for what, at := range map[string]string{
		"nobody listens":     with(func(u *url.URL) { u.Host, u.User = nobody(t), url.UserPassword("caesar", secret) }),
		"no such database":   with(func(u *url.URL) { u.Path += "_absent" }),
		"no such host":       with(func(u *url.URL) { u.Host, u.User = "postgres.invalid:5432", url.UserPassword("caesar", secret) }),
		"no such role":       with(func(u *url.URL) { u.User = url.UserPassword("nobody-at-all", secret) }),
		"an unknown setting": with(func(u *url.URL) { u.RawQuery += "&nonsense=" + secret }),
	} {
		begun := time.Now()
		store, err := sqlstore.OpenPostgres(t.Context(), at, 5)
		if err == nil {
			closed(t, store)
			t.Errorf("%s: it was opened", what)
			continue
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s: it took %v to find out", what, took)
		}
		holdsNoSecret(t, what, err)
	}
}

func TestAWrongPasswordOfPostgreSQLIsNotRepeated(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(testbed.StartPostgres(t).URL()) // the shared one may let everybody in
	if err != nil {
		t.Fatal(err)
	}
	right, _ := u.User.Password()
	u.User = url.UserPassword(u.User.Username(), secret)
	store, err := sqlstore.OpenPostgres(t.Context(), u.String(), 5)
	if err == nil {
		closed(t, store)
		t.Fatal("it was opened")
	}
	holdsNoSecret(t, "a wrong password", err)
	if strings.Contains(err.Error(), right) || !strings.Contains(err.Error(), "password authentication failed") {
		t.Error(err)
	}
}

// nobody is an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// holdsNoSecret looks at an error and at all that it wraps.
func holdsNoSecret(t *testing.T, what string, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := fmt.Sprintf("%v %+v", e, e); strings.Contains(text, secret) {
			t.Errorf("%s: the password is in %s", what, text)
		}
	}
	if err.Error() == "" || strings.Count(err.Error(), "\n") > 2 {
		t.Errorf("%s: %v", what, err)
	}
}

func TestWhatIsNoURLOfAPostgreSQLIsRefusedUnseen(t *testing.T) {
	t.Parallel()
	for _, at := range []string{
		"", secret, "postgres:" + secret, "postgres//" + secret, "mysql://caesar:" + secret + "@127.0.0.1/caesar", "host=127.0.0.1 password=" + secret,
		"postgres://caesar:" + secret + "%zz@127.0.0.1/caesar", "postgres://caesar:" + secret + "@127.0.0.1:port/caesar",
		"postgres://caesar:/" + secret + "@127.0.0.1/caesar", "postgres://caesar:5432/" + secret + "@127.0.0.1/caesar",
		"postgres://caesar:a@" + secret + "@127.0.0.1/caesar", "postgres://caesar: " + secret + "@127.0.0.1/caesar",
		"postgres://caesar:" + secret + "@127.0.0.1/caesar?sslmode=" + secret, "postgres://caesar:" + secret + "@127.0.0.1/caesar?sslrootcert=/" + secret,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		store, err := sqlstore.OpenPostgres(ctx, at, 5)
		cancel()
		if store != nil || err != sqlstore.ErrDatabaseURL { // it wraps nothing
			t.Errorf("%q is answered with %v", at, err)
		}
	}
}

// FuzzAPasswordOfAURLIsTakenWholeOrNotAtAll holds that no part of a password, however it was written, is
// taken for anything that errors may repeat.
func FuzzAPasswordOfAURLIsTakenWholeOrNotAtAll(f *testing.F) {
	for _, password := range []string{"", secret, "a/b", "1/b", "/", "?", "#", "1?a=b", "%41", "%zz", "a@b", "a:b", "1,2", "[::1]", " ", "\x00", "ü", "&", "=", "1#", "@/"} {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		config, err := sqlstore.ParsePostgres("postgres://caesar:" + password + "@db.example.org:5433/vault?sslmode=disable")
		if err != nil {
			if err != sqlstore.ErrDatabaseURL { // it wraps nothing
				t.Errorf("%q is answered with %v", password, err)
			}
			return
		}
		meant, err := url.PathUnescape(password)
		c := config.ConnConfig
		if err != nil || c.Password != meant || c.User != "caesar" || c.Host != "db.example.org" || c.Port != 5433 || c.Database != "vault" || len(c.Fallbacks) > 0 || len(c.RuntimeParams) > 0 {
			t.Errorf("%q is read as %q of %q at %q:%d, database %q, %v, %v", password, c.Password, c.User, c.Host, c.Port, c.Database, c.Fallbacks, c.RuntimeParams)
		}
	})
}
