//go:build unix

package argon2id

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is what the mapping is aligned to, in bytes, so that the processor can address it by few
// large pages: a hash jumps all over its memory.
const hugePage = 2 << 20

// arena is the memory of one hash at a time. It is mapped by itself, outside the heap: there it would be
// counted by the garbage collector, which would then let the heap grow by as much again.
type arena struct {
	blocks  []block
	mapping []byte
	weight  uint32 // blocks set aside for it while it is in use
	used    time.Time
}

// grow makes room for at least n blocks. What was in the arena is lost where it has to be mapped anew.
func (a *arena) grow(n uint32) error {
	if uint32(len(a.blocks)) >= n {
		return nil
	}
	a.release()
	size := int(n) * int(unsafe.Sizeof(block{}))
	mapping, err := unix.Mmap(-1, 0, size+hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	start := -uintptr(unsafe.Pointer(&mapping[0])) & (hugePage - 1) //nolint:gosec // an address, never used as one
	usable := mapping[start : start+uintptr(size)]
	advise(usable)
	a.mapping = mapping
	a.blocks = unsafe.Slice((*block)(unsafe.Pointer(&usable[0])), n) //nolint:gosec // n blocks are what usable holds
	return nil
}

// release gives the memory back to the system.
func (a *arena) release() {
	if a.mapping != nil {
		// Of what was mapped here, unmapping cannot fail.
		_ = unix.Munmap(a.mapping)
	}
	a.blocks, a.mapping = nil, nil
}
