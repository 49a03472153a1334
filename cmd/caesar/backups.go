package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"caesar/internal/backup"
	"caesar/internal/rootkey"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// wireBackups makes the service of backups: its key, its blobs and its rows.
func wireBackups(ctx context.Context, s *settings.Settings, root *rootkey.Ring, store *sqlstore.Store, place *blobs, log *slog.Logger) (*backup.Service, error) {
	keys, err := loadBackupKeys(ctx, store, s, log)
	if err != nil {
		return nil, err
	}
	return backup.NewService(backup.Config{
		Store: store, Blobs: place.marked, Keys: keys, Root: root,
		FileMax:   s.BackupFileMax,
		Retention: backup.Retention{Keep: s.BackupKeep, Quota: s.BackupQuota},
		Now:       time.Now, Log: log,
	}), nil
}

// loadBackupKeys refuses a key file that does not hold the key that backups were sealed under: one that
// was lost or mistyped must not pass for a first start.
func loadBackupKeys(ctx context.Context, store *sqlstore.Store, s *settings.Settings, log *slog.Logger) (*backup.Keys, error) {
	path := s.BackupKeyFile
	stored, err := store.BackupKey(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := backup.LoadKeys(path)
	made := stored == "" && errors.Is(err, fs.ErrNotExist)
	if made {
		if keys, err = backup.LoadOrCreateKeys(path, time.Now()); err == nil && s.Database.Reveal() != "" {
			warnMade(ctx, log, "CAESAR_BACKUP_KEY_FILE", path)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key file %s is not there, and the backups here are sealed under the key of the public half %s; %s", path, stored, bringBackupKey(s))
	}
	if err != nil {
		return nil, err
	}
	stored, err = store.RememberBackupKey(ctx, keys.Current(), keys.Holds)
	if err != nil {
		return nil, err
	}
	if !keys.Holds(stored) && made {
		return nil, errors.Join(fmt.Errorf("another server has started on this database meanwhile, with another backup key; %s", bringBackupKey(s)), unmake(path))
	}
	if !keys.Holds(stored) {
		return nil, fmt.Errorf("the key of the public half %s, which the backups here are sealed under, is not in %s; %s", stored, path, bringBackupKey(s))
	}
	return keys, nil
}
