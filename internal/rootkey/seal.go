package rootkey

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrBroken means that what was to be opened was not sealed by this server for this purpose and bound to
// these parts: altered, cut, moved from elsewhere, or made under a root key that is no longer there.
var ErrBroken = errors.New("rootkey: sealed value is broken or does not belong here")

// Sealer encrypts and authenticates for one purpose. It is safe for concurrent use.
type Sealer struct {
	keys []sealKey
}

type sealKey struct {
	root root
	aead cipher.AEAD
}

// Sealer returns the sealer for a purpose. Two purposes never open each other's values.
func (r *Ring) Sealer(purpose string) *Sealer {
	s := &Sealer{keys: make([]sealKey, len(r.roots))}
	for i, root := range r.roots {
		aead, err := chacha20poly1305.NewX(root.derive("seal", purpose))
		if err != nil {
			panic("rootkey: make sealer: " + err.Error()) // only in FIPS 140-only mode
		}
		s.keys[i] = sealKey{root, aead}
	}
	return s
}

// Seal encrypts plaintext with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under a random nonce and
// binds it to the given parts, which must be shown again to open it. The result is
//
//	root key id (4) || nonce (24) || ciphertext || tag (16)
//
// with the parts as associated data, each behind its length as eight bytes, big-endian.
func (s *Sealer) Seal(plaintext []byte, bound ...[]byte) []byte {
	key := s.keys[0]
	head := idSize + key.aead.NonceSize()
	sealed := make([]byte, head, head+len(plaintext)+key.aead.Overhead())
	copy(sealed, key.root.id[:])
	rand.Read(sealed[idSize:])
	return key.aead.Seal(sealed, sealed[idSize:], plaintext, frame(nil, bound))
}

// Open returns what was sealed, or ErrBroken. The caller may keep and change what it gets.
func (s *Sealer) Open(sealed []byte, bound ...[]byte) ([]byte, error) {
	for _, key := range s.keys {
		head := idSize + key.aead.NonceSize()
		if len(sealed) < head || !key.root.made(sealed) {
			continue
		}
		plaintext, err := key.aead.Open(nil, sealed[idSize:head], sealed[head:], frame(nil, bound))
		if err == nil {
			return plaintext, nil
		}
	}
	return nil, ErrBroken
}

// frame appends the parts to buf, each behind its length, so that no two lists of parts are the same
// bytes.
func frame(buf []byte, parts [][]byte) []byte {
	for _, part := range parts {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(part)))
		buf = append(buf, part...)
	}
	return buf
}
