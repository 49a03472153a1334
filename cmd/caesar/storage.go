package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"caesar/internal/rootkey"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// openStorage opens the database and the root key that it was sealed under, and makes both at the first
// start, in a folder that this server has claimed. The store is returned also with an error, where it is
// open by then.
func openStorage(ctx context.Context, s *settings.Settings) (*rootkey.Ring, *sqlstore.Store, error) {
	if err := os.MkdirAll(filepath.Dir(s.RootKeyFile), 0o700); err != nil {
		return nil, nil, fmt.Errorf("make folder of the root key: %w", err)
	}
	database := filepath.Join(s.Data, "caesar.db")
	root, err := openRootKey(s.RootKeyFile, database)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.OpenSQLite(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	return root, store, checkRootKey(ctx, root, store, s.RootKeyFile)
}

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

// checkRootKey refuses a database that was sealed under another root key, before anything is written
// with the wrong one: a key file that was lost or mistyped must not pass for a first start.
func checkRootKey(ctx context.Context, root *rootkey.Ring, store *sqlstore.Store, path string) error {
	mac := root.MAC("root key check")
	known, err := store.RememberRootKey(ctx, mac.Sum())
	if err != nil {
		return err
	}
	if !mac.Verify(known) {
		return fmt.Errorf("the root key in %s is not the one that this database was sealed under; bring back the key that was there before", path)
	}
	return nil
}
