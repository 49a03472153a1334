package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"caesar/internal/rootkey"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// checkPlaces refuses what is wrong with where things are to be kept, before anything is touched, and says
// where the database is.
func checkPlaces(s *settings.Settings) (database string, err error) {
	if err := checkBlobs(s); err != nil {
		return "", err
	}
	if s.Database.Reveal() == "" {
		return databaseFile(s), nil
	}
	at, err := placeOf(s.Database.Reveal())
	if err != nil {
		return "", err
	}
	return at.String(), nil
}

// openStorage opens the database and the root key that it was sealed under, and makes the key at the first
// start. The store is returned also with an error, where it is open by then.
func openStorage(ctx context.Context, s *settings.Settings, log *slog.Logger) (*rootkey.Ring, *sqlstore.Store, error) {
	if s.Database.Reveal() != "" {
		return openShared(ctx, s, log)
	}
	database := databaseFile(s)
	root, err := openRootKey(s.RootKeyFile, database)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.OpenSQLite(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	if err := refuseMoved(ctx, store); err != nil {
		return nil, store, err
	}
	return root, store, checkRootKey(ctx, root, store, s, false)
}

// databaseFile is the path of SQLite's database.
func databaseFile(s *settings.Settings) string { return filepath.Join(s.Data, "caesar.db") }

// openRootKey reads the root key, and makes one at the first start: beside a database there must be one
// already, and a new one would only hide that it was lost. A database that can't be seen may be there.
func openRootKey(path, database string) (*rootkey.Ring, error) {
	_, err := os.Stat(database)
	if errors.Is(err, fs.ErrNotExist) {
		return rootkey.LoadOrCreate(path)
	}
	if err != nil {
		return nil, fmt.Errorf("look for the database: %w", err)
	}
	root, err := rootkey.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the root key %s is gone, and %s cannot be read without it; bring back the key from where you keep a copy", path, database)
	}
	return root, err
}

// openShared opens PostgreSQL and the root key. The database may be older than this replica, and is asked
// first whether it was sealed under a key: then that key has to be here, for every replica has the same.
func openShared(ctx context.Context, s *settings.Settings, log *slog.Logger) (*rootkey.Ring, *sqlstore.Store, error) {
	store, err := reachDatabase(ctx, s, untilThere, log)
	if err != nil {
		return nil, nil, err
	}
	if err := refuseUnfinished(ctx, store); err != nil {
		return nil, store, err
	}
	mark, err := store.RootKeyMark(ctx)
	if err != nil {
		return nil, store, err
	}
	if mark == nil {
		root, err := startShared(ctx, s, store, log)
		return root, store, err
	}
	root, err := rootkey.Load(s.RootKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, store, fmt.Errorf("there is no root key %s, and this database was sealed under one; %s", s.RootKeyFile, bringRootKey(s))
	}
	if err != nil {
		return nil, store, err
	}
	return root, store, checkRootKey(ctx, root, store, s, false)
}

// startShared has an empty PostgreSQL database sealed under the root key, which is made where there is none.
// A SQLite database in the data folder is not passed over: whoever has one means to go on with it.
func startShared(ctx context.Context, s *settings.Settings, store *sqlstore.Store, log *slog.Logger) (*rootkey.Ring, error) {
	if _, err := os.Stat(databaseFile(s)); err == nil {
		return nil, fmt.Errorf("the database of CAESAR_DATABASE is empty, and there is one in %s already: bring its data over with caesar move, or choose another data folder", databaseFile(s))
	}
	root, err := rootkey.Load(s.RootKeyFile)
	made := errors.Is(err, fs.ErrNotExist)
	if made {
		if root, err = rootkey.LoadOrCreate(s.RootKeyFile); err == nil {
			warnMade(ctx, log, "CAESAR_ROOT_KEY_FILE", s.RootKeyFile)
		}
	}
	if err != nil {
		return nil, err
	}
	return root, checkRootKey(ctx, root, store, s, made)
}

// warnMade tells of a key file that was made on a database that others may share.
func warnMade(ctx context.Context, log *slog.Logger, setting, path string) {
	log.WarnContext(ctx, "a key file was made: copy it to every replica, and keep a copy apart from the database; without it nothing there can be read", "setting", setting, "file", path)
}

// unmake takes away a key file that this start made and that fits nothing, as another server was first: left
// there, it would pass for a key that somebody needs.
func unmake(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take away the key file that was made: %w", err)
	}
	return nil
}

// checkRootKey refuses a database that was sealed under another root key, before anything is written
// with the wrong one: a key file that was lost or mistyped must not pass for a first start. One that was
// made by this start, and lost to another's, is taken away.
func checkRootKey(ctx context.Context, root *rootkey.Ring, store *sqlstore.Store, s *settings.Settings, made bool) error {
	mac := root.MAC("root key check")
	known, err := store.RememberRootKey(ctx, mac.Sum())
	if err != nil {
		return err
	}
	if !mac.Verify(known) && made {
		return errors.Join(fmt.Errorf("another server has started on this database meanwhile, with another root key; %s", bringRootKey(s)), unmake(s.RootKeyFile))
	}
	if !mac.Verify(known) {
		return fmt.Errorf("the root key in %s is not the one that this database was sealed under; %s", s.RootKeyFile, bringRootKey(s))
	}
	return nil
}

// bringRootKey and bringBackupKey say how to mend that a key is not the right one.
func bringRootKey(s *settings.Settings) string { return bring(s, "CAESAR_ROOT_KEY_FILE") }

func bringBackupKey(s *settings.Settings) string { return bring(s, "CAESAR_BACKUP_KEY_FILE") }

func bring(s *settings.Settings, setting string) string {
	if s.Database.Reveal() == "" {
		return "bring back the key file that was there before"
	}
	return "bring the same key file to every replica, and name it by " + setting
}
