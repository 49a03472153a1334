package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caesar/internal/settings"
	"caesar/internal/sqlstore/sqlmove"
	"caesar/internal/testbed"
)

// moves runs caesar move for a data folder, and returns its answer and what it says.
func moves(t *testing.T, folder string, args ...string) (answer int, said string) {
	t.Helper()
	var out bytes.Buffer
	p := &program{stdout: &out, stderr: &out}
	answer = p.Run(t.Context(), append([]string{"move", "--from-data", folder}, args...))
	return answer, out.String()
}

// moved moves a server to a fresh PostgreSQL database, which is served once; its backups stay where they are, in
// the folder or in a bucket.
func (c *caller) moved(bucket string) (served []testbed.Option) {
	c.t.Helper()
	c.Stop()
	url := testbed.Postgres(c.t)
	args, served := []string{"--to-database", url}, []testbed.Option{testbed.Folder(c.Data), testbed.Env("CAESAR_DATABASE", url)}
	if bucket != "" {
		args, served = append(args, "--to-blobs", bucket), append(served, testbed.Env("CAESAR_BLOBS", bucket))
	}
	if answer, said := moves(c.t, c.Data, args...); answer != done {
		c.t.Fatalf("move answers %d, and says\n%s", answer, said)
	}
	testbed.Start(c.t, served...).Stop()
	return served
}

// undone undoes the move, and checks that one place is said to have been given back, the one that begins so.
func (c *caller) undone(place string, args ...string) {
	c.t.Helper()
	answer, said := moves(c.t, c.Data, append(args, "--undo")...)
	if answer != done || strings.Count(said, "The backups in "+place) != 1 || strings.Count(said, " are its again.") != 1 {
		c.t.Fatalf("undo answers %d, and says\n%s", answer, said)
	}
}

func TestTheDatabaseThatAMoveWasUndoneFromDoesNotTakeTheFolderBack(t *testing.T) {
	t.Parallel()
	c := enter(t, testbed.Embedded())
	c.done(c.upload("first"))
	target := c.moved("")
	c.undone(filepath.Join(c.Data, "blobs"))
	c.Restart()
	c.done(c.upload("dear diary"))
	c.Stop()
	before := c.Blobs()
	refusesBlobs(t, target...)
	c.keeps(before)
}

func TestABucketIsGivenBackAndNoEarlierTargetTakesTheBackupsOfALaterOne(t *testing.T) {
	t.Parallel()
	url := testbed.S3(t)
	c := enter(t, testbed.Env("CAESAR_BLOBS", url))
	c.done(c.upload("first"))
	first := c.moved(url)
	// Its bucket has to be named, or it could not be served with it any more.
	if answer, said := moves(t, c.Data, "--undo"); answer != failed || !strings.Contains(said, "the database knows of backups, and "+filepath.Join(c.Data, "blobs")+" holds none") {
		t.Errorf("without its bucket undo answers %d, and says\n%s", answer, said)
	}
	other := newLab(t, testbed.S3(t))
	other.own()
	if answer, said := moves(t, c.Data, "--undo", "--to-blobs", other.s.Blobs.Reveal()); answer != failed || !strings.Contains(said, "are those of another database, and nothing was undone") {
		t.Errorf("with another's bucket undo answers %d, and says\n%s", answer, said)
	}
	c.undone("s3+http://", "--to-blobs", url)
	c.Restart()
	c.done(c.upload("dear diary"))
	before := c.Blobs()
	c.Stop()
	refusesBlobs(t, first...)
	c.keeps(before)
	second := c.moved(url)
	refusesBlobs(t, first...)
	testbed.Start(t, second...).Stop()
}

func TestAnUndoThatWasKilledLeavesNeitherDatabaseServedAndIsRunAgain(t *testing.T) {
	t.Parallel()
	c := enter(t, testbed.Embedded())
	c.done(c.upload("dear diary"))
	target := c.moved("")
	before := c.Blobs()
	killed := errors.New("killed")
	_, err := sqlmove.Undo(t.Context(), filepath.Join(c.Data, "caesar.db"), func(drawn, next []byte) error {
		back, err := giveBackBlobs(t.Context(), &settings.Settings{Data: c.Data}, drawn, next)
		if err != nil || len(back) != 1 {
			t.Errorf("what is given back is %q: %v", back, err)
		}
		return killed
	})
	if !errors.Is(err, killed) {
		t.Fatal(err)
	}
	mark := string(c.ReadBlob("place"))
	if answer, said := testbed.Refuse(t, testbed.Embedded(), testbed.Folder(c.Data)); answer == 0 || !strings.Contains(said, "caesar move --undo") {
		t.Errorf("serve answers %d, and says\n%s", answer, said)
	}
	refusesBlobs(t, target...)
	c.undone(filepath.Join(c.Data, "blobs"))
	if now := string(c.ReadBlob("place")); now != mark {
		t.Errorf("the mark %q is %q now", mark, now)
	}
	c.keeps(before)
}

func TestAFolderThatIsNotThereIsNotUndone(t *testing.T) {
	t.Parallel()
	c := enter(t, testbed.Embedded())
	c.done(c.upload("dear diary"))
	c.moved("")
	folder, aside := filepath.Join(c.Data, "blobs"), filepath.Join(c.Data, "aside")
	if err := os.Rename(folder, aside); err != nil {
		t.Fatal(err)
	}
	for _, mounted := range []bool{false, true} {
		if mounted { // on nothing
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if answer, said := moves(t, c.Data, "--undo"); answer != failed || !strings.Contains(said, "the database knows of backups, and "+folder+" holds none") {
			t.Errorf("undo answers %d, and says\n%s", answer, said)
		}
	}
	if err := errors.Join(os.Remove(folder), os.Rename(aside, folder)); err != nil {
		t.Fatal(err)
	}
	c.undone(folder)
	c.keeps(c.Blobs())
}
