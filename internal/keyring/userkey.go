package keyring

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"caesar/internal/encstring"
)

// UserKey is a user's key, open. It is safe for concurrent use.
type UserKey struct {
	key *encstring.Key
}

func newUserKey(raw []byte) (*UserKey, error) {
	key, err := encstring.NewKey(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: open user key: %w", ErrTampered, err)
	}
	return &UserKey{key}, nil
}

// NewItemKey draws a key for a new item, and wraps it to be stored beside it.
func (u *UserKey) NewItemKey() (item *encstring.Key, wrapped string, err error) {
	raw := make([]byte, encstring.KeySize)
	rand.Read(raw) // never fails: crypto/rand ends the process instead
	defer clear(raw)
	if item, err = encstring.NewKey(raw); err != nil {
		return nil, "", fmt.Errorf("make item key: %w", err)
	}
	return item, u.key.Seal(raw), nil
}

// ItemKey opens the wrapped key of an item. An item that a client made without one has "", and its
// values are under the user key itself.
func (u *UserKey) ItemKey(wrapped string) (*encstring.Key, error) {
	if wrapped == "" {
		return u.key, nil
	}
	raw, err := u.key.Open(wrapped)
	if err != nil {
		return nil, fmt.Errorf("unwrap item key: %w", err)
	}
	defer clear(raw)
	item, err := encstring.NewKey(raw)
	if err != nil {
		return nil, fmt.Errorf("unwrap item key: %w", err)
	}
	return item, nil
}

// id is the user key id: the first 16 bytes, in lowercase hexadecimal, of the thumbprint of the key as a
// symmetric COSE key (RFC 9679): SHA-256 of the CBOR map {1: 4, -1: key}.
func (u *UserKey) id() string {
	raw := u.key.Bytes()
	defer clear(raw)
	cose := append([]byte{0xa2, 0x01, 0x04, 0x20, 0x58, encstring.KeySize}, raw...)
	defer clear(cose)
	thumbprint := sha256.Sum256(cose)
	return hex.EncodeToString(thumbprint[:16])
}
