package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/rootkey"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// sweepBackupsEvery is how often files are looked for that no row names. Only a crash leaves some.
const sweepBackupsEvery = time.Hour

// wireBackups makes the service of backups: its key, its folder and its rows.
func wireBackups(ctx context.Context, s *settings.Settings, root *rootkey.Ring, store *sqlstore.Store, log *slog.Logger) (*backup.Service, error) {
	keys, err := loadBackupKeys(ctx, store, filepath.Join(s.Data, "keys", "backup.age"))
	if err != nil {
		return nil, err
	}
	blobs, err := blob.OpenDir(filepath.Join(s.Data, "blobs"))
	if err != nil {
		return nil, err
	}
	return backup.NewService(backup.Config{
		Store: store, Blobs: blobs, Keys: keys, Root: root,
		FileMax:   s.BackupFileMax,
		Retention: backup.Retention{Keep: s.BackupKeep, Quota: s.BackupQuota},
		Now:       time.Now, Log: log,
	}), nil
}

// loadBackupKeys refuses a key file that does not hold the key that backups were sealed under: one that
// was lost or mistyped must not pass for a first start.
func loadBackupKeys(ctx context.Context, store *sqlstore.Store, path string) (*backup.Keys, error) {
	stored, err := store.BackupKey(ctx)
	if err != nil {
		return nil, err
	}
	var keys *backup.Keys
	if stored == "" {
		keys, err = backup.LoadOrCreateKeys(path, time.Now())
	} else {
		keys, err = backup.LoadKeys(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key file %s is gone; bring back the one that holds the key of the public half %s, which the backups here are sealed under", path, stored)
	}
	if err != nil {
		return nil, err
	}
	stored, err = store.RememberBackupKey(ctx, keys.Current(), keys.Holds)
	if err != nil {
		return nil, err
	}
	if !keys.Holds(stored) {
		return nil, fmt.Errorf("the key of the public half %s, which the backups here are sealed under, is not in %s; bring back the key file that was there before", stored, path)
	}
	return keys, nil
}

// sweepBackups deletes what crashes left of uploads, at the start and from then on.
func sweepBackups(backups *backup.Service, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(sweepBackupsEvery)
		defer tick.Stop()
		for {
			if err := backups.Sweep(ctx); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "sweeping backups failed; it is tried again in an hour", "err", err)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}
