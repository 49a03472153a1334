package mail

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// The pace of the worker. No attempt at a letter goes on in the last writeFor of its lease, which are kept for
// writing down what became of it; where that fails all the time, or the process dies, the letter is another
// worker's when the lease ends. A worker that lives remembers what it sent, and claims none before the queue knows.
const (
	together = 8                      // letters under way at once
	lease    = 90 * time.Second       // for how long a claimed letter is a worker's own
	sendFor  = 45 * time.Second       // for how long one attempt may take
	leastFor = 15 * time.Second       // what an attempt needs: with less left of its lease a letter is not begun
	writeFor = 40 * time.Second       // what is left of the lease at least when an attempt ends
	onceFor  = 10 * time.Second       // for how long one try to write down an outcome may take
	againIn  = 500 * time.Millisecond // how long after one that failed the next begins
	idleFor  = time.Minute            // how often the queue is looked at when nobody wakes the worker
	breath   = 20 * time.Millisecond
	graceFor = 5 * time.Second // for how long letters under way may still be sent when the worker is told to stop
	afterFor = 3 * time.Second // how long after that the last try to write down an outcome begins

	firstRetry = 5 * time.Second
	lastRetry  = 15 * time.Minute
	giveUp     = 5 * 24 * time.Hour
)

// Run sends what is due until ctx ends, and then returns nil once the letters under way are sent or put
// back, and what became of them is written down where the store lets it. A store or a mail server that fails
// is tried again, at growing intervals, for as long as it takes.
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
	last, end := context.WithTimeout(context.WithoutCancel(ctx), afterFor)
	defer end()
	if err := p.catchUp(last); err != nil {
		p.log.ErrorContext(last, "mail that was sent may be sent again: the queue could not be told", "err", err)
	}
	return nil
}

// round sends one handful of letters and returns how long there is nothing more to do.
func (p *Post) round(ctx context.Context) (time.Duration, error) {
	if err := p.catchUp(ctx); err != nil {
		return 0, err
	}
	now := p.now()
	ends := now.Add(lease) // counted as the store does, which may take its time to lend them
	letters, err := p.store.ClaimMail(ctx, now, lease, together)
	if err != nil {
		return 0, err
	}
	sending, stop := outlive(ctx, graceFor)
	defer stop()
	noting, end := outlive(ctx, graceFor+afterFor)
	defer end()
	var group sync.WaitGroup
	outcomes := make([]error, len(letters))
	for i, queued := range letters {
		group.Go(func() { outcomes[i] = p.deliver(sending, noting, queued, ends) })
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

// deliver sends one letter, whose lease ends then, and writes down what became of it. Its error is the
// store's; a letter that could not be sent is no error, for it is in the queue again.
func (p *Post) deliver(sending, noting context.Context, queued Queued, ends time.Time) error {
	left := ends.Add(-writeFor).Sub(p.now())
	if left < leastFor {
		p.log.WarnContext(noting, "mail left until its lease ends: the store was too slow to lend it", "mail", queued.ID)
		return nil
	}
	failure := p.send(sending, queued, min(sendFor, left))
	if failure == nil {
		return p.finish(noting, queued.ID, ends)
	}
	log := p.log.With("mail", queued.ID, "attempt", queued.Attempts+1, "err", failure)
	now := p.now()
	if isPermanent(failure) || now.Sub(queued.CreatedAt) >= giveUp {
		log.ErrorContext(noting, "mail given up", slog.Duration("age", now.Sub(queued.CreatedAt)))
		return p.finish(noting, queued.ID, ends)
	}
	wait := backoff(queued.Attempts + 1)
	log.WarnContext(noting, "mail put off", slog.Duration("wait", wait))
	return p.note(noting, ends, func(ctx context.Context) error { return p.store.MailFailed(ctx, queued.ID, now.Add(wait)) })
}

// finish takes a letter out of the queue that needs no more sending. Where the store is away for longer than
// the lease lasts, it is remembered.
func (p *Post) finish(ctx context.Context, id int64, ends time.Time) error {
	err := p.note(ctx, ends, func(ctx context.Context) error { return p.store.MailSent(ctx, id) })
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done[id] = struct{}{}
	}
	return err
}

// catchUp writes down what finish could not. Before that is done no letter is claimed: those that were sent
// would be among them, and there would be ever more to remember.
func (p *Post) catchUp(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.done {
		if err := p.store.MailSent(ctx, id); err != nil {
			return err
		}
		delete(p.done, id)
	}
	return nil
}

// note writes down what became of a letter, and tries again while the store is away, until the lease ends or
// ctx does; once in any case. Else a letter that was sent would be sent a second time.
func (p *Post) note(ctx context.Context, ends time.Time, outcome func(context.Context) error) error {
	late := time.NewTimer(ends.Sub(p.now()))
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

// send makes one attempt at a letter, which may take so long.
func (p *Post) send(ctx context.Context, queued Queued, most time.Duration) error {
	letter, err := p.Open(queued.Sealed)
	if err != nil {
		// The root key may have been put in place wrongly, which its owner can mend: not for good.
		return err
	}
	if letter.Kind == nothing {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, most)
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
