package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

// diary notes what happened, in order.
type diary struct {
	mu   sync.Mutex
	days []string
}

func (d *diary) note(day string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.days = append(d.days, day)
}

// until returns what runs until its context is done, and is noted then.
func (d *diary) until(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		<-ctx.Done()
		d.note(name)
		return ctx.Err()
	}
}

func (d *diary) closes(name string) func() error {
	return func() error { d.note(name); return nil }
}

func TestAServerStopsItsRequestsThenItsWorkersThenWhatTheyUse(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	var d diary
	a := &app{
		serve: func(ctx context.Context) error {
			stop()
			<-ctx.Done()
			d.note("requests")
			return nil
		},
		workers: []func(context.Context) error{d.until("worker")},
		closers: []func() error{d.closes("opened first"), d.closes("opened last")},
	}
	if err := a.run(ctx); err != nil {
		t.Errorf("to be asked to stop is no error, but: %v", err)
	}
	if want := []string{"requests", "worker", "opened last", "opened first"}; !slices.Equal(d.days, want) {
		t.Errorf("%q, not %q", d.days, want)
	}
}

func TestAWorkerThatFailsStopsTheServer(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var d diary
	a := &app{
		serve: func(ctx context.Context) error { <-ctx.Done(); return nil },
		workers: []func(context.Context) error{
			func(context.Context) error { return broken },
			d.until("other worker"),
		},
		closers: []func() error{d.closes("closed"), func() error { return errors.New("jammed") }},
	}
	if err := a.run(t.Context()); !errors.Is(err, broken) || err.Error() != "broken\njammed" {
		t.Errorf("the error is %v", err)
	}
	if want := []string{"other worker", "closed"}; !slices.Equal(d.days, want) {
		t.Errorf("%q, not %q", d.days, want)
	}
}
