package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/session"
)

// stalled begins uploads that stand still after n bytes, and returns when all do; let ends them and
// returns what they came to.
func (l *lab) stalled(s *backup.Service, who session.Asker, count, n int) (let func() []error) {
	l.Helper()
	still, held, done := make(chan struct{}), make(chan struct{}), make(chan error)
	for range count {
		body := io.MultiReader(bytes.NewReader(noise(n)), &calling{func() { still <- struct{}{}; <-held }})
		go func() {
			_, err := s.Upload(l.Context(), who, "held", body)
			done <- err
		}()
	}
	for range count {
		select {
		case <-still:
		case err := <-done:
			l.Fatalf("an upload ended before it stood still: %v", err)
		}
	}
	return func() []error {
		close(held)
		var errs []error
		for range count {
			errs = append(errs, <-done)
		}
		return errs
	}
}

// waits checks for a fault that says to try again in ten seconds.
func (l *lab) waits(err error, kind fault.Kind, slug string) {
	l.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind || f.Slug != slug || f.RetryAfter != 10*time.Second {
		l.Fatalf("the error is %v", err)
	}
}

func TestOnePersonHasTwelveUploadsUnderWayAtMost(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada, bob := l.person("ada"), l.person("bob")
	let := l.stalled(l.Service, ada, 12, 1)
	_, err := l.Upload(t.Context(), l.enter(ada.UserID), "x", newStream(1))
	l.waits(err, fault.TooMany, "too_many")
	if files := l.files(); len(files) != 12 {
		t.Errorf("for the one that was refused there is a file: %v", files)
	}
	l.upload(bob, "x", noise(1)) // another is none of it
	for _, err := range let() {
		l.must(err)
	}
	l.upload(ada, "x", noise(1))
}

func TestThereAreSixtyFourUploadsUnderWayAtMost(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var lets []func() []error
	for i := range 8 {
		lets = append(lets, l.stalled(l.Service, l.person(fmt.Sprint("p", i)), 8, 1))
	}
	ada := l.person("ada")
	_, err := l.Upload(t.Context(), ada, "x", newStream(1))
	l.waits(err, fault.Unavailable, "unavailable")
	if files := l.files(); len(files) != 64 {
		t.Errorf("for the one that was refused there is a file: %d", len(files))
	}
	for _, let := range lets {
		for _, err := range let() {
			l.must(err)
		}
	}
	l.upload(ada, "x", noise(1))
}

func TestUploadsUnderWayAreCountedFromTheirFirstByte(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Quota = 1000 }) // so 2000 bytes may be under way
	ada := l.person("ada")
	let := l.stalled(s, ada, 2, 1) // each of which may come to have 1000
	body := newStream(1)
	_, err := s.Upload(t.Context(), ada, "x", body)
	l.refused(err, fault.TooLarge)
	if body.n != 1 {
		t.Error("a byte was read that there is no room for")
	}
	for _, err := range let() {
		l.must(err)
	}
	if _, err := s.Upload(t.Context(), ada, "x", newStream(998)); err != nil {
		t.Error("what had been counted is not given back:", err)
	}
}
