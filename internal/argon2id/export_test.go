package argon2id

import "context"

// MostWaiting is how many may wait for each slot.
const MostWaiting = mostWaiting

// Idle returns how many KiB the hasher holds without using them.
func (h *Hasher) Idle() (kib int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.idle {
		kib += len(a.blocks)
	}
	return kib
}

// Held returns how many KiB the hasher holds, in use or idle.
func (h *Hasher) Held() (kib int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.idle {
		kib += len(a.blocks)
	}
	return kib + int(h.inUse)
}

// Hold waits for the turn of a hash of a size, and keeps it until done is called.
func (h *Hasher) Hold(kib uint32) (done func()) {
	t, err := h.enter(context.Background(), kib)
	if err != nil {
		panic(err)
	}
	return func() { h.leave(t) }
}
