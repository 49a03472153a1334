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
	do   func(context.Context) error
}

// run does the work until its context is done.
func (c chore) run(ctx context.Context, store *sqlstore.Store, log *slog.Logger) error {
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for first := true; ; first = false {
		due, err := c.isDue(ctx, store)
		if err == nil && (due || (first && c.atStart)) {
			err = c.do(ctx)
		}
		if err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "what is done from time to time has failed; it is tried again", "what", c.name, "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// isDue says whether it is for this server to do now. What is lent is free again a little early, so that who
// has it now is not too early next time.
func (c chore) isDue(ctx context.Context, store *sqlstore.Store) (bool, error) {
	if c.lent == 0 {
		return true, nil
	}
	now := time.Now()
	return store.Lease(ctx, c.name, now, now.Add(c.lent-c.every/10))
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

// sweepBackups deletes the blobs that no row names. Only a crash leaves some.
func sweepBackups(backups *backup.Service, shared bool) chore {
	c := chore{name: "sweep backups", every: time.Hour, do: backups.Sweep}
	if shared {
		c.lent = 24 * time.Hour // a bucket is dear to list
	}
	return c
}
