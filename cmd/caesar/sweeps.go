package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"caesar/internal/backup"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
)

// chore is work that is done again and again. Where several replicas share what it is done on, it is lent to
// one of them at a time, and nobody is harmed where two do it at once.
type chore struct {
	name    string
	every   time.Duration // how often it is looked for whether it is due
	atStart bool          // whether it is also done at the start, whoever has done it last
	// lent is for how long nobody else does it; 0: it is this server's own, and no others are asked.
	lent time.Duration
	// works is for how long it is lent at first, where only what was done well is to count for all of lent:
	// others, and this server, may then try again that much later. 0: lent.
	works time.Duration
	do    func(context.Context) error
}

// run does the work until its context is done.
func (c chore) run(ctx context.Context, store *sqlstore.Store, log *slog.Logger) error {
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for first := true; ; first = false {
		if err := c.turn(ctx, store, first && c.atStart); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "what is done from time to time has failed; it is tried again", "what", c.name, "in", c.every, "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// turn does the work where it is for this server to do now, or has to be done anyway. What is lent is free
// again a little early, so that who has it now is not too early next time.
func (c chore) turn(ctx context.Context, store *sqlstore.Store, anyway bool) error {
	now := time.Now()
	until := now.Add(c.lent - c.every/10)
	if c.lent == 0 {
		return c.do(ctx)
	}
	first := until
	if c.works > 0 {
		first = now.Add(c.works)
	}
	mine, err := store.Lease(ctx, c.name, now, first)
	if err != nil || (!mine && !anyway) {
		return err
	}
	if err := c.do(ctx); err != nil || !mine || first.Equal(until) {
		return err
	}
	// It is done for all, also where it took longer than it was lent for and another has begun meanwhile.
	_, err = store.Lease(ctx, c.name, until, until)
	return err
}

// sweep deletes the rows that have run out, and the people whose erasure is due.
func sweep(store *sqlstore.Store, users *user.Service) chore {
	return chore{
		name: "sweep", every: time.Minute, lent: time.Minute, atStart: true,
		do: func(ctx context.Context) error {
			return errors.Join(store.Sweep(ctx, time.Now()), users.EraseDue(ctx))
		},
	}
}

// sweepBackups deletes the blobs that no row names, which a crash, a store that was away or a move may leave.
func sweepBackups(backups *backup.Service, shared bool) chore {
	c := chore{name: "sweep backups", every: time.Hour, do: backups.Sweep}
	if shared {
		c.lent, c.works = 24*time.Hour, 30*time.Minute // a bucket is dear to list, and waits ten minutes
	}
	return c
}
