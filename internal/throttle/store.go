package throttle

import (
	"context"
	"time"
)

// Take is one token to be taken from one bucket. The bucket's whole state is one timestamp under Key:
// the theoretical arrival time of GCRA. A bucket that is absent is full, and its timestamp counts as the
// zero time.
type Take struct {
	Key   []byte        // 32 bytes, an HMAC: tells neither whose bucket it is nor of what kind
	Burst int           // how many tokens a full bucket holds
	Every time.Duration // how long one token takes to grow back
}

// From takes the token from a bucket that is at stored. Where there is one, wait is zero, and next is
// what the bucket is to be set to; where there is none, wait says how long until there is, which is Every at
// most, and the bucket stays as it is.
func (t Take) From(stored, now time.Time) (next time.Time, wait time.Duration) {
	next = stored
	if now.After(next) {
		next = now
	}
	next = next.Add(t.Every)
	if wait = next.Add(-time.Duration(t.Burst) * t.Every).Sub(now); wait > 0 {
		return stored, wait
	}
	return next, 0
}

// Back returns what a bucket at stored is to be set to when the token is given back. A bucket whose
// timestamp is not after the present is full: it may be deleted, then or at any later time.
func (t Take) Back(stored time.Time) time.Time { return stored.Add(-t.Every) }

// Question is one attempt, put to the store in one go: which buckets it draws on depends on whether a mark
// is there.
type Question struct {
	Mark      []byte // 32 bytes, an HMAC; nil where there is nothing to look up: then Otherwise holds
	IfMarked  []Take // the takes if the mark is there and its Until is after now
	Otherwise []Take // the takes if not
}

// Mark is a memory that ends: that somebody was right from this address.
type Mark struct {
	Key   []byte // 32 bytes, an HMAC
	Until time.Time
}

// Store keeps buckets and marks, each a key and a timestamp; timestamps keep at least milliseconds. Any
// number of callers, on any number of replicas, may use it at once.
type Store interface {
	// TakeAll answers a question in one transaction: it looks for the mark, and takes a token (Take.From)
	// from every bucket that then counts, or, where any of them has none, from none of them. Wait is zero
	// where the tokens were taken, and else the longest of the waits. Of callers at once no two take the
	// same token. What was taken is durable on return.
	TakeAll(ctx context.Context, q Question, now time.Time) (marked bool, wait time.Duration, err error)
	// Refund gives back one token for each take (Take.Back) and sets the mark, over any that is there, in
	// one transaction. A bucket that is absent stays so.
	Refund(ctx context.Context, takes []Take, mark Mark, now time.Time) error
}
