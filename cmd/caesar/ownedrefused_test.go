package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/testbed"
)

// refusesGone checks that the program does not start where the backups are not, marks nothing, and says what to
// write where they are lost.
func refusesGone(t *testing.T, folder string, options ...testbed.Option) (lost string) {
	t.Helper()
	answer, said := testbed.Refuse(t, append(options, testbed.Folder(folder))...)
	_, lost, found := strings.Cut(said, "that is called place and holds the text: ")
	if answer == 0 || !found || !strings.Contains(said, "the database knows of backups, and "+filepath.Join(folder, "blobs")+" holds none") {
		t.Errorf("the answer is %d, and it says\n%s", answer, said)
	}
	if _, err := os.Stat(filepath.Join(folder, "blobs", "place")); err == nil {
		t.Error("the place is marked")
	}
	return lost
}

func TestAnEmptyPlaceIsNotTakenWhereTheDatabaseKnowsOfBackups(t *testing.T) {
	t.Parallel()
	onBucket := enter(t, testbed.Env("CAESAR_BLOBS", testbed.S3(t)))
	onBucket.done(onBucket.upload("dear diary"))
	onBucket.Stop()
	refusesGone(t, onBucket.Data, testbed.Embedded()) // CAESAR_BLOBS was forgotten
	onBucket.keeps(onBucket.Blobs())

	c := enter(t, testbed.Embedded())
	c.done(c.upload("dear diary"))
	c.Stop()
	folder := filepath.Join(c.Data, "blobs")
	if err := os.Rename(folder, filepath.Join(c.Data, "aside")); err != nil {
		t.Fatal(err)
	}
	lost := refusesGone(t, c.Data, testbed.Embedded())
	if err := os.WriteFile(filepath.Join(folder, "place"), []byte(lost), 0o600); err != nil { // as an editor does, with a line break
		t.Fatal(err)
	}
	c.Restart()
	c.done(c.upload("dear diary"))
	c.keeps(c.Blobs())
}

// looked is a place of which it is counted how often somebody looks whose it is.
type looked struct {
	marked

	times int
	full  error // what marking it ends with
}

func (l *looked) Mark(ctx context.Context) (mark string, holds bool, err error) {
	l.times++
	return l.marked.Mark(ctx)
}

func (l *looked) SetMark(ctx context.Context, was, mark string) error {
	if l.full != nil {
		return l.full
	}
	return l.marked.SetMark(ctx, was, mark)
}

func TestAPlaceThatIsAnothersIsAwayForPeopleAndLookedAtOnceAMinute(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	o := l.own()
	name := l.stray(o)
	place, now := &looked{marked: o.marked}, time.Now()
	o.marked, o.now = place, func() time.Time { return now }
	if err := o.SetMark(t.Context(), o.mark, "another's"); err != nil {
		t.Fatal(err)
	}
	o.settled.Store(false)
	refuses := func(times int) {
		t.Helper()
		for range 3 {
			_, err := o.Create(t.Context())
			for what, err := range map[string]error{"Create": err, "Delete": o.Delete(t.Context(), name)} {
				f, ok := errors.AsType[*fault.Error](err)
				if !ok || f.Kind != fault.Unavailable || !f.Message.Is(phrase.BlobsAway) || f.RetryAfter != time.Minute || !errors.Is(err, errOther) {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		if place.times != times {
			t.Errorf("it was looked %d times, want %d", place.times, times)
		}
	}
	refuses(1)
	now = now.Add(59 * time.Second)
	refuses(1)
	now = now.Add(time.Second)
	refuses(2)
	if err := o.SetMark(t.Context(), "another's", o.mark); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if err := o.Delete(t.Context(), name); err != nil {
		t.Errorf("its own again: %v", err)
	}
}

func TestAPlaceWithoutRoomForAMarkKeepsNobodyFromStartingNorFromDeleting(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", testbed.S3(t)} {
		l := newLab(t, url)
		place := &looked{marked: l.place.marked, full: fault.New(fault.Full, "full", phrase.StorageFull)}
		l.place.marked = place
		o := l.own()
		if _, err := o.Create(t.Context()); !isKind(err, fault.Full) {
			t.Errorf("Create: %v", err)
		}
		if err := o.Delete(t.Context(), "aaaaaaaaaaaaaaaaaaaaaaaaaa"); err != nil {
			t.Errorf("Delete: %v", err)
		}
		place.full = nil
		l.stray(o)
		if mark, _, err := o.Mark(t.Context()); mark != o.mark || err != nil {
			t.Errorf("once there is room the mark is %q: %v", mark, err)
		}
	}
}
