package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/settings"
)

// blobs is the place where backups lie.
type blobs struct {
	marked
	where  string   // for people to read: never with a secret
	bucket *blob.S3 // what all replicas share; nil: a folder of this server's own
}

// openBlobs opens a bucket, also where it can't be reached yet, or else the folder beside the database.
func openBlobs(ctx context.Context, s *settings.Settings) (*blobs, error) {
	if s.Blobs.Reveal() != "" {
		bucket, err := blob.OpenS3(ctx, s.Blobs.Reveal())
		if err != nil {
			return nil, err
		}
		return &blobs{bucket, bucket.String(), bucket}, nil
	}
	folder := filepath.Join(s.Data, "blobs")
	dir, err := blob.OpenDir(folder)
	if err != nil {
		return nil, err
	}
	return &blobs{dir, folder, nil}, nil
}

// warn tells the log where the backups are away when the server starts: the vault goes on without them.
func (b *blobs) warn(ctx context.Context, log *slog.Logger) error {
	if b.bucket == nil {
		return nil
	}
	if err := b.bucket.Check(ctx); err != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "the store of backups cannot be used; until it can, backups are answered with 503", "blobs", b.where, "err", oneLine(err))
	}
	return nil
}

// checkBlobs refuses what is wrong with the place of backups without asking anybody.
func checkBlobs(s *settings.Settings) error {
	if s.Blobs.Reveal() == "" {
		return nil
	}
	if backup.BlobSize(s.BackupFileMax) > blob.S3BlobMax {
		return senseless(fmt.Errorf("CAESAR_BACKUP_FILE_MAX: an S3 store takes files of %dGiB at most", blob.S3BlobMax>>30))
	}
	if _, err := blob.ParseS3(s.Blobs.Reveal()); err != nil {
		return senseless(fmt.Errorf("CAESAR_BLOBS: %w", err))
	}
	return nil
}

// senseless is the error for settings that can't be right, for a cause that repeats none of them.
func senseless(cause error) error {
	return fault.New(fault.Invalid, "invalid", phrase.SettingsWrong).Because(cause)
}
