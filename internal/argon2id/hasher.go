// Package argon2id computes Argon2id (RFC 9106, version 1.3) in memory that is reused, and never more
// hashes at once than it was told.
//
// What always holds: a Hasher with n slots owns at most n arenas, each as large as the largest hash that
// it was used for; they lie outside the garbage collector's heap where the system allows it, are kept out of core
// dumps, and go back to the system once unused for a while. Whoever has to wait for a slot stops waiting
// when its context ends. Parameters beyond sane bounds are refused before any work is done.
//
// The computation itself is golang.org/x/crypto/argon2 (blamka_*.go, blamka_amd64.s, blake2b.go as they
// are there but for what is not needed here; derive.go changed to work in an arena), under the BSD
// licence in LICENSE.golang.
package argon2id

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Params are the costs of a hash.
type Params struct {
	Passes    uint32 // over the memory: t of RFC 9106
	MemoryKiB uint32 // m
	Lanes     uint8  // p: what may run in parallel within one hash
}

// The costs in use. One lane each: the server fills its cores with hashes of different people, and lanes
// would only cost them synchronisation.
var (
	Login = Params{Passes: 2, MemoryKiB: 19 * 1024, Lanes: 1} // guards a login password (OWASP's first choice)
	Main  = Params{Passes: 3, MemoryKiB: 64 * 1024, Lanes: 1} // guards a vault
)

// Bounds of what is computed. They hold all that Bitwarden's clients can be set to, and keep a stored
// hash that was tampered with from taking the server's memory or its day.
const (
	maxPasses    = 64
	maxMemoryKiB = 1 << 20
	maxLanes     = 16
	minSalt      = 8 // bytes, as RFC 9106, section 3.1 has it
	minKey       = 4
	maxKey       = 1024
	maxInput     = 1 << 20 // of a password or a salt
)

// ErrParameters means that a hash asks for costs or lengths beyond the bounds.
var ErrParameters = errors.New("argon2id: parameters out of bounds")

// idleFor is how long an arena is kept without use.
const idleFor = 30 * time.Second

// Hasher computes hashes, a bounded number at once. It is safe for concurrent use.
type Hasher struct {
	slots            chan struct{} // one token for each that is taken
	waiting, running atomic.Int32

	mu    sync.Mutex
	idle  []*arena // the most recently used one last
	sweep *time.Timer
}

// NewHasher returns a hasher that runs at most the given number of hashes at once: one for each core is
// what gives the most hashes a second. The number must be positive.
func NewHasher(slots int) *Hasher {
	return &Hasher{slots: make(chan struct{}, slots)}
}

// Load returns how many callers wait for a slot, and how many hold one.
func (h *Hasher) Load() (waiting, running int) {
	return int(h.waiting.Load()), int(h.running.Load())
}

// Key derives keyLen bytes from a password and a salt. Apart from ErrParameters it fails when ctx ends,
// before or during the computation, and when the system has no memory left.
func (h *Hasher) Key(ctx context.Context, password, salt []byte, p Params, keyLen uint32) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(salt) < minSalt || keyLen < minKey || keyLen > maxKey || max(len(password), len(salt)) > maxInput {
		return nil, fmt.Errorf("%w: salt of %d bytes, key of %d", ErrParameters, len(salt), keyLen)
	}
	var key []byte
	err := h.Run(ctx, func() error {
		a, err := h.take(p.blocks())
		if err != nil {
			return err
		}
		defer h.give(a)
		key, err = deriveKey(ctx, a.blocks[:p.blocks()], input{password: password, salt: salt}, p, keyLen)
		return err
	})
	return key, err
}

// Run does other work that is as dear as a hash in a slot, so that both together stay within the bound.
func (h *Hasher) Run(ctx context.Context, work func() error) error {
	h.waiting.Add(1)
	select {
	case h.slots <- struct{}{}:
		h.waiting.Add(-1)
	case <-ctx.Done():
		h.waiting.Add(-1)
		return fmt.Errorf("wait for a hash slot: %w", ctx.Err())
	}
	h.running.Add(1)
	defer func() {
		h.running.Add(-1)
		<-h.slots
	}()
	if ctx.Err() != nil { // both were ready
		return fmt.Errorf("wait for a hash slot: %w", ctx.Err())
	}
	return work()
}

// take returns an arena of at least the given number of blocks: the one used last, whose pages are the
// likeliest to be there, grown where it is too small.
func (h *Hasher) take(blocks uint32) (*arena, error) {
	h.mu.Lock()
	a := &arena{}
	if n := len(h.idle); n > 0 {
		a = h.idle[n-1]
		h.idle = h.idle[:n-1]
	}
	h.mu.Unlock()
	if err := a.grow(blocks); err != nil {
		h.give(a)
		return nil, fmt.Errorf("map memory for a hash: %w", err)
	}
	return a, nil
}

func (h *Hasher) give(a *arena) {
	h.mu.Lock()
	defer h.mu.Unlock()
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

func (p Params) check() error {
	if p.Passes < 1 || p.Passes > maxPasses || p.Lanes < 1 || p.Lanes > maxLanes ||
		p.MemoryKiB < 8*uint32(p.Lanes) || p.MemoryKiB > maxMemoryKiB {
		return fmt.Errorf("%w: m=%d,t=%d,p=%d", ErrParameters, p.MemoryKiB, p.Passes, p.Lanes)
	}
	return nil
}

// blocks returns how many blocks of 1 KiB are computed: the memory rounded down to whole segments.
func (p Params) blocks() uint32 {
	segments := syncPoints * uint32(p.Lanes)
	return p.MemoryKiB / segments * segments
}
