package argon2id

import (
	"context"
	"fmt"
	"slices"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// mostWaiting is how many may wait for each slot: what it gets through in about a minute where each
// guards a main password (115 ms). Proxies and clients give up after that, so whoever came behind would
// wait for nothing. Logins take a sixth of the time.
const mostWaiting = 512

// errBusy tells to come again when half of those who wait are through.
var errBusy = fault.New(fault.Unavailable, "unavailable", phrase.HashesBusy).After(30 * time.Second)

// idleFor is how long an arena is kept without use.
const idleFor = 30 * time.Second

// turn is the place in the queue of one hash, and then its slot.
type turn struct {
	blocks uint32        // 0: no memory is needed
	ready  chan struct{} // closed when the slot is there
	arena  *arena        // from then on, where there are blocks; perhaps to be grown
}

// enter waits for a slot, and for the memory that a hash needs. The turn must be handed to leave.
func (h *Hasher) enter(ctx context.Context, blocks uint32) (*turn, error) {
	t := &turn{blocks: blocks, ready: make(chan struct{})}
	h.mu.Lock()
	if len(h.queue) >= h.slots*mostWaiting {
		h.mu.Unlock()
		return nil, errBusy
	}
	h.queue = append(h.queue, t)
	h.admit()
	h.mu.Unlock()
	select {
	case <-t.ready:
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // perhaps both
		h.leave(t)
		return nil, fmt.Errorf("wait for a hash slot: %w", ctx.Err())
	}
	return t, nil
}

// leave gives back a turn, or its place in the queue, and lets in who can begin now.
func (h *Hasher) leave(t *turn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.queue, t); i >= 0 {
		h.queue = slices.Delete(h.queue, i, i+1)
	} else {
		h.running--
		h.give(t.arena)
	}
	h.admit()
}

// admit lets in those who wait, in their order, as long as there are slots and memory for the first.
func (h *Hasher) admit() {
	for h.running < h.slots && len(h.queue) > 0 && h.queue[0].blocks <= h.budget-h.inUse {
		t := h.queue[0]
		h.queue = slices.Delete(h.queue, 0, 1)
		h.running++
		if t.blocks > 0 {
			t.arena = h.take(t.blocks)
		}
		close(t.ready)
	}
}

// take sets memory aside for a hash: the arena used last, whose pages are the likeliest to be there. One
// that is larger than a slot's share is left to hashes of its size, or a few small ones would keep
// everybody else out. The idle ones that there is no memory for any more go back to the system.
func (h *Hasher) take(blocks uint32) *arena {
	most := min(max(blocks, h.share), h.budget-h.inUse)
	a := &arena{}
	for i, idle := range slices.Backward(h.idle) {
		if idle.size() <= most {
			a = idle
			h.idle = slices.Delete(h.idle, i, i+1)
			break
		}
	}
	a.weight = max(blocks, a.size())
	h.inUse += a.weight
	var kept uint32
	for _, idle := range h.idle {
		kept += idle.size()
	}
	for kept > h.budget-h.inUse {
		kept -= h.idle[0].size()
		h.idle[0].release()
		h.idle = slices.Delete(h.idle, 0, 1)
	}
	return a
}

// give puts an arena among the idle ones.
func (h *Hasher) give(a *arena) {
	if a == nil {
		return
	}
	h.inUse -= a.weight
	a.used = time.Now()
	h.idle = append(h.idle, a)
	if h.sweep == nil {
		h.sweep = time.AfterFunc(idleFor, h.free)
	}
}

// free gives back what was idle for long enough, and comes again while there is something left.
func (h *Hasher) free() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.idle = slices.DeleteFunc(h.idle, func(a *arena) bool {
		old := now.Sub(a.used) >= idleFor
		if old {
			a.release()
		}
		return old
	})
	h.sweep = nil
	if len(h.idle) > 0 {
		h.sweep = time.AfterFunc(idleFor-now.Sub(h.idle[0].used), h.free)
	}
}

// size returns how many blocks an arena has.
func (a *arena) size() uint32 { return uint32(len(a.blocks)) }
