// Package throttle slows guessing down: every door that checks a secret asks it first.
//
// A token is taken before the secret is looked at and given back when it was right, so that only wrong
// guesses count, and of fifty that race no more get through than there are tokens. Buckets are GCRA's (the
// generic cell rate algorithm of ITU-T I.371): each is a single timestamp in the database, so that neither a
// restart nor another replica forgets it. Who guesses and from where is only there as an HMAC under the
// root key.
//
// An owner is not locked out by strangers: an address from which a user was right before has, for that user,
// a bucket of its own, which no other address can empty. All others share one bucket a user, and each
// address has one besides for whomever it guesses at.
package throttle

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
)

// Limit is a bucket's measure: so many at once, and then one each time that Every has passed.
type Limit struct {
	Name  string // part of the bucket's key: buckets of two names never share tokens
	Burst int
	Every time.Duration
}

// The limits on guessing.
var (
	PerAddress = Limit{"address", 50, 10 * time.Second} // from one address, at whomever
	PerUser    = Limit{"user", 10, time.Minute}         // at one user, from all addresses that are strange to it
	PerFriend  = Limit{"friend", 10, time.Minute}       // at one user, from one address where the user was right before
)

// PerMailer limits how many mails one address may ask for, whomever they go to: each is a row of the
// database for everybody who can reach the server.
var PerMailer = Limit{"mailer", 100, 5 * time.Second}

// PerAsker limits how often one address may ask, by a form that it does not fill in right, which names and
// emails are taken.
var PerAsker = Limit{"asker", 50, 10 * time.Second}

// PerMover limits how often a user may take another email: each time somebody is written to at an address that
// nobody has proven.
var PerMover = Limit{"mover", 5, time.Hour}

// friendFor is for how long an address is remembered after the user was last right from there.
const friendFor = 30 * 24 * time.Hour

// errTooMany is the fault of everyone who has to wait.
var errTooMany = fault.New(fault.TooMany, "too_many", phrase.TooManyAttempts)

// Guard stands before the doors. It is safe for concurrent use.
type Guard struct {
	keys  *rootkey.MAC
	store Store
	now   func() time.Time
}

// New returns the guard of a server.
func New(root *rootkey.Ring, store Store, now func() time.Time) *Guard {
	return &Guard{keys: root.MAC("throttle"), store: store, now: now}
}

// Attempt asks whether a secret of a subject may be tried from an address now, and takes the tokens for it.
// The subject is whose secret it is: something that is the same under every spelling of a name, for one that
// is known and one that is not, such as "user:12" or "name:" and the folded name. Who has to wait gets the
// fault too_many, with RetryAfter, for a subject that exists and one that does not alike; any other error is
// the store's, and the door stays shut. The caller checks the secret and then tells Right if it was.
func (g *Guard) Attempt(ctx context.Context, subject string, from netip.Addr) (*Attempt, error) {
	address := network(from)
	friend := g.key("known", subject, address)
	a := &Attempt{guard: g, mark: friend}
	asFriend := []Take{g.take(PerFriend, subject, address)}
	asStranger := []Take{g.take(PerUser, subject), g.take(PerAddress, address)}
	known, err := g.ask(ctx, Question{Mark: friend, IfMarked: asFriend, Otherwise: asStranger})
	if err != nil {
		return nil, err
	}
	a.taken = asStranger
	if known {
		a.taken = asFriend
	}
	return a, nil
}

// Know remembers an address for a subject as Right does, where something else has shown that it is theirs.
func (g *Guard) Know(ctx context.Context, subject string, from netip.Addr) error {
	now := g.now()
	mark := Mark{Key: g.key("known", subject, network(from)), Until: now.Add(friendFor)}
	if err := g.store.Refund(ctx, nil, mark, now); err != nil {
		return fmt.Errorf("remember address: %w", err)
	}
	return nil
}

// Allow takes a token of a limit for good from whoever does a thing (User, Client): it limits what is done
// rather than guessed. Its errors are those of Attempt.
func (g *Guard) Allow(ctx context.Context, limit Limit, who string) error {
	_, err := g.ask(ctx, Question{Otherwise: []Take{g.take(limit, who)}})
	return err
}

func (g *Guard) ask(ctx context.Context, q Question) (marked bool, err error) {
	marked, wait, err := g.store.TakeAll(ctx, q, g.now())
	if err != nil {
		return false, fmt.Errorf("take throttle tokens: %w", err)
	}
	if wait > 0 {
		return false, tooMany(wait)
	}
	return marked, nil
}

// tooMany tells how long to wait, in whole seconds and never less than it takes.
func tooMany(wait time.Duration) error {
	whole := (wait + time.Second - 1).Truncate(time.Second)
	e := errTooMany.After(whole)
	e.Message = phrase.TooManyAttempts.With(int(whole / time.Second))
	return e
}

func (g *Guard) take(limit Limit, parts ...string) Take {
	return Take{Key: g.key(limit.Name, parts...), Burst: limit.Burst, Every: limit.Every}
}

// key is what stands for a name and its parts in the database.
func (g *Guard) key(name string, parts ...string) []byte {
	framed := make([][]byte, 0, 1+len(parts))
	framed = append(framed, []byte(name))
	for _, part := range parts {
		framed = append(framed, []byte(part))
	}
	return g.keys.Key(framed...)
}

// network is what counts as one address: an IPv4 address, also when it comes as IPv6, or an IPv6 network of
// 64 bits, which is the least that one customer gets (RFC 6177). All that have no address are one.
func network(from netip.Addr) string {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	prefix, err := from.Prefix(bits)
	if err != nil {
		return "none"
	}
	return prefix.String()
}

// Attempt is one try that has been let through, at the price of its tokens.
type Attempt struct {
	guard *Guard
	mark  []byte
	taken []Take
	done  atomic.Bool
}

// errSettled is for a program that tells Right twice.
var errSettled = errors.New("throttle: this attempt is settled already")

// Right says that the secret was right: the tokens are given back, and the address is remembered as one where
// this subject was right. It may be told once; what has not been told Right was wrong.
func (a *Attempt) Right(ctx context.Context) error {
	if !a.done.CompareAndSwap(false, true) {
		return errSettled
	}
	now := a.guard.now()
	mark := Mark{Key: a.mark, Until: now.Add(friendFor)}
	if err := a.guard.store.Refund(ctx, a.taken, mark, now); err != nil {
		return fmt.Errorf("refund throttle tokens: %w", err)
	}
	return nil
}
