package mail

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// The pace of the worker. A letter is let go of (sent, or put off) within sendFor+writeFor of being
// claimed, well within its lease, unless the process died; then it is another worker's when the lease ends.
const (
	together = 8                // letters under way at once
	lease    = 90 * time.Second // for how long a claimed letter is a worker's own
	sendFor  = 45 * time.Second // for how long one attempt may take
	writeFor = 10 * time.Second // for how long writing down its outcome may take
	idleFor  = time.Minute      // how often the queue is looked at when nobody wakes the worker
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
			wait = backoff(failures)
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
	// The outcome is written down even when the worker has been told to stop: else the letter would be
	// sent a second time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	if failure == nil {
		return p.store.MailSent(ctx, queued.ID)
	}
	log := p.log.With("mail", queued.ID, "attempt", queued.Attempts+1, "err", failure)
	now := p.now()
	if isPermanent(failure) || now.Sub(queued.CreatedAt) >= giveUp {
		log.ErrorContext(ctx, "mail given up", slog.Duration("age", now.Sub(queued.CreatedAt)))
		return p.store.MailSent(ctx, queued.ID)
	}
	wait := backoff(queued.Attempts + 1)
	log.WarnContext(ctx, "mail put off", slog.Duration("wait", wait))
	return p.store.MailFailed(ctx, queued.ID, now.Add(wait))
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
	rendered, err := letter.render(queued.CreatedAt, p.publicURL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	return p.transport.Send(ctx, p.from, rendered)
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
