package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/settings"
	"caesar/internal/testbed"
)

// starts puts a server together and takes it apart again.
func starts(ctx context.Context, s *settings.Settings) error {
	a, err := wire(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return a.close()
}

func TestThreeReplicasWithTheSameKeyFilesStartAtOnceOnAnEmptyDatabaseAndBucket(t *testing.T) {
	t.Parallel()
	database, bucket, keys := testbed.Postgres(t), testbed.S3(t), t.TempDir()
	var replicas sync.WaitGroup
	for range 3 {
		s := on(database, t.TempDir())
		s.Blobs = settings.NewSecret(bucket)
		s.RootKeyFile, s.BackupKeyFile = filepath.Join(keys, "root.key"), filepath.Join(keys, "backup.age")
		replicas.Go(func() {
			if err := starts(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	replicas.Wait()
}

func TestAReplicaNeedsTheKeyFilesOfTheFirst(t *testing.T) {
	t.Parallel()
	database, first, second := testbed.Postgres(t), t.TempDir(), t.TempDir()
	if err := starts(t.Context(), on(database, first)); err != nil {
		t.Fatal(err)
	}
	s := on(database, second)
	for _, key := range []struct{ path, of, setting string }{
		{s.RootKeyFile, filepath.Join(first, "keys", "root.key"), "CAESAR_ROOT_KEY_FILE"},
		{s.BackupKeyFile, filepath.Join(first, "keys", "backup.age"), "CAESAR_BACKUP_KEY_FILE"},
	} {
		refused := func(how string) {
			t.Helper()
			err := starts(t.Context(), s)
			if err == nil || !strings.Contains(err.Error(), key.path) || !strings.Contains(err.Error(), "the same key file to every replica") || !strings.Contains(err.Error(), key.setting) {
				t.Errorf("with a key that is %s it says %v", how, err)
			}
		}
		refused("not there")
		if _, err := os.Stat(key.path); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("a key was made: %v", err)
		}
		stranger := filepath.Join(t.TempDir(), "data") // of another house
		if err := starts(t.Context(), settingsIn(stranger)); err != nil {
			t.Fatal(err)
		}
		copied(t, filepath.Join(stranger, "keys", filepath.Base(key.path)), key.path)
		refused("another's")
		copied(t, key.of, key.path)
	}
	if err := starts(t.Context(), s); err != nil {
		t.Errorf("with both keys: %v", err)
	}
}

// copied puts a key file in the place of another.
func copied(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// elsewhere returns settings by which nothing lies in the data folder, which can't be made.
func elsewhere(t *testing.T, blobs string) *settings.Settings {
	t.Helper()
	s := on(testbed.Postgres(t), filepath.Join(os.DevNull, "data"))
	s.Blobs, s.SMTP = settings.NewSecret(blobs), settings.NewSecret("smtp://127.0.0.1:1")
	keys := t.TempDir()
	s.RootKeyFile, s.BackupKeyFile = filepath.Join(keys, "root.key"), filepath.Join(keys, "backup.age")
	return s
}

func TestWhereAllIsElsewhereNoDataFolderIsNeeded(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	s := elsewhere(t, place)
	a, err := wire(t.Context(), s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if a.data != "" || !strings.HasPrefix(a.database, "postgres://127.0.0.1:") || !strings.HasPrefix(a.blobs, "s3+http://caesar/") {
		t.Errorf("it tells of %q, %q and %q", a.data, a.database, a.blobs)
	}
	if err := a.close(); err != nil {
		t.Error(err)
	}
	s.SMTP = settings.Secret{} // the outbox lies in it
	if err := starts(t.Context(), s); err == nil {
		t.Error("an outbox was made in a folder that can't be")
	}
}

func TestAServerStartsWithoutItsStoreOfBackupsAndSaysSo(t *testing.T) {
	t.Parallel()
	s := elsewhere(t, "s3+http://ada:hunter2@bucket?endpoint=127.0.0.1:1&region=here")
	logged := make(lines, 100)
	a, err := wire(t.Context(), s, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	for late := time.After(time.Minute); ; {
		select {
		case line := <-logged:
			if strings.Contains(line, "hunter2") {
				t.Errorf("the log holds the secret: %s", line)
			}
			if !strings.Contains(line, "the store of backups cannot be used") {
				continue
			}
		case <-late:
			t.Error("the log says nothing of it")
		}
		break
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestABucketThatIsNotThereIsNoStart(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	changed, secret := other(t, place, func(u *url.URL) { u.Host = "absent" })
	err := starts(t.Context(), elsewhere(t, changed))
	if err == nil || !strings.Contains(err.Error(), "there is no bucket absent") || strings.Contains(err.Error(), secret) {
		t.Errorf("it says %v", err)
	}
}
