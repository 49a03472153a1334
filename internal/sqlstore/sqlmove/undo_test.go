package sqlmove_test

import (
	"bytes"
	"errors"
	"testing"

	"caesar/internal/sqlstore/sqlmove"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

var errKilled = errors.New("killed")

// undo undoes a move, and returns what the place of blobs was recognised by and is to be.
func undo(t *testing.T, folder string, giveBack error) (was, next []byte) {
	t.Helper()
	_, err := sqlmove.Undo(t.Context(), movetest.Database(folder), func(blobsMark, then []byte) error {
		was, next = blobsMark, then
		return giveBack
	})
	if !errors.Is(err, giveBack) {
		t.Fatal(err)
	}
	return was, next
}

func TestAnUndoneSourceGetsAMarkOfBlobsThatTheTargetDoesNotKnow(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	finish(t, m)
	mark := m.BlobsMark()
	_ = m.Close()
	was, next := undo(t, folder, errKilled)
	if !bytes.Equal(was, mark) || len(next) != 16 || bytes.Equal(next, mark) {
		t.Errorf("the mark %x is %x, and is to be %x", mark, was, next)
	}
	if movedTo(t, folder) == "" {
		t.Error("the source can be served before its blobs are its again")
	}
	if was, again := undo(t, folder, nil); !bytes.Equal(was, mark) || !bytes.Equal(again, next) {
		t.Errorf("run again, the mark is %x and is to be %x; it was to be %x", was, again, next)
	}
	there := testbed.Postgres(t)
	m = begin(t, folder, there)
	if now := m.BlobsMark(); !bytes.Equal(now, next) {
		t.Errorf("the mark is %x, and was to be %x", now, next)
	}
	finish(t, m)
	for url, want := range map[string][]byte{url: mark, there: next} {
		if has := ask[[]byte](t, url, "SELECT value FROM facts WHERE name = 'blobs'"); !bytes.Equal(has, want) {
			t.Errorf("a target has the mark %x, want %x", has, want)
		}
	}
}

func TestWhatAnUndoThatWasKilledNotedIsNotMoved(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	if err := m.MarkSource(t.Context()); err != nil { // and there it broke off
		t.Fatal(err)
	}
	_ = m.Close()
	undo(t, folder, errKilled)
	finish(t, begin(t, folder, url))
	if there := ask[int](t, url, "SELECT count(*) FROM facts WHERE name = 'blobs next'"); there != 0 {
		t.Error("the target has what the undoing noted")
	}
	movetest.Compare(t, folder, url)
}
