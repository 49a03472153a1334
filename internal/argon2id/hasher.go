// Package argon2id computes Argon2id (RFC 9106, version 1.3) in memory that is reused, and never more
// hashes at once than it was told, nor more than memory was set aside for.
//
// What always holds: the arenas of a Hasher, in use and idle, are together no larger than its memory;
// they lie outside the garbage collector's heap where the system allows it, are kept out of core
// dumps, and go back to the system once unused for a while. Hashes begin in the order in which they came,
// so that a large one is not starved by small ones. Whoever has to wait stops waiting when its context
// ends, and is not let wait where too many do. Parameters beyond sane bounds are refused before any work
// is done.
//
// The computation itself is golang.org/x/crypto/argon2 (blamka_*.go, blamka_amd64.s, blake2b.go as they
// are there but for what is not needed here; derive.go changed to work in an arena), under the BSD
// licence in LICENSE.golang.
package argon2id

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Params are the costs of a hash.
type Params struct {
	Passes    uint32 // over the memory: t of RFC 9106
	MemoryKiB uint32 // m
	Lanes     uint8  // p: what may run in parallel within one hash
}

// Login guards a login password: OWASP's first choice. It has one lane, for the server fills its cores
// with hashes of different people, and lanes would only cost them synchronisation.
var Login = Params{Passes: 2, MemoryKiB: 19 * 1024, Lanes: 1}

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

// ErrParameters means that a hash asks for costs or lengths beyond the bounds, or for more memory than
// the Hasher has in all.
var ErrParameters = errors.New("argon2id: parameters out of bounds")

// Hasher computes hashes, within a bound on how many run at once and on what memory they take together.
// It is safe for concurrent use.
type Hasher struct {
	slots  int
	budget uint32 // blocks of 1 KiB that all arenas may have together
	share  uint32 // of a slot

	mu      sync.Mutex
	queue   []*turn  // of who waits, the first to come first
	running int      // slots that are taken
	inUse   uint32   // blocks that are set aside for hashes under way
	idle    []*arena // the most recently used one last
	sweep   *time.Timer
}

// NewHasher returns a hasher that runs at most the given number of hashes at once, which must be positive
// (one for each core is what gives the most hashes a second), in at most the given memory.
func NewHasher(slots int, memoryKiB uint32) *Hasher {
	return &Hasher{slots: slots, budget: memoryKiB, share: memoryKiB / uint32(slots)}
}

// Load returns how many callers wait for their turn, and how many have it.
func (h *Hasher) Load() (waiting, running int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.queue), h.running
}

// Key derives keyLen bytes from a password and a salt. Apart from ErrParameters it fails when ctx ends,
// before or during the computation, when too many wait already (a *fault.Error of kind Unavailable), and
// when the system has no memory left.
func (h *Hasher) Key(ctx context.Context, password, salt []byte, p Params, keyLen uint32) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(salt) < minSalt || keyLen < minKey || keyLen > maxKey || max(len(password), len(salt)) > maxInput {
		return nil, fmt.Errorf("%w: salt of %d bytes, key of %d", ErrParameters, len(salt), keyLen)
	}
	blocks := p.blocks()
	if blocks > h.budget {
		return nil, fmt.Errorf("%w: a hash of %d KiB, where all together have %d", ErrParameters, p.MemoryKiB, h.budget)
	}
	t, err := h.enter(ctx, blocks)
	if err != nil {
		return nil, err
	}
	defer h.leave(t)
	if err := t.arena.grow(blocks); err != nil {
		return nil, fmt.Errorf("map memory for a hash: %w", err)
	}
	return deriveKey(ctx, t.arena.blocks[:blocks], input{password: password, salt: salt}, p, keyLen)
}

// Run does other work that is as dear as a hash, but for its memory, in a slot, so that both together
// stay within the bound. It fails as Key does where it has to wait.
func (h *Hasher) Run(ctx context.Context, work func() error) error {
	t, err := h.enter(ctx, 0)
	if err != nil {
		return err
	}
	defer h.leave(t)
	return work()
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
