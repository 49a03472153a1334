package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"caesar/internal/blob"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// The database and the store of the target go away while a move writes to them, and the move is interrupted:
// each time it says that it is to be run again, and then goes on.
func TestAMoveGoesOnAfterWhatItWritesToWasAway(t *testing.T) {
	t.Parallel()
	alone(t)
	postgres, s3 := testbed.StartPostgres(t), testbed.StartS3(t)
	m := &moving{places{postgres.URL(), s3.URL()}, t, t.TempDir(), nil}
	movetest.Fill(t, m.folder, movetest.Folder{People: 200, Items: 4000, Versions: 400, Large: 1, LargeBytes: 20 << 20})
	const again = "; what was copied is there, and it goes on from there when it is run again"

	r := m.run(func(running) {
		m.await("SELECT EXISTS (SELECT 1 FROM item_log)")
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	m.fails("without its database", r, "caesar: the move broke off"+again)
	m.fails("while its database is away", m.run(nil), "caesar: the move could not begin, and has moved nothing: ", "connection refused")
	if err := postgres.Start(); err != nil {
		t.Fatal(err)
	}

	r = m.run(func(p running) {
		m.await("SELECT EXISTS (SELECT 1 FROM items)")
		if err := p.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
	})
	m.fails("interrupted", r, "caesar: the move was stopped"+again)

	r = m.run(func(p running) {
		for deadline := time.Now().Add(time.Minute); !regexp.MustCompile(`checking rows: \d+ in `).MatchString(p.String()); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("it does not come to the backups")
				break
			}
		}
		if err := s3.Stop(); err != nil {
			t.Error(err)
		}
	})
	m.fails("without its store", r, "caesar: the move broke off"+again)
	m.fails("while its store is away", m.run(nil), "caesar: the move could not begin, and has moved nothing: ", "connection refused")
	m.refused()
	if err := s3.Start(); err != nil {
		t.Fatal(err)
	}
	if r := m.finish(); !strings.Contains(r.told, "going on with the move that was begun: ") {
		t.Errorf("it does not go on where it was:\n%s", r.told)
	}
	m.compare()
}

func TestAPlaceThatHoldsSomethingElseIsNotMovedTo(t *testing.T) {
	t.Parallel()
	alone(t)
	m := newMoving(t, t.TempDir())
	movetest.Fill(t, m.folder, movetest.Folder{People: 20, Items: 20, Versions: 3})
	untouched := func(what string) {
		t.Helper()
		if tables := query[int64](&replicas{places: m.places, t: t}, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); tables != 0 {
			t.Errorf("%s: %d tables are made in the database", what, tables)
		}
	}
	store, err := blob.OpenS3(t.Context(), m.blobs)
	if err != nil {
		t.Fatal(err)
	}
	const foreign = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	if err := store.Import(t.Context(), foreign, 1, bytes.NewReader([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	m.fails("with a backup of another server", m.run(nil), "there are backups of somebody else in s3+http://", foreign, "Nothing was written")
	untouched("with a backup of another server")
	if err := store.Delete(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(m.folder, "away")
	if err := os.Rename(filepath.Join(m.folder, "blobs"), away); err != nil {
		t.Fatal(err)
	}
	m.fails("without its folder of backups", m.run(nil), "there is no folder "+filepath.Join(m.folder, "blobs"), "mount it")
	untouched("without its folder of backups")
	if err := os.Rename(away, filepath.Join(m.folder, "blobs")); err != nil {
		t.Fatal(err)
	}

	other := newMoving(t, t.TempDir())
	movetest.Fill(t, other.folder, movetest.Folder{People: 20, Items: 20, Versions: 3})
	other.finish()
	m.database, other.database = other.database, m.database
	m.fails("with another folder in the database", m.run(nil), "the target database holds something already, in its table ", "Nothing was written")
	if whole, _ := (&replicas{places: m.places, t: t}).objects(); len(whole) != 0 {
		t.Errorf("%d backups were moved", len(whole))
	}
	m.database, other.database = other.database, m.database
	other.compare()
	m.finish()
	m.compare()
}

// The URLs come from files, too, and from the command line.
func TestAMoveIsToldWhereToInEveryWay(t *testing.T) {
	t.Parallel()
	alone(t)
	m := newMoving(t, t.TempDir())
	movetest.Fill(t, m.folder, movetest.Folder{People: 20, Items: 20, Versions: 3})
	to := m.places
	file := filepath.Join(t.TempDir(), "database")
	if err := os.WriteFile(file, []byte(to.database+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "caesar.env")
	if err := os.WriteFile(config, []byte("CAESAR_BLOBS="+to.blobs+"\nCAESAR_DATABASE=postgres://nowhere.invalid/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.places = places{}
	m.finish("--to-database-file", file, "--config", config)
	m.places = to
	m.compare()
}
