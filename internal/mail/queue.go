package mail

import (
	"context"
	"time"
)

// Queued is a letter as it lies in the queue. Letters are put there by the transactions of those who
// have something to say, as Sealed (what Post.Seal returned), CreatedAt, DueAt equal to it, and no
// attempts.
type Queued struct {
	ID        int64
	Sealed    []byte // the letter under the root key: a stolen queue tells neither codes nor addresses
	CreatedAt time.Time
	DueAt     time.Time // not to be tried before
	Attempts  int       // how often sending it has failed
}

// Store is the queue. Any number of workers, in any number of processes, may use it at once. What a
// method changed is durable when it returns.
type Store interface {
	// ClaimMail returns up to most letters that are due at now, those due first coming first, and lends
	// them to the caller until now+lease: until then no other call returns them. A letter whose lease has
	// run out is due again, with its attempts as they were; so a store may simply put off DueAt.
	ClaimMail(ctx context.Context, now time.Time, lease time.Duration, most int) ([]Queued, error)
	// MailSent deletes a letter that was sent, or that never will be. One that is gone already is no
	// error: its lease may have run out, and another worker may have sent it.
	MailSent(ctx context.Context, id int64) error
	// MailFailed counts one attempt and makes the letter due at next. One that is gone is no error.
	MailFailed(ctx context.Context, id int64, next time.Time) error
	// NextMail returns the earliest moment at which ClaimMail will have something to return, leases taken
	// into account, and false for an empty queue.
	NextMail(ctx context.Context) (due time.Time, found bool, err error)
}
