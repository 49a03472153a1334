package sqlstore_test

import (
	"path/filepath"
	"testing"

	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
)

// opener opens an empty database.
type opener func(t testing.TB) *sqlstore.Store

// engines are those that a test runs on.
var engines = map[string]opener{
	"sqlite": func(t testing.TB) *sqlstore.Store {
		t.Helper()
		return closed(t, openSQLite(t, filepath.Join(t.TempDir(), "caesar.db")))
	},
	"postgres": func(t testing.TB) *sqlstore.Store {
		t.Helper()
		return openPostgres(t, testbed.Postgres(t))
	},
}

func openPostgres(t testing.TB, url string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.OpenPostgres(t.Context(), url, 10)
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, store)
}

// closed has a store closed when the test ends.
func closed(t testing.TB, store *sqlstore.Store) *sqlstore.Store {
	t.Helper()
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}
