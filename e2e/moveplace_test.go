package e2e_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caesar/client"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// The end of a move of backups is written to the bucket first and to the database then. In between the bucket
// can be served, and so a backup be there that the folder never had.
func TestABackupThatOnlyTheBucketHasIsNotLostWhenBackupsAreMovedLater(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(quick(), testbed.Embedded())...)
	p := old.settled()
	old.Stop()
	m := newMoving(t, old.Data)
	bucket := m.blobs
	m.blobs = ""
	m.finish()
	m.blobs = bucket
	m.finish()
	m.exec("UPDATE facts SET value = $1 WHERE name = 'moved blobs'", []byte(`{"place":"","lost":0}`))
	now := m.served(t, captchaOff()...)
	since, err := now.client(client.WithToken(p.token)).Member().Upload(t.Context(), "since.tar", bytes.NewReader([]byte("since")))
	if err != nil {
		t.Fatal(err)
	}
	p.files["since.tar"] = since.SHA256
	p.sight = now.sight(p.person)
	now.Stop()
	if r := m.finish(); !strings.Contains(r.said, "Moved backups: 4, of 9.1 MiB, ") || !strings.Contains(r.said, "are no longer in the data folder: 1.") || strings.Contains(r.said, "could not be read") {
		t.Errorf("it says %s%s", r.said, r.told)
	}
	m.served(t, captchaOff()...).athome(p)
}

// exec has the target say a statement.
func (m *moving) exec(statement string, args ...any) {
	m.t.Helper()
	db, err := sql.Open("pgx", m.database)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(m.t.Context(), statement, args...); err != nil {
		m.t.Fatal(err)
	}
}

// A server on SQLite whose backups are in a bucket moves to PostgreSQL: the backups stay where they are.
func TestADatabaseWhoseBackupsAreInABucketIsMovedAndTheyStayThere(t *testing.T) {
	t.Parallel()
	alone(t)
	for name, prepare := range map[string]func(*lab){
		"marked":                           func(*lab) {},
		"from before there were marks":     func(old *lab) { old.RemoveBlob("place") },
		"with an empty folder for backups": func(old *lab) { _ = os.Mkdir(filepath.Join(old.Data, "blobs"), 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := testbed.S3(t)
			old := open(t, append(quick(), testbed.Embedded(), testbed.Env("CAESAR_BLOBS", bucket))...)
			p := old.settled()
			old.Stop()
			before := old.Blobs()
			m := newMoving(t, old.Data)
			if name == "marked" {
				m.fails("to another bucket", m.run(nil), "there is no folder "+filepath.Join(m.folder, "blobs"), "or name the bucket that they are in by --to-blobs")
				m.blobs = ""
				m.fails("without the bucket", m.run(nil), "there is no folder "+filepath.Join(m.folder, "blobs"), "or name the bucket that they are in by --to-blobs")
			}
			prepare(old)
			m.blobs = bucket
			r := m.finish()
			for _, words := range []string{"The backups are in s3+http://", " already: 4, of 9.1 MiB. None was copied.", "CAESAR_DATABASE_FILE=… CAESAR_BLOBS_FILE=… "} {
				if !strings.Contains(r.said, words) {
					t.Errorf("%q is not said in\n%s", words, r.said)
				}
			}
			if again := m.finish(); !strings.Contains(again.said, "nothing was changed.\nThe backups are in s3+http://") {
				t.Errorf("run once more it says %s", again.said)
			}
			if now := old.Blobs(); len(now) != len(before) {
				t.Errorf("of %d backups there are %d", len(before), len(now))
			}
			m.served(t, captchaOff()...).athome(p)
		})
	}
}

// So it is where the place of backups was changed without moving them all.
func TestBackupsThatAreInTheFolderAndInTheBucketAreAllMovedToTheBucket(t *testing.T) {
	t.Parallel()
	alone(t)
	bucket := testbed.S3(t)
	old := open(t, append(quick(), testbed.Embedded(), testbed.Env("CAESAR_BLOBS", bucket))...)
	p := old.settled()
	old.Stop()
	stayed := old.Blobs()[2].Name
	content, folder := old.ReadBlob(stayed), filepath.Join(old.Data, "blobs")
	err := os.Mkdir(folder, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, stayed), content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	old.RemoveBlob(stayed)
	m := newMoving(t, old.Data)
	m.blobs = bucket
	if r := m.finish(); !strings.Contains(r.said, "Moved backups: 1, of ") || !strings.Contains(r.said, "are no longer in the data folder: 3.") {
		t.Errorf("it says %s%s", r.said, r.told)
	}
	m.served(t, captchaOff()...).athome(p)
}

func TestABackupThatIsMissingInABucketThatStaysIsToldAndTheMoveNotFinished(t *testing.T) {
	t.Parallel()
	alone(t)
	bucket := testbed.S3(t)
	old := open(t, append(quick(), testbed.Embedded(), testbed.Env("CAESAR_BLOBS", bucket))...)
	old.settled()
	old.Stop()
	m := newMoving(t, old.Data)
	m.blobs = bucket
	gone := old.Blobs()[1]
	old.RemoveBlob(gone.Name)
	m.fails("without one", m.run(nil), "cannot be read: no such blob", "backups could not be read, 1 of them")
	m.refused()
	if r := m.finish("--despite-missing"); !strings.Contains(r.said, " already: 3, of ") || !strings.Contains(r.said, "left out: 1.") {
		t.Errorf("it says %s", r.said)
	}
}

// copyTo copies the folder, for its owner alone.
func (m *moving) copyTo(folder string) {
	m.t.Helper()
	err := os.CopyFS(folder, os.DirFS(m.folder))
	if err == nil {
		err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return os.Chmod(path, 0o600)
		})
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// What was served since its copy was made is not in the target: that is not to pass for moved.
func TestACopyOfAFolderFromBeforeTheEndOfItsMoveIsNotTakenForMoved(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(quick(), testbed.Embedded())...)
	old.person()
	old.Stop()
	m := newMoving(t, old.Data)
	movetest.Fill(t, m.folder, movetest.Folder{People: 20, Items: 20, Versions: 3})
	lost, err := filepath.Glob(filepath.Join(m.folder, "blobs", "*.age"))
	if err != nil || len(lost) != 3 {
		t.Fatalf("there are the backups %q: %v", lost, err)
	}
	if err := os.Rename(lost[0], lost[0]+".away"); err != nil {
		t.Fatal(err)
	}
	m.fails("without a backup", m.run(nil), "backups could not be read, 1 of them")
	if err := os.Rename(lost[0]+".away", lost[0]); err != nil {
		t.Fatal(err)
	}
	copied := *m
	copied.folder = t.TempDir()
	m.copyTo(copied.folder)
	m.finish()
	served := open(t, append(quick(), testbed.Embedded(), testbed.Folder(copied.folder))...)
	served.person()
	served.Stop()
	copied.fails("with the copy", copied.run(nil), movetest.Database(copied.folder)+" is a copy from before the end of the move", "its rows were not compared")
	open(t, append(quick(), testbed.Embedded(), testbed.Folder(copied.folder))...).Stop() // it is not marked as moved
	m.finish()
	m.compare()
}
