package sqlstore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"caesar/internal/sqlstore"
)

// builtIn returns the migrations of this version, so that a test can go on from them.
func builtIn(t *testing.T, engine string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(sqlstore.MigrationFiles, "migrations/"+engine+"/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations are built in: %v", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(sqlstore.MigrationFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	return files
}

// next returns a later version's migrations: those built in and one more.
func next(t *testing.T, engine, statements string) fstest.MapFS {
	t.Helper()
	files := builtIn(t, engine)
	files[fmt.Sprintf("migrations/%s/%04d_next.sql", engine, len(files)+1)] = &fstest.MapFile{Data: []byte(statements)}
	return files
}

func version(t *testing.T, store *sqlstore.Store) int {
	t.Helper()
	var version int
	if err := store.Row("SELECT max(version) FROM migrations", nil, &version); err != nil {
		t.Fatal(err)
	}
	return version
}

// copies returns the files that lie beside a database for having been copied before an upgrade.
func copies(t *testing.T, path string) []string {
	t.Helper()
	found, err := filepath.Glob(path + ".v*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAFreshDatabaseGetsAllTablesAndNoCopy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	for range 2 { // the second time there is nothing to do
		store := openSQLite(t, path)
		if got, want := version(t, store), len(builtIn(t, "sqlite")); got != want {
			t.Errorf("the tables are of version %d, want %d", got, want)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if found := copies(t, path); len(found) != 0 {
		t.Errorf("copies were made of nothing: %q", found)
	}
}

func TestAnUpgradeCopiesTheDatabaseFirst(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	store := openSQLite(t, path)
	id := register(t, store, "marcus")
	old := version(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	steps := next(t, "sqlite", "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT; UPDATE users SET name = 'upgraded';")
	upgraded, err := sqlstore.OpenSQLiteWith(t.Context(), path, steps)
	if err != nil {
		t.Fatal(err)
	}
	u, err := upgraded.UserByID(t.Context(), id)
	if err != nil || u.Name != "upgraded" || version(t, upgraded) != old+1 {
		t.Errorf("after the upgrade: %q of version %d, %v", u.Name, version(t, upgraded), err)
	}
	if err := upgraded.Close(); err != nil {
		t.Fatal(err)
	}

	found := copies(t, path)
	if len(found) != 1 {
		t.Fatalf("copies: %q", found)
	}
	before := openSQLite(t, found[0]) // by the version before
	defer func() { _ = before.Close() }()
	if u, err := before.UserByID(t.Context(), id); err != nil || u.Name != "marcus" {
		t.Errorf("the copy holds %q, %v", u.Name, err)
	}
}

func TestANewerDatabaseIsRefusedAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	newer, err := sqlstore.OpenSQLiteWith(t.Context(), path, next(t, "sqlite", "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT"))
	if err != nil {
		t.Fatal(err)
	}
	if err := newer.Close(); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.OpenSQLite(t.Context(), path)
	if !errors.Is(err, sqlstore.ErrNewer) || store != nil {
		t.Fatalf("a newer database is answered with %v", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is of several lines: %q", err)
	}
	now, err := os.ReadFile(path)
	if err != nil || string(now) != string(was) {
		t.Errorf("it was changed, or can't be read: %v", err)
	}
	if found := copies(t, path); len(found) != 0 {
		t.Errorf("it was copied: %q", found)
	}
}

func TestAnUpgradeThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	store := openSQLite(t, path)
	id := register(t, store, "marcus")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	steps := next(t, "sqlite", "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT; UPDATE users SET name = 'half'; SELECT nonsense;")
	if store, err := sqlstore.OpenSQLiteWith(t.Context(), path, steps); err == nil {
		_ = store.Close()
		t.Fatal("a migration that can't be done was done")
	}
	store = openSQLite(t, path)
	defer func() { _ = store.Close() }()
	if u, err := store.UserByID(t.Context(), id); err != nil || u.Name != "marcus" {
		t.Errorf("the database holds %q, %v", u.Name, err)
	}
	var tables int
	if err := store.Row("SELECT count(*) FROM sqlite_schema WHERE name = 'next'", nil, &tables); err != nil || tables != 0 {
		t.Errorf("half of the migration is there: %d, %v", tables, err)
	}
}

func TestMigrationsAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{
		{"0002_b.sql"}, {"0001_a.sql", "0003_c.sql"}, {"0001_a.sql", "0001_b.sql"}, {"a.sql"}, {"0001_a.sql", "x.sql"}, {"0000_a.sql"},
	} {
		files := fstest.MapFS{}
		for _, name := range names {
			files["migrations/sqlite/"+name] = &fstest.MapFile{Data: []byte("SELECT 1")}
		}
		path := filepath.Join(t.TempDir(), "caesar.db")
		if _, err := sqlstore.OpenSQLiteWith(t.Context(), path, files); err == nil {
			t.Errorf("%q were taken", names)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: a database was made: %v", names, err)
		}
	}
	if _, err := sqlstore.OpenSQLiteWith(t.Context(), filepath.Join(t.TempDir(), "caesar.db"), fstest.MapFS{}); err == nil {
		t.Error("no migrations at all were taken")
	}
}

func TestServersThatStartAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	stores := make([]*sqlstore.Store, 4)
	errs := make([]error, len(stores))
	var all sync.WaitGroup
	for i := range stores {
		all.Go(func() { stores[i], errs[i] = sqlstore.OpenSQLite(t.Context(), path) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	ids := map[int64]bool{}
	for i, store := range stores {
		ids[register(t, store, fmt.Sprint("m", i))] = true
	}
	if len(ids) != len(stores) {
		t.Errorf("ids given by several processes: %v", ids)
	}
	for _, store := range stores {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatWasAnsweredIsThereAfterAStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "caesar.db")
	store := openSQLite(t, path)
	id := register(t, store, "marcus")
	item, err := store.CreateItem(t.Context(), id, sealed(id, "github"))
	if err != nil {
		t.Fatal(err)
	}
	// A copy of the files as they lie is what a crash leaves: nothing was closed.
	crashed := filepath.Join(t.TempDir(), "caesar.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, crashed} {
		again := openSQLite(t, path)
		got, err := again.Item(t.Context(), id, item.ID)
		if err != nil || got.Name != item.Name {
			t.Errorf("the item is lost: %+v, %v", got, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNoDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database. ", 400)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, folder, filepath.Join(folder, "absent", "caesar.db")} {
		if store, err := sqlstore.OpenSQLite(t.Context(), path); err == nil {
			_ = store.Close()
			t.Errorf("%s was opened", path)
		}
	}
}

func TestADatabaseMayLieInAFolderOfAnyName(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "凯撒 50% ?x=1#frag&mode=memory")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "caesar.db")
	store := openSQLite(t, path)
	register(t, store, "marcus")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	again := openSQLite(t, path)
	defer func() { _ = again.Close() }()
	if _, err := again.UserByHandle(t.Context(), "marcus"); err != nil {
		t.Error(err)
	}
}
