package argon2id

// Idle returns how many KiB the hasher holds without using them.
func (h *Hasher) Idle() (kib int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.idle {
		kib += len(a.blocks)
	}
	return kib
}
