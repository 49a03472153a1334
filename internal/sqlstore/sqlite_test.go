package sqlstore_test

import (
	"path/filepath"
	"testing"

	"caesar/internal/sqlstore"
	"caesar/internal/sqlstore/storetest"
)

func openSQLite(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestSQLiteKeepsWhatTheDomainIsPromised(t *testing.T) {
	t.Parallel()
	var seen said
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store {
			t.Helper()
			return &watched{openSQLite(t, filepath.Join(t.TempDir(), "caesar.db")), t, &seen}
		})
	})
	t.Run("no statement touches two users", func(t *testing.T) { seen.holdToOneUser(t, "postgres.go") })
}

// watched tells, when it is closed, which statements it was used for, and whether all is in order.
type watched struct {
	*sqlstore.Store
	t    *testing.T
	seen *said
}

func (w *watched) Close() error {
	w.seen.add(w.Statements()...)
	inOrder(w.t, w.Row)
	return w.Store.Close()
}
