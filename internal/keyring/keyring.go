// Package keyring makes, opens and rewraps a user's vault keys, in the form that Bitwarden's clients
// read, and remembers for a short while who has just opened theirs.
//
// A main password is stretched by a slow KDF to the master key, and that to the key which wraps the
// 64-byte user key; the user key wraps the keys of items and the private half of an RSA pair. What is
// stored of it is a Record.
//
// What always holds: a Record without the server's root key gives nothing to guess at, for the wrapped
// user key is sealed again under the root key and the verifier is keyed by it; a Record is bound to its
// user and its revision, so that one moved to another user, rolled back in part or altered is ErrTampered and never an
// answer; opening it with a wrong main password costs the full price of the KDF; changing the main
// password leaves the user key as it is, and with it every item. No error holds a secret.
//
// Main passwords come normalised (NFKC) to every function here: the caller sees to it, once, where
// passwords enter.
package keyring

import (
	"encoding/binary"
	"errors"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/rootkey"
)

var (
	// ErrWrongPassword means that a main password is not the one of the record.
	ErrWrongPassword = errors.New("keyring: wrong main password")
	// ErrTampered means that a record is not as this server wrote it for this user: a fault of the store,
	// or somebody's work on it. It is nothing that a user could mend.
	ErrTampered = errors.New("keyring: record was altered or belongs to another user")
)

// Record is what is stored of a user's vault keys. It is safe in a stolen database as long as the root
// key is not stolen with it.
type Record struct {
	Revision          int64  // 1, 2, 3…: rises with every change of the main password
	KDF               KDF    // what the main password costs
	Salt              string // the email at that time, as Bitwarden's clients fold it: lowercase, without outer blanks
	SealedUserKey     []byte // EncString of the user key under the stretched master key, sealed under the root key
	Verifier          []byte // of the auth hash by which a client logs in
	PublicKey         []byte // RSA-2048, SubjectPublicKeyInfo in DER
	WrappedPrivateKey string // EncString of PKCS #8 in DER, under the user key
	UserKeyID         string // 32 hexadecimal digits
	MAC               []byte // over the user's id and all of the above
}

// Keyring makes and opens records. It is safe for concurrent use.
type Keyring struct {
	hasher   *argon2id.Hasher
	kdf      KDF
	sealer   *rootkey.Sealer // of user keys
	verifier *rootkey.MAC    // of auth hashes
	records  *rootkey.MAC
	pairs    *pairMaker
	cache    *cache
}

// New returns a keyring that seals under root, hashes with hasher and makes new records at the costs of
// kdf, which must pass Validate.
func New(root *rootkey.Ring, hasher *argon2id.Hasher, kdf KDF, now func() time.Time) *Keyring {
	return &Keyring{
		hasher:   hasher,
		kdf:      kdf,
		sealer:   root.Sealer("keyring/user-key"),
		verifier: root.MAC("keyring/auth-hash"),
		records:  root.MAC("keyring/record"),
		pairs:    newPairMaker(),
		cache:    newCache(now),
	}
}

// Check returns ErrTampered where the record is not as it was written for this user.
func (k *Keyring) Check(userID int64, r Record) error {
	if !k.records.Verify(r.MAC, r.parts(userID)...) {
		return ErrTampered
	}
	return nil
}

// parts lists everything in the record that its MAC covers.
func (r Record) parts(userID int64) [][]byte {
	return [][]byte{
		number(userID), number(r.Revision),
		number(int64(r.KDF.Type)), number(int64(r.KDF.Iterations)),
		number(int64(r.KDF.MemoryMiB)), number(int64(r.KDF.Parallelism)),
		[]byte(r.Salt), r.SealedUserKey, r.Verifier, r.PublicKey,
		[]byte(r.WrappedPrivateKey), []byte(r.UserKeyID),
	}
}

// number writes an integer as eight bytes, big-endian.
func number(n int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(n))
}
