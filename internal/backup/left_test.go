package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/phrase"
)

func TestErasingTakesAllOfOnePerson(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Keep = 300 })
	ada, bob := l.person("ada"), l.person("bob")
	for range 120 { // more than go in one transaction
		if _, err := s.Upload(t.Context(), ada, "x", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	kept := l.upload(bob, "y", []byte("y"))
	l.must(l.EraseAll(t.Context(), ada.UserID))
	l.must(l.EraseAll(t.Context(), ada.UserID))
	if names, files := l.names(ada), l.files(); len(names) != 0 || joined(files) != kept.Blob+".age" {
		t.Errorf("there are versions %v and files %v", names, files)
	}
}

func TestOneWhoIsGoneGetsNoVersion(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	body := io.MultiReader(bytes.NewReader(noise(200_000)), &calling{func() {
		if _, err := l.store.Erase(t.Context(), ada.UserID, true, []byte("letter"), noon); err != nil {
			t.Error(err)
		}
	}})
	_, err := l.Upload(t.Context(), ada, "x", body)
	l.refused(err, fault.Unauthenticated)
	if files := l.files(); len(files) != 0 {
		t.Errorf("what is left: %v", files)
	}
}

func TestAnUploadThatOutlivesItsSessionKeepsNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	other := l.enter(ada.UserID)
	before := l.upload(ada, "before", []byte("before"))
	body := io.MultiReader(bytes.NewReader(noise(200_000)), &calling{func() {
		if ended, err := l.store.EndSession(t.Context(), ada.UserID, ada.SessionID); err != nil || !ended {
			t.Error(ended, err)
		}
	}})
	_, err := l.Upload(t.Context(), ada, "x", body)
	l.refused(err, fault.Unauthenticated)
	if names, files := l.names(other), l.files(); joined(names) != "before" || joined(files) != before.Blob+".age" {
		t.Errorf("there are versions %v and files %v", names, files)
	}
	l.upload(other, "x", []byte("x")) // another session of the same person goes on
}

func TestASweepTakesWhatNoRowNames(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	kept := l.upload(ada, "x", []byte("x"))
	w, err := l.blobs.Create(t.Context())
	l.must(err)
	_, err = w.Commit(t.Context())
	l.must(err)
	l.must(l.Sweep(t.Context()))
	if n := len(l.files()); n != 2 {
		t.Errorf("a blob that is held was taken: %v", l.files())
	}
	if said := l.log.String(); said != "" {
		t.Errorf("the log tells of nothing: %s", said)
	}
	l.must(w.Close())
	l.must(l.Sweep(t.Context()))
	if files := l.files(); joined(files) != kept.Blob+".age" {
		t.Errorf("what is left: %v", files)
	}
	if said := l.log.String(); !strings.Contains(said, "were swept") || !strings.Contains(said, "blobs=1") {
		t.Errorf("the log does not tell how many were taken: %s", said)
	}
}

func TestSweepsDuringUploadsLoseNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Keep = 100 })
	ada := l.person("ada")
	over, swept := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swept)
		for {
			select {
			case <-over:
				return
			default:
			}
			if err := l.Sweep(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if _, err := s.Upload(t.Context(), ada, "x", bytes.NewReader(noise(5000))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(over)
	<-swept
	listing, err := s.List(t.Context(), ada)
	l.must(err)
	if len(listing.Versions) != 40 {
		t.Errorf("there are %d versions", len(listing.Versions))
	}
	for _, v := range listing.Versions {
		if !bytes.Equal(l.download(ada, v.ID), noise(5000)) {
			t.Errorf("version %d is another", v.ID)
		}
	}
}

// stuck is a store whose rows can't be written.
type stuck struct {
	backup.Store
	err error
}

func (s stuck) AddVersion(context.Context, int64, int64, backup.Retention, func(int64) backup.Version) (backup.Version, []string, error) {
	return backup.Version{}, nil, s.err
}

func TestARowThatCannotBeWrittenLeavesNoBlob(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	full := fault.New(fault.Full, "full", phrase.StorageFull)
	s := l.service(func(c *backup.Config) { c.Store = stuck{l.store, full} })
	_, err := s.Upload(t.Context(), l.person("ada"), "x", strings.NewReader("content"))
	l.refused(err, fault.Full)
	if files := l.files(); len(files) != 0 {
		t.Errorf("what is left: %v", files)
	}
}

// unsure is a store that fails after it has written a row, as where the connection to it breaks.
type unsure struct{ backup.Store }

func (s unsure) AddVersion(ctx context.Context, userID, sessionID int64, r backup.Retention, seal func(int64) backup.Version) (backup.Version, []string, error) {
	_, _, err := s.Store.AddVersion(ctx, userID, sessionID, r, seal)
	return backup.Version{}, nil, errors.Join(err, errors.New("the connection broke"))
}

func TestABlobThatARowNamesAfterAllIsNotDeleted(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Store = unsure{l.store} })
	ada := l.person("ada")
	if _, err := s.Upload(t.Context(), ada, "x", strings.NewReader("content")); err == nil {
		t.Error("the failure was lost")
	}
	if got := string(l.download(ada, 0)); got != "content" {
		t.Errorf("what is read is %q", got)
	}
}

func TestABlobThatIsLostIsNoAnswerAndNoAbsence(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	v := l.upload(ada, "x", []byte("x"))
	l.must(l.blobs.Delete(t.Context(), v.Blob))
	_, err := l.Open(t.Context(), ada, 0)
	if !errors.Is(err, backup.ErrNoBlob) || kindOf(err) != 0 {
		t.Errorf("the error is %v", err)
	}
}

// late is a store whose answer to a COMMIT is lost, and which commits after the caller was told so.
type late struct {
	backup.Store
	commit func()
}

// AddVersion implements backup.Store.
func (s *late) AddVersion(ctx context.Context, userID, sessionID int64, r backup.Retention, seal func(int64) backup.Version) (backup.Version, []string, error) {
	s.commit = func() { _, _, _ = s.Store.AddVersion(ctx, userID, sessionID, r, seal) }
	return backup.Version{}, nil, fault.New(fault.Unavailable, "unavailable", phrase.DatabaseBusy).Because(fault.ErrUnsettled)
}

func TestABlobWhoseRowMayStillComeIsKept(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	store := &late{Store: l.store}
	s := l.service(func(c *backup.Config) { c.Store = store })
	_, err := s.Upload(t.Context(), ada, "x", strings.NewReader("still here"))
	l.refused(err, fault.Unavailable)
	l.must(s.Sweep(t.Context()))
	store.commit()
	c, err := l.Open(t.Context(), ada, 0)
	l.must(err)
	defer c.Close()
	if text, err := io.ReadAll(c); err != nil || string(text) != "still here" {
		t.Errorf("it holds %q, %v", text, err)
	}
}
