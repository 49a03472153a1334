package mail

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// The pace of the worker. A letter is let go of (sent, or put off) within sendFor+writeFor+onceFor of being
// claimed, within its lease, unless the process died; then it is another worker's when the lease ends.
const (
	together = 8                      // letters under way at once
	lease    = 90 * time.Second       // for how long a claimed letter is a worker's own
	sendFor  = 45 * time.Second       // for how long one attempt may take
	writeFor = 30 * time.Second       // for how long it is tried to write down its outcome
	onceFor  = 10 * time.Second       // for how long one such try may take
	againIn  = 500 * time.Millisecond // how long after one that failed the next begins
	idleFor  = time.Minute            // how often the queue is looked at when nobody wakes the worker
	breath   = 20 * time.Millisecond
	graceFor = 5 * time.Second // for how long letters under way may still be sent when the worker is told to stop

	firstRetry = 5 * time.Second
	lastRetry  = 15 * time.Minute
	giveUp     = 5 * 24 * time.Hour
)

// Run sends what is due until ctx ends, and then returns nil once the letters under way are sent or put
// back. A store or a mail server that fails is tried again, at growing intervals, for as long as it takes.
func (p *Post) Run(ctx context.Context) error {
	failures := 0
	for ctx.Err() == nil {
		wait, err := p.round(ctx)
		if err != nil && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "mail queue failed", "err", err)
			failures++
			wait = min(backoff(failures), idleFor) // codes that are mailed live for minutes
		} else {
			failures = 0
		}
		p.sleep(ctx, wait, err == nil)
	}
	return nil
}

// round sends one handful of letters and returns how long there is nothing more to do.
func (p *Post) round(ctx context.Context) (time.Duration, error) {
	letters, err := p.store.ClaimMail(ctx, p.now(), lease, together)
	if err != nil {
		return 0, err
	}
	sending, stop := outlive(ctx, graceFor)
	defer stop()
	var group sync.WaitGroup
	outcomes := make([]error, len(letters))
	for i, queued := range letters {
		group.Go(func() { outcomes[i] = p.deliver(sending, queued) })
	}
	group.Wait()
	if err := errors.Join(outcomes...); err != nil || len(letters) == together {
		return 0, err
	}
	due, found, err := p.store.NextMail(ctx)
	if err != nil {
		return 0, err
	}
	if !found {
		return idleFor, nil
	}
	// Never less than a breath: a clock that lags behind the store's must not make the worker spin.
	return min(max(due.Sub(p.now()), breath), idleFor), nil
}

// sleep waits, until woken where that is asked for, or until ctx ends.
func (p *Post) sleep(ctx context.Context, wait time.Duration, wakeable bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	awake := p.awake
	if !wakeable {
		awake = nil
	}
	select {
	case <-ctx.Done():
	case <-awake:
	case <-timer.C:
	}
}

// outlive returns a context that ends a while after ctx does.
func outlive(ctx context.Context, grace time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() {
		unhook()
		cancel()
	}
}

// deliver sends one letter and writes down what became of it. Its error is the store's; a letter that could
// not be sent is no error, for it is in the queue again.
func (p *Post) deliver(ctx context.Context, queued Queued) error {
	failure := p.send(ctx, queued)
	sent := func(ctx context.Context) error { return p.store.MailSent(ctx, queued.ID) }
	if failure == nil {
		return note(ctx, sent)
	}
	log := p.log.With("mail", queued.ID, "attempt", queued.Attempts+1, "err", failure)
	now := p.now()
	if isPermanent(failure) || now.Sub(queued.CreatedAt) >= giveUp {
		log.ErrorContext(ctx, "mail given up", slog.Duration("age", now.Sub(queued.CreatedAt)))
		return note(ctx, sent)
	}
	wait := backoff(queued.Attempts + 1)
	log.WarnContext(ctx, "mail put off", slog.Duration("wait", wait))
	return note(ctx, func(ctx context.Context) error { return p.store.MailFailed(ctx, queued.ID, now.Add(wait)) })
}

// note writes down what became of a letter: once even when the worker has been told to stop, and again and
// again while the store is away for a moment. Else a letter that was sent would be sent a second time.
func note(ctx context.Context, outcome func(context.Context) error) error {
	late := time.NewTimer(writeFor)
	defer late.Stop()
	for {
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), onceFor)
		err := outcome(once)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(againIn):
		case <-ctx.Done():
			return err
		case <-late.C:
			return err
		}
	}
}

// send makes one attempt at a letter.
func (p *Post) send(ctx context.Context, queued Queued) error {
	letter, err := p.Open(queued.Sealed)
	if err != nil {
		// The root key may have been put in place wrongly, which its owner can mend: not for good.
		return err
	}
	if letter.Kind == nothing {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	return p.transport.Send(ctx, p.from, letter.render(queued.CreatedAt, p.publicURL))
}

// backoff returns how long to wait after so many failures: firstRetry doubled with each, lastRetry at
// most, and from half of that to all of it, so that what failed together does not come back together.
func backoff(failures int) time.Duration {
	wait := lastRetry
	if doublings := failures - 1; doublings < 16 {
		wait = min(firstRetry<<doublings, lastRetry)
	}
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // nobody gains by foreseeing it
}
