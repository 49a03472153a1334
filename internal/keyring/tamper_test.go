package keyring_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"caesar/internal/encstring"
	"caesar/internal/keyring"
)

func TestEveryAlterationOfARecordIsTampering(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	r, other := makeRecord(t, k, 7), makeRecord(t, k, 8)
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
		return b
	}
	for name, alter := range map[string]func(*keyring.Record){
		"revision":            func(r *keyring.Record) { r.Revision++ },
		"KDF type":            func(r *keyring.Record) { r.KDF.Type = keyring.PBKDF2 },
		"iterations":          func(r *keyring.Record) { r.KDF.Iterations++ },
		"memory":              func(r *keyring.Record) { r.KDF.MemoryMiB++ },
		"parallelism":         func(r *keyring.Record) { r.KDF.Parallelism++ },
		"salt":                func(r *keyring.Record) { r.Salt = "x" + r.Salt },
		"user key":            func(r *keyring.Record) { r.SealedUserKey = flip(r.SealedUserKey) },
		"verifier":            func(r *keyring.Record) { r.Verifier = flip(r.Verifier) },
		"public key":          func(r *keyring.Record) { r.PublicKey = flip(r.PublicKey) },
		"private key":         func(r *keyring.Record) { r.WrappedPrivateKey += "=" },
		"user key id":         func(r *keyring.Record) { r.UserKeyID = strings.Repeat("0", 32) },
		"MAC":                 func(r *keyring.Record) { r.MAC = flip(r.MAC) },
		"no MAC":              func(r *keyring.Record) { r.MAC = nil },
		"another's user key":  func(r *keyring.Record) { r.SealedUserKey = other.SealedUserKey },
		"another's key pair":  func(r *keyring.Record) { r.PublicKey, r.WrappedPrivateKey = other.PublicKey, other.WrappedPrivateKey },
		"another's record":    func(r *keyring.Record) { *r = other },
		"nothing at all":      func(r *keyring.Record) { *r = keyring.Record{} },
		"bytes moved between": func(r *keyring.Record) { r.Salt, r.UserKeyID = r.Salt+r.UserKeyID[:1], r.UserKeyID[1:] },
	} {
		altered := r
		alter(&altered)
		if err := k.Check(7, altered); !errors.Is(err, keyring.ErrTampered) {
			t.Errorf("%s: Check = %v", name, err)
		}
		if _, err := k.Unlock(t.Context(), 7, altered, password); !errors.Is(err, keyring.ErrTampered) {
			t.Errorf("%s: Unlock = %v", name, err)
		}
		if _, err := k.Rewrap(t.Context(), 7, altered, nil, email, "next"); !errors.Is(err, keyring.ErrTampered) {
			t.Errorf("%s: Rewrap = %v", name, err)
		}
	}
	if err := k.Check(7, r); err != nil {
		t.Errorf("the record itself: %v", err)
	}
}

func TestARecordIsOfNoUseWithoutTheRootKey(t *testing.T) {
	t.Parallel()
	r := makeRecord(t, newKeyring(t), 7)
	if _, err := newKeyring(t).Unlock(t.Context(), 7, r, password); !errors.Is(err, keyring.ErrTampered) {
		t.Errorf("Unlock under another root key = %v", err)
	}
	if bytes.Contains(r.SealedUserKey, []byte("2.")) && bytes.Contains(r.SealedUserKey, []byte("|")) {
		if text := string(r.SealedUserKey); encstring.Valid(text[strings.Index(text, "2."):]) {
			t.Error("the wrapped user key lies there to be guessed at")
		}
	}
}
