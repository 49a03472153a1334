package rootkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"sync"
)

// MAC authenticates for one purpose, with HMAC-SHA256 (RFC 2104). It is safe for concurrent use, and
// verifying allocates nothing.
type MAC struct {
	keys   []macKey
	lookup *hmacPool // of the current root key
}

type macKey struct {
	root root
	pool *hmacPool
}

// MAC returns the authenticator for a purpose. Make it once and keep it: its keys are prepared.
func (r *Ring) MAC(purpose string) *MAC {
	m := &MAC{
		keys:   make([]macKey, len(r.roots)),
		lookup: newHMACPool(r.roots[0].derive("lookup", purpose)),
	}
	for i, root := range r.roots {
		m.keys[i] = macKey{root, newHMACPool(root.derive("mac", purpose))}
	}
	return m
}

// Sum authenticates a list of parts under the current root key:
//
//	root key id (4) || HMAC-SHA256 (32)
//
// over the parts, each behind its length as eight bytes, big-endian.
func (m *MAC) Sum(parts ...[]byte) []byte {
	key := m.keys[0]
	sum := make([]byte, idSize, idSize+sha256.Size)
	copy(sum, key.root.id[:])
	state := key.pool.sum(parts)
	sum = append(sum, state.out[:]...)
	key.pool.put(state)
	return sum
}

// Verify tells whether mac was made by Sum over the same parts, under any root key that is there. What
// it takes does not depend on where the two differ.
func (m *MAC) Verify(mac []byte, parts ...[]byte) bool {
	if len(mac) != idSize+sha256.Size {
		return false
	}
	for _, key := range m.keys {
		if !key.root.made(mac) {
			continue
		}
		state := key.pool.sum(parts)
		equal := subtle.ConstantTimeCompare(state.out[:], mac[idSize:]) == 1
		key.pool.put(state)
		if equal {
			return true
		}
	}
	return false
}

// Key returns 32 bytes that stand for a list of parts and tell nothing of them: the key under which
// something is looked up, or the keyed hash of a code. It is made under the current root key only, so a
// new root key forgets what was stored by the old one; use it for what may be forgotten. No Sum of the
// same purpose gives it away.
func (m *MAC) Key(parts ...[]byte) []byte {
	state := m.lookup.sum(parts)
	key := append(make([]byte, 0, sha256.Size), state.out[:]...)
	m.lookup.put(state)
	return key
}

// hmacPool hands out prepared HMAC states of one key. Starting one anew costs two hash blocks and some
// garbage, which the list of a vault would pay for each of its rows.
type hmacPool struct {
	pool sync.Pool
}

type hmacState struct {
	hash hash.Hash
	buf  []byte
	out  [sha256.Size]byte
}

func newHMACPool(key []byte) *hmacPool {
	return &hmacPool{sync.Pool{New: func() any {
		return &hmacState{hash: hmac.New(sha256.New, key)}
	}}}
}

// sum leaves the HMAC of the framed parts in the state's out. The parts are copied to the state first,
// so that they need not live on the heap of the caller.
func (p *hmacPool) sum(parts [][]byte) *hmacState {
	state := p.pool.Get().(*hmacState) //nolint:errcheck // nothing else is put in
	state.buf = frame(state.buf[:0], parts)
	state.hash.Reset()
	state.hash.Write(state.buf)
	state.hash.Sum(state.out[:0])
	return state
}

// maxBuffer is the largest buffer that is kept for the next one to come, in bytes.
const maxBuffer = 16 << 10

// put takes a state back. It wipes what the state saw: parts may be codes and passwords.
func (p *hmacPool) put(state *hmacState) {
	clear(state.buf)
	clear(state.out[:])
	if cap(state.buf) <= maxBuffer {
		p.pool.Put(state)
	}
}
