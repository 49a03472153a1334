// Package blobtest holds every implementation of backup.Blobs to what that interface promises: what is
// there when, what many at once may do, and what a sweep takes.
//
// It knows an implementation by the interface alone.
package blobtest

import (
	"context"
	"testing"

	"caesar/internal/backup"
)

// Place is an empty store of blobs.
type Place struct {
	// Blobs and Other are two views of it, as two processes have them.
	Blobs, Other backup.Blobs
	// Age makes all that is there so old that a sweep no longer spares it, in either view; nil where a
	// sweep tells whether a writer lives, and spares nothing else.
	Age func()
	// Gone says that what was not read yet of a blob is lost once it is deleted.
	Gone bool
}

// Run runs the suite over the places that open returns.
func Run(t *testing.T, open func(t *testing.T) Place) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*fixture)
	}{
		{"what was committed can be read", whatWasCommittedCanBeRead},
		{"an empty blob is one", anEmptyBlobIsOne},
		{"a blob is read by many at once", aBlobIsReadByManyAtOnce},
		{"many write at once and get their own", manyWriteAtOnce},
		{"names do not repeat", namesDoNotRepeat},
		{"what is absent says so", whatIsAbsentSaysSo},
		{"names of other making are absent and harmless", strangeNamesAreAbsent},
		{"what was closed without a commit is gone", whatWasNotCommittedIsGone},
		{"closing twice does nothing", closingTwiceDoesNothing},
		{"nothing is done for one who gave up", nothingIsDoneForOneWhoGaveUp},
		{"a deleted blob is gone and can be deleted again", deletingCanBeRepeated},
		{"a deleted blob that is open can be read on, or is an error", aDeletedBlobIsReadOnOrAnError},
		{"a sweep takes what nobody uses", aSweepTakesWhatNobodyUses},
		{"a sweep spares what is being written", aSweepSparesWhatIsBeingWritten},
		{"a sweep spares what is committed and not yet let go of", aSweepSparesWhatIsHeld},
		{"a sweep goes on past what fails", aSweepGoesOn},
		{"sweeps and writers at once lose nothing", sweepsAndWritersAtOnce},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			place := open(t)
			c.run(&fixture{T: t, Blobs: place.Blobs, other: place.Other, place: place})
		})
	}
}

// fixture is one test's blobs.
type fixture struct {
	*testing.T
	backup.Blobs

	other backup.Blobs
	place Place
}

// age makes all that is there old.
func (f *fixture) age() {
	if f.place.Age != nil {
		f.place.Age()
	}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// nobody uses any blob.
func nobody(context.Context, string) (bool, error) { return false, nil }

// begin writes a blob that is not committed.
func (f *fixture) begin(content []byte) backup.BlobWriter {
	f.Helper()
	w, err := f.Create(f.Context())
	f.must(err)
	f.Cleanup(func() { _ = w.Close() })
	_, err = w.Write(content)
	f.must(err)
	return w
}

// commit ends a blob without letting go of it.
func (f *fixture) commit(w backup.BlobWriter) (name string) {
	f.Helper()
	name, err := w.Commit(f.Context())
	f.must(err)
	return name
}

// put makes a blob.
func (f *fixture) put(content []byte) (name string) {
	f.Helper()
	w := f.begin(content)
	name = f.commit(w)
	f.must(w.Close())
	return name
}

// get reads a blob whole.
func (f *fixture) get(name string) string {
	f.Helper()
	b, err := f.Open(f.Context(), name)
	f.must(err)
	defer b.Close()
	return f.read(b)
}

func (f *fixture) read(b backup.Blob) string {
	f.Helper()
	content := make([]byte, b.Size())
	n, err := b.ReadAt(content, 0)
	if n != len(content) {
		f.Fatalf("read %d bytes of %d: %v", n, len(content), err)
	}
	return string(content)
}

func (f *fixture) equal(got, want string) {
	f.Helper()
	if got != want {
		f.Fatalf("got %.40q (%d bytes), want %.40q (%d bytes)", got, len(got), want, len(want))
	}
}

// absent fails where a name can be opened, in either view.
func (f *fixture) absent(name string) {
	f.Helper()
	for _, blobs := range []backup.Blobs{f.Blobs, f.other} {
		b, err := blobs.Open(f.Context(), name)
		if err == nil {
			b.Close()
		}
		isAbsent(f, err)
	}
}
