// Package rootkey holds the server's root key and derives from it a key for each purpose: sealing what
// must not lie in the database in the clear, and authenticating what must not be altered there.
//
// What always holds: a key serves one purpose and one construction only, derived by HKDF-SHA256 (RFC
// 5869) from the root key with the info "caesar/v1/<construction>/<purpose>"; what is written names by a
// four-byte id the root key it was made under; the first key of the file makes, every key of it reads.
// A database without the root key gives nothing to read, to forge or to guess at.
package rootkey

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
)

const (
	keySize = 32 // of a root key and of every key derived from it, in bytes
	idSize  = 4
)

// Ring is the root keys of a server: the current one first, then older ones that are still read. It is
// immutable and safe for concurrent use.
type Ring struct {
	roots []root
}

type root struct {
	secret []byte
	id     [idSize]byte
}

func newRing(secrets [][]byte) *Ring {
	r := &Ring{roots: make([]root, len(secrets))}
	for i, secret := range secrets {
		r.roots[i].secret = secret
		copy(r.roots[i].id[:], r.roots[i].derive("id", "")[:idSize])
	}
	return r
}

// derive returns the 32-byte key for a construction ("seal", "mac", "lookup") and a purpose.
func (r root) derive(construction, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, r.secret, nil, "caesar/v1/"+construction+"/"+purpose, keySize)
	if err != nil {
		// Only a length beyond 255 hashes, or a secret shorter than FIPS 140 allows, is refused.
		panic("rootkey: derive key: " + err.Error())
	}
	return key
}

func (r root) made(tagged []byte) bool {
	return bytes.HasPrefix(tagged, r.id[:])
}
