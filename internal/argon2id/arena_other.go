//go:build !unix

package argon2id

import "time"

// arena is the memory of one hash at a time, on the heap where there is no simple way to map some.
type arena struct {
	blocks []block
	weight uint32 // blocks set aside for it while it is in use
	used   time.Time
}

// grow makes room for at least n blocks. What was in the arena may be lost.
func (a *arena) grow(n uint32) error {
	if uint32(len(a.blocks)) < n {
		a.blocks = make([]block, n)
	}
	return nil
}

// release leaves the memory to the garbage collector.
func (a *arena) release() { a.blocks = nil }
