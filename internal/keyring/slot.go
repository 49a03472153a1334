package keyring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"caesar/internal/encstring"
)

// Draft is a user's first record, all but what binds it to the user. It serves one Bind.
type Draft struct {
	keyring *Keyring
	record  Record
	slot    slot
}

// slot is what a main password makes: the user key wrapped by it, and the proof of knowing it.
type slot struct {
	wrapped  string // EncString of the user key under the stretched master key
	authHash []byte
}

// Make draws a new user key and RSA pair and locks them by the main password. It is the dear part, and
// needs no user id: let it run before a transaction, and Bind within.
func (k *Keyring) Make(ctx context.Context, email, mainPassword string) (*Draft, error) {
	k.pairs.refill() // at work while the password is being hashed
	raw := make([]byte, encstring.KeySize)
	rand.Read(raw) // never fails: crypto/rand ends the process instead
	defer clear(raw)
	key, err := newUserKey(raw)
	if err != nil {
		return nil, err
	}
	d := &Draft{keyring: k, record: Record{
		Revision:  1,
		KDF:       k.kdf,
		Salt:      foldSalt(email),
		UserKeyID: key.id(),
	}}
	if d.slot, err = k.makeSlot(ctx, d.record.KDF, d.record.Salt, mainPassword, key); err != nil {
		return nil, fmt.Errorf("make key slot: %w", err)
	}
	pair, err := k.pairs.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("make key pair: %w", err)
	}
	d.record.PublicKey = pair.public
	d.record.WrappedPrivateKey = key.key.Seal(pair.private)
	clear(pair.private)
	return d, nil
}

// Bind completes the draft for a user. It is cheap.
func (d *Draft) Bind(userID int64) Record {
	return d.keyring.bind(userID, d.record, d.slot)
}

// Unlock opens the user key with the main password, always at the full price of the KDF. It fails with
// ErrWrongPassword, with ErrTampered, or when ctx ends while it waits.
func (k *Keyring) Unlock(ctx context.Context, userID int64, r Record, mainPassword string) (*UserKey, error) {
	if err := k.Check(userID, r); err != nil {
		return nil, err
	}
	wrapped, err := k.sealer.Open(r.SealedUserKey, number(userID), number(r.Revision))
	if err != nil {
		return nil, fmt.Errorf("%w: open user key: %w", ErrTampered, err)
	}
	master, err := masterKey(ctx, k.hasher, r.KDF, r.Salt, mainPassword)
	if err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	defer clear(master)
	stretched, err := stretch(master)
	if err != nil {
		return nil, err
	}
	raw, err := stretched.Open(string(wrapped))
	if errors.Is(err, encstring.ErrMAC) {
		return nil, ErrWrongPassword
	}
	if err != nil {
		return nil, fmt.Errorf("%w: unwrap user key: %w", ErrTampered, err)
	}
	defer clear(raw)
	return newUserKey(raw)
}

// VerifyAuthHash tells whether a client that shows this auth hash, in base64 as the clients send it,
// knows the main password. It is cheap, for the client has paid the price, and takes constant time. A
// record that does not pass Check verifies nothing.
func (k *Keyring) VerifyAuthHash(userID int64, r Record, authHash string) bool {
	hash, ok := parseAuthHash(authHash)
	return ok && k.Check(userID, r) == nil &&
		k.verifier.Verify(r.Verifier, number(userID), number(r.Revision), hash)
}

// Rewrap returns the record of the next revision, in which a new main password, at the costs that now
// hold and with the salt of the email as it now is, opens the same user key. The key is the one that
// Unlock or Recall gave for this record.
func (k *Keyring) Rewrap(ctx context.Context, userID int64, r Record, key *UserKey, email, newMainPassword string) (Record, error) {
	if err := k.Check(userID, r); err != nil {
		return Record{}, err
	}
	if key.id() != r.UserKeyID {
		return Record{}, errors.New("rewrap user key: the key is not the record's")
	}
	r.Revision++
	r.KDF = k.kdf
	r.Salt = foldSalt(email)
	s, err := k.makeSlot(ctx, r.KDF, r.Salt, newMainPassword, key)
	if err != nil {
		return Record{}, fmt.Errorf("rewrap user key: %w", err)
	}
	return k.bind(userID, r, s), nil
}

func (k *Keyring) makeSlot(ctx context.Context, kdf KDF, salt, mainPassword string, key *UserKey) (slot, error) {
	master, err := masterKey(ctx, k.hasher, kdf, salt, mainPassword)
	if err != nil {
		return slot{}, fmt.Errorf("make master key: %w", err)
	}
	defer clear(master)
	stretched, err := stretch(master)
	if err != nil {
		return slot{}, err
	}
	hash, err := authHash(master, mainPassword)
	if err != nil {
		return slot{}, err
	}
	raw := key.key.Bytes()
	defer clear(raw)
	return slot{wrapped: stretched.Seal(raw), authHash: hash}, nil
}

// bind puts a slot into a record and authenticates the whole for a user.
func (k *Keyring) bind(userID int64, r Record, s slot) Record {
	user, revision := number(userID), number(r.Revision)
	r.SealedUserKey = k.sealer.Seal([]byte(s.wrapped), user, revision)
	r.Verifier = k.verifier.Sum(user, revision, s.authHash)
	r.MAC = k.records.Sum(r.parts(userID)...)
	return r
}
