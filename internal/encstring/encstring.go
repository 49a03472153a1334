// Package encstring seals and opens EncStrings of type 2, the form in which Bitwarden's clients keep
// every secret value:
//
//	"2." base64(iv) "|" base64(ciphertext) "|" base64(mac)
//
// AES-256-CBC with PKCS#7 padding under a random 16-byte iv, then HMAC-SHA256 over iv and ciphertext
// (Bitwarden's security white paper; EncryptionType AesCbc256_HmacSha256_B64). Base64 is the standard
// one, with padding.
//
// What always holds: the mac is verified, in constant time, before anything is decrypted; only the
// canonical spelling is read, so that a value has one text; no error holds anything of the value. Nothing
// in an EncString binds it to its place: whoever stores one must see to that.
package encstring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// KeySize is the length of a key in bytes: 32 for AES-256, then 32 for HMAC-SHA256.
const KeySize = 64

var (
	// ErrFormat means that a text is no EncString of type 2 in its canonical spelling.
	ErrFormat = errors.New("encstring: not an EncString of type 2")
	// ErrMAC means that a value was sealed under another key, or altered.
	ErrMAC = errors.New("encstring: wrong key or altered value")
)

// Key is a key made ready for use. It is safe for concurrent use.
type Key struct {
	raw   [KeySize]byte
	block cipher.Block
	macs  sync.Pool // of *mac
}

// mac is an HMAC under the key's second half, with room for its result.
type mac struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

// NewKey makes a key of 64 bytes, which it copies.
func NewKey(b []byte) (*Key, error) {
	if len(b) != KeySize {
		return nil, fmt.Errorf("make key: %d bytes instead of %d", len(b), KeySize)
	}
	k := &Key{}
	copy(k.raw[:], b)
	block, err := aes.NewCipher(k.raw[:32])
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	k.block = block
	k.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, k.raw[32:])} }
	return k, nil
}

// Bytes returns a copy of the key's 64 bytes.
func (k *Key) Bytes() []byte {
	return append([]byte(nil), k.raw[:]...)
}

// Seal encrypts and authenticates plaintext under a fresh iv.
func (k *Key) Seal(plaintext []byte) string {
	var iv [aes.BlockSize]byte
	rand.Read(iv[:]) // never fails: crypto/rand ends the process instead
	return k.seal(plaintext, iv[:])
}

func (k *Key) seal(plaintext, iv []byte) string {
	padding := aes.BlockSize - len(plaintext)%aes.BlockSize
	raw := make([]byte, aes.BlockSize+len(plaintext)+padding, aes.BlockSize+len(plaintext)+padding+sha256.Size)
	copy(raw, iv)
	ct := raw[aes.BlockSize:]
	for i := copy(ct, plaintext); i < len(ct); i++ {
		ct[i] = byte(padding)
	}
	cipher.NewCBCEncrypter(k.block, iv).CryptBlocks(ct, ct)
	m := k.mac(raw)
	defer k.macs.Put(m)
	return join(raw, m.sum[:])
}

// Open returns what was sealed: ErrFormat for a text that is no EncString, ErrMAC for a wrong key or an
// altered value. The caller may keep and change what it gets.
func (k *Key) Open(s string) ([]byte, error) {
	raw, err := split(s)
	if err != nil {
		return nil, err
	}
	sealed, want := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	m := k.mac(sealed)
	equal := hmac.Equal(m.sum[:], want)
	k.macs.Put(m)
	if !equal {
		return nil, ErrMAC
	}
	iv, ct := sealed[:aes.BlockSize], sealed[aes.BlockSize:]
	cipher.NewCBCDecrypter(k.block, iv).CryptBlocks(ct, ct)
	return unpad(ct)
}

// mac returns the mac of iv and ciphertext, to be put back into k.macs after use.
func (k *Key) mac(sealed []byte) *mac {
	m := k.macs.Get().(*mac) //nolint:errcheck // nothing else is put in
	m.hash.Reset()
	m.hash.Write(sealed)
	m.hash.Sum(m.sum[:0])
	return m
}

// unpad takes the padding off (PKCS#7; RFC 5652, section 6.3). It runs on authenticated text only, so
// that its time and its error tell nothing to somebody who does not hold the key.
func unpad(text []byte) ([]byte, error) {
	n := int(text[len(text)-1])
	if n < 1 || n > aes.BlockSize {
		return nil, ErrFormat
	}
	for _, b := range text[len(text)-n:] {
		if int(b) != n {
			return nil, ErrFormat
		}
	}
	return text[:len(text)-n], nil
}
