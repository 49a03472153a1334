// Package mail brings letters to people: it seals them for the queue, puts them into words in their reader's
// language, and hands them to a mail server or to a folder.
//
// A letter is queued within the transaction of what it tells about, so that it is neither lost nor sent for
// something that did not happen; no request ever waits for a mail server. What lies in the queue is sealed
// under the root key. Each letter is sent at least once. It is sent again, with the same Message-ID, only where
// the mail server took it and its answer was lost; where its worker died between sending and writing that
// down; or where the database was away from then on until the worker ended, or until the letter's lease did
// and another process came first. Neither an address nor a code is ever logged, nor is what a mail server
// answered, for servers repeat addresses.
package mail

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"caesar/internal/rootkey"
)

// Post seals letters and sends them. Its methods may be called at any time by any number of callers, but
// Run only once.
type Post struct {
	sealer    *rootkey.Sealer
	store     Store
	transport Transport
	from      Address
	publicURL string
	now       func() time.Time
	log       *slog.Logger
	awake     chan struct{}

	mu   sync.Mutex
	done map[int64]struct{} // letters that need no more sending, which the store does not know yet
}

// NewPost returns the post office that sends letters from an address. The public URL is named in every
// mail, and may be empty.
func NewPost(root *rootkey.Ring, store Store, transport Transport, from Address, publicURL string,
	now func() time.Time, log *slog.Logger,
) *Post {
	return &Post{
		sealer: root.Sealer("mail"), store: store, transport: transport, from: from, publicURL: publicURL,
		now: now, log: log, awake: make(chan struct{}, 1), done: map[int64]struct{}{},
	}
}

// DefaultSender is the address that mails come from where none is set: caesar at the host of the public
// URL, or at localhost where that has no name.
func DefaultSender(publicURL string) Address {
	if u, err := url.Parse(publicURL); err == nil {
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			if named, err := ParseAddress("caesar@" + u.Hostname()); err == nil {
				return named
			}
		}
	}
	return Address{typed: "caesar@localhost"}
}

// Seal packs a letter for the queue. All letters come out at the same size, Nothing included.
func (p *Post) Seal(l Letter) []byte {
	l.ID = newID()
	return p.sealer.Seal(l.pack())
}

// Open reads what Seal returned.
func (p *Post) Open(sealed []byte) (Letter, error) {
	packed, err := p.sealer.Open(sealed)
	if err != nil {
		return Letter{}, fmt.Errorf("open letter: %w", err)
	}
	return unpack(packed)
}

// Wake tells the worker that there is something in the queue. It never waits; it is called after the
// transaction that queued a letter, and where that is forgotten the letter goes out within idleFor.
func (p *Post) Wake() {
	select {
	case p.awake <- struct{}{}:
	default: // it has been told already
	}
}
