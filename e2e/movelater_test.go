package e2e_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/blob"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// The rows are moved, and the backups stay; the server goes on with both for a while, and then the backups are
// to go to a bucket. The move is killed meanwhile, and run again.
func TestBackupsThatStayedAreMovedLater(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(quick(), testbed.Embedded())...)
	p := old.settled()
	old.Stop()
	m := newMoving(t, old.Data)
	bucket := m.blobs
	m.blobs = ""
	movetest.Fill(t, m.folder, movetest.Folder{People: 50, Items: 50, Versions: 300, Large: 4, LargeBytes: 17 << 20})
	m.finish()
	stay := "The backups stay in " + filepath.Join(m.folder, "blobs")
	if again := m.finish(); !strings.Contains(again.said, "nothing is left to be moved, and nothing was changed.\n"+stay) || again.told != "" {
		t.Errorf("run once more it says %s%s", again.said, again.told)
	}

	now := open(t, append(quick(), testbed.Folder(m.folder), testbed.Env("CAESAR_DATABASE", m.database))...)
	now.changesBackups(p)
	m.blobs = bucket
	m.fails("while the server runs", m.run(nil), "the server must be stopped while its data are moved")
	now.Stop()

	bucketOf := &replicas{places: m.places, t: t}
	killed := m.run(func(r running) {
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if whole, _ := bucketOf.objects(); len(whole) > 0 {
				break
			}
		}
		_ = r.Kill()
	})
	if killed.answer != -1 {
		t.Fatalf("it answers %d before it is killed:\n%s%s", killed.answer, killed.said, killed.told)
	}
	whole := append(m.options(), testbed.Folder(m.folder))
	if answer, said := testbed.Refuse(t, whole...); answer != 1 || !strings.Contains(said, "the backups have not all been brought to s3+http://") || !strings.Contains(said, "run caesar move again") {
		t.Errorf("serve answers %d amid it, and says %s", answer, said)
	}
	r := m.finish()
	for _, words := range []string{"All rows were moved before; now the backups were.\nMoved backups: 304, of ", "CAESAR_BLOBS_FILE=… "} {
		if !strings.Contains(r.said, words) {
			t.Errorf("%q is not said in\n%s", words, r.said)
		}
	}
	if strings.Contains(r.told, "rows") {
		t.Errorf("it tells of rows:\n%s", r.told)
	}
	m.sameBlobs()

	again := m.finish()
	if !strings.Contains(again.said, "nothing was changed.\nThe backups are in s3+http://") || again.told != "" {
		t.Errorf("run once more it says %s%s", again.said, again.told)
	}
	m.blobs = testbed.S3(t)
	m.fails("to another bucket", m.run(nil), "the backups were moved to s3+http://", " before, and nothing was changed")
	m.blobs = bucket
	m.served(t, captchaOff()...).athome(p)
}

// changesBackups has somebody add a backup, and delete one.
func (l *lab) changesBackups(p *resident) {
	l.t.Helper()
	member := l.client(client.WithToken(p.token)).Member()
	added, err := member.Upload(l.t.Context(), "since.tar", bytes.NewReader([]byte("since")))
	if err != nil {
		l.t.Fatal(err)
	}
	p.files["since.tar"] = added.SHA256
	backups, err := member.Versions(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, v := range backups.Files {
		if v.Name == "备份 1.tar" {
			delete(p.files, v.Name)
			if err := member.DeleteVersion(l.t.Context(), v.ID); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	if len(p.files) != 4 {
		l.t.Errorf("%s has the backups %v", p.UserName, p.files)
	}
	p.sight = l.sight(p.person)
}

func TestBackupsAreNotMovedLaterToABucketOfSomebodyElse(t *testing.T) {
	t.Parallel()
	alone(t)
	m := newMoving(t, t.TempDir())
	movetest.Fill(t, m.folder, movetest.Folder{People: 20, Items: 20, Versions: 3})
	bucket := m.blobs
	m.blobs = ""
	m.finish()
	m.blobs = bucket
	store, err := blob.OpenS3(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	const foreign = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	if err := store.Import(t.Context(), foreign, 1, bytes.NewReader([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	m.fails("with a backup of another server", m.run(nil), "there are backups of somebody else in s3+http://", foreign, "Nothing was written")
	if err := store.Delete(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	if err := store.SetMark(t.Context(), "", "another's"); err != nil {
		t.Fatal(err)
	}
	m.fails("in the place of another server", m.run(nil), "is where another database keeps its backups", "Nothing was written")
	if whole, _ := (&replicas{places: m.places, t: t}).objects(); len(whole) != 0 {
		t.Errorf("%d backups were moved", len(whole))
	}
	if again := func() ran { m.blobs = ""; return m.finish() }(); !strings.Contains(again.said, "The backups stay in ") {
		t.Errorf("run once more it says %s", again.said)
	}
}

// What is written to the old database is not moved any more: its server does not start by mistake, and does
// where that is meant.
func TestADatabaseThatWasMovedIsNotServedUntilThatIsUndone(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(quick(), testbed.Embedded())...)
	p := old.settled()
	old.Stop()
	m := newMoving(t, old.Data)
	m.blobs = ""
	movetest.Fill(t, m.folder, movetest.Folder{People: 20, Items: 20, Versions: 3})
	m.finish()
	embedded := append(quick(), testbed.Embedded(), testbed.Folder(m.folder))
	moved := func() {
		t.Helper()
		answer, said := testbed.Refuse(t, embedded...)
		_, at, _ := strings.Cut(m.database, "@")
		at, _, _ = strings.Cut(at, "?")
		for _, words := range []string{"this database was moved to postgres://" + at, "CAESAR_DATABASE", "caesar move --undo"} {
			if answer != 1 || !strings.Contains(said, words) || strings.Contains(said, secretOf(m.database)) {
				t.Errorf("serve answers %d, and %q is not said in %s", answer, words, said)
			}
		}
	}
	moved()
	now := open(t, append(quick(), testbed.Folder(m.folder), testbed.Env("CAESAR_DATABASE", m.database))...)
	now.athome(p)
	m.fails("while the new server runs", m.run(nil, "--undo"), "the server must be stopped")
	now.Stop()
	moved()

	elsewhere := *m
	elsewhere.database = testbed.Postgres(t)
	elsewhere.fails("to another database", elsewhere.run(nil), "this database was moved to postgres://", "caesar move --undo")
	undo := &moving{t: t, folder: m.folder} // where to it was moved need not be said
	if r := undo.finish("--undo"); !strings.Contains(r.said, filepath.Join(m.folder, "caesar.db")+" can be served again.") {
		t.Errorf("it says %s", r.said)
	}
	undo.fails("once more", undo.run(nil, "--undo"), "was not moved: there is nothing to undo")

	back := open(t, slices.Clip(embedded)...)
	back.athome(p)
	p.Client = back.client(client.WithToken(p.token))
	p.items[back.keep(p.person, "since")] = client.Secret{Name: "name on since", Password: "s3kr1t"}
	p.sight = back.sight(p.person)
	back.Stop()
	m.fails("to the same database", m.run(nil), "the target database holds something already")
	elsewhere.blobs = testbed.S3(t)
	elsewhere.finish()
	elsewhere.compare()
	elsewhere.served(t, captchaOff()...).athome(p)
}
