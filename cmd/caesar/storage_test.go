package main

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/rootkey"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
)

func TestADatabaseThatCannotBeLookedForDoesNotPassForAFirstStart(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "root.key")
	if _, err := openRootKey(key, "caesar\x00.db"); err == nil {
		t.Error("it passes for a first start")
	}
	if _, err := os.Stat(key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a root key was made: %v", err)
	}
}

func TestAnEmptyPostgreSQLIsNotBegunUponWhileThereIsASQLiteDatabase(t *testing.T) {
	t.Parallel()
	database, folder := testbed.Postgres(t), t.TempDir()
	if err := starts(t.Context(), settingsIn(folder)); err != nil {
		t.Fatal(err)
	}
	answer, said := testbed.Refuse(t, testbed.Folder(folder), testbed.Env("CAESAR_DATABASE", database))
	if answer == 0 || !strings.Contains(said, filepath.Join(folder, "caesar.db")) || !strings.Contains(said, "caesar move") {
		t.Errorf("the answer is %d, and it says\n%s", answer, said)
	}
	// Nothing was begun there: another key is as good as that of the folder.
	if err := starts(t.Context(), on(database, t.TempDir())); err != nil {
		t.Errorf("another start: %v", err)
	}
}

func TestAFileOfADatabaseURLThatIsEmptyIsNoStartOnSQLite(t *testing.T) {
	t.Parallel()
	folder, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer, said := testbed.Refuse(t, testbed.Embedded(), testbed.Folder(folder), testbed.Env("CAESAR_DATABASE_FILE", file))
	if answer == 0 || !strings.Contains(said, "CAESAR_DATABASE_FILE") || !strings.Contains(said, "empty") {
		t.Errorf("the answer is %d, and it says\n%s", answer, said)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a data folder was made: %v", err)
	}
}

// held keeps everybody from writing the facts of a database, who may read them, until release is called.
func held(t *testing.T, database string) (release func()) {
	t.Helper()
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	lock, err := db.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = lock.ExecContext(t.Context(), "LOCK TABLE facts IN EXCLUSIVE MODE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = lock.Rollback() }
}

// race has two servers make a key file each, before either has stored which is the database's, and checks
// that one goes on and the other leaves no key.
func race(t *testing.T, database, said string, keys [2]string, start func(i int) error) {
	t.Helper()
	release := held(t, database)
	outcome := make([]error, len(keys))
	var both sync.WaitGroup
	for i := range keys {
		both.Go(func() { outcome[i] = start(i) })
	}
	there := func(key string) bool { _, err := os.Stat(key); return err == nil }
	for deadline := time.Now().Add(20 * time.Second); !there(keys[0]) || !there(keys[1]); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("no keys were made")
			break
		}
	}
	release()
	both.Wait()
	won := slices.Index(outcome, nil)
	if won < 0 || outcome[1-won] == nil {
		t.Fatalf("the two starts end with %v", outcome)
	}
	if lost := outcome[1-won].Error(); !strings.Contains(lost, "another server has started on this database meanwhile") || !strings.Contains(lost, said) {
		t.Errorf("who lost says %s", lost)
	}
	if !there(keys[won]) || there(keys[1-won]) {
		t.Errorf("the key of who won is there: %v, that of who lost: %v", there(keys[won]), there(keys[1-won]))
	}
}

func TestOfTwoFirstStartsAtOnceTheOneThatLosesTakesItsRootKeyAwayAgain(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	replicas := [2]*settings.Settings{on(database, t.TempDir()), on(database, t.TempDir())}
	migrated(t, database)
	race(t, database, "CAESAR_ROOT_KEY_FILE", [2]string{replicas[0].RootKeyFile, replicas[1].RootKeyFile}, func(i int) error {
		return starts(t.Context(), replicas[i])
	})
}

func TestOfTwoFirstStartsAtOnceTheOneThatLosesTakesItsBackupKeyAwayAgain(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	replicas := [2]*settings.Settings{on(database, t.TempDir()), on(database, t.TempDir())}
	store := migrated(t, database)
	race(t, database, "CAESAR_BACKUP_KEY_FILE", [2]string{replicas[0].BackupKeyFile, replicas[1].BackupKeyFile}, func(i int) error {
		_, err := loadBackupKeys(t.Context(), store, replicas[i], slog.New(slog.DiscardHandler))
		return err
	})
}

// migrated opens a database until the test ends, which makes its tables.
func migrated(t *testing.T, database string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.OpenPostgres(t.Context(), database, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestAKeyFileThatWasThereBeforeStaysThoughItIsNotTheDatabases(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	if err := starts(t.Context(), on(database, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	s := on(database, t.TempDir())
	if _, err := rootkey.LoadOrCreate(s.RootKeyFile); err != nil {
		t.Fatal(err)
	}
	// As of one that was not there yet when it was asked for.
	_, err := startShared(t.Context(), s, migrated(t, database), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "is not the one that this database was sealed under") {
		t.Errorf("it says %v", err)
	}
	if _, err := rootkey.Load(s.RootKeyFile); err != nil {
		t.Errorf("the key file that was there: %v", err)
	}
}

func TestWhatOnlyOneReplicaWouldHaveIsWarnedOf(t *testing.T) {
	t.Parallel()
	s := on(testbed.Postgres(t), t.TempDir())
	said := func() string {
		t.Helper()
		var logged bytes.Buffer
		a, err := wire(t.Context(), s, slog.New(slog.NewTextHandler(&logged, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.close(); err != nil {
			t.Error(err)
		}
		return logged.String()
	}
	const folder, key = "the backups lie in a folder of this machine", "a key file was made"
	first := said()
	for _, want := range []string{folder, key, "CAESAR_ROOT_KEY_FILE", "CAESAR_BACKUP_KEY_FILE", s.RootKeyFile, s.BackupKeyFile} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in the log:\n%s", want, first)
		}
	}
	if again := said(); !strings.Contains(again, folder) || strings.Contains(again, key) {
		t.Errorf("the second start says\n%s", again)
	}
	s = settingsIn(t.TempDir())
	if alone := said(); strings.Contains(alone, "WARN") {
		t.Errorf("of SQLite it says\n%s", alone)
	}
}
