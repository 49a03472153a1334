package sqlstore_test

import (
	"path/filepath"
	"sync"
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
	var mu sync.Mutex
	seen := map[string]bool{}
	collect := func(statements []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, statement := range statements {
			seen[normal(statement)] = true
		}
	}
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store {
			t.Helper()
			return &watched{openSQLite(t, filepath.Join(t.TempDir(), "caesar.db")), collect}
		})
	})
	t.Run("no statement touches two users", func(t *testing.T) { holdToOneUser(t, seen) })
}

// watched tells, when it is closed, which statements it was used for.
type watched struct {
	*sqlstore.Store
	tell func(texts []string)
}

func (w *watched) Close() error {
	w.tell(w.Statements())
	return w.Store.Close()
}
