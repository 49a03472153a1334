package main

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// app is the server, put together and listening.
type app struct {
	url  string // where it is reached on this machine
	data string // the folder that it has claimed, "" where it has none
	// Where the database is, where backups lie and where mails go, for people to read: never with a password.
	database, blobs, mails string

	// serve answers requests until its context is done, and returns once those under way have finished.
	serve func(context.Context) error
	// workers do what no request waits for. They run until their context is done, which is after serve
	// has returned.
	workers []func(context.Context) error
	// closers release what was opened, the last first.
	closers []func() error
}

// run serves until the context is done, and then stops in order: the requests, the workers, what they
// used. What fails by itself stops all the rest.
func (a *app) run(ctx context.Context) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	working, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()

	failed := make([]error, len(a.workers))
	var workers sync.WaitGroup
	for i, work := range a.workers {
		workers.Go(func() {
			if err := work(working); err != nil && !errors.Is(err, context.Canceled) {
				failed[i] = err
				stop()
			}
		})
	}
	err := a.serve(serving)
	end()
	workers.Wait()
	return errors.Join(err, errors.Join(failed...), a.close())
}

// close releases what was opened.
func (a *app) close() error {
	var errs []error
	for _, closer := range slices.Backward(a.closers) {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}
