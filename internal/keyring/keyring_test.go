package keyring_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/pbkdf2"

	"caesar/internal/argon2id"
	"caesar/internal/encstring"
	"caesar/internal/keyring"
	"caesar/internal/rootkey"
)

// cheap is the least that a vault may cost.
var cheap = keyring.KDF{Type: keyring.Argon2id, Iterations: 2, MemoryMiB: 16, Parallelism: 1}

const (
	email    = " Marcus@Example.org "
	password = "correct horse 电池 staple"
)

var hasher = argon2id.NewHasher(2, 128<<10)

func newRing(t testing.TB) *rootkey.Ring {
	t.Helper()
	ring, err := rootkey.LoadOrCreate(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func newKeyring(t testing.TB) *keyring.Keyring {
	t.Helper()
	return keyring.New(newRing(t), hasher, cheap, time.Now)
}

func makeRecord(t testing.TB, k *keyring.Keyring, userID int64) keyring.Record {
	t.Helper()
	draft, err := k.Make(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	return draft.Bind(userID)
}

func unlock(t testing.TB, k *keyring.Keyring, userID int64, r keyring.Record, password string) *keyring.UserKey {
	t.Helper()
	key, err := k.Unlock(t.Context(), userID, r, password)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rawKey(t testing.TB, u *keyring.UserKey) []byte {
	t.Helper()
	key, err := u.ItemKey("")
	if err != nil {
		t.Fatal(err)
	}
	return key.Bytes()
}

func TestTheMainPasswordOpensWhatItLocked(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	r := makeRecord(t, k, 7)
	if r.Revision != 1 || r.KDF != cheap || r.Salt != "marcus@example.org" {
		t.Errorf("record of revision %d, %+v, salt %q", r.Revision, r.KDF, r.Salt)
	}
	if err := k.Check(7, r); err != nil {
		t.Errorf("Check = %v", err)
	}
	first, second := unlock(t, k, 7, r, password), unlock(t, k, 7, r, password)
	if !bytes.Equal(rawKey(t, first), rawKey(t, second)) {
		t.Error("two unlocks give two keys")
	}
}

func TestWrongPasswordIsRefusedAtTheFullPrice(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	r := makeRecord(t, k, 7)
	for _, wrong := range []string{"", "x", password + " ", strings.ToUpper(password)} {
		if _, err := k.Unlock(t.Context(), 7, r, wrong); !errors.Is(err, keyring.ErrWrongPassword) {
			t.Errorf("Unlock with %q = %v", wrong, err)
		}
	}
	// What is full price: the hash cannot begin without a slot.
	var wg sync.WaitGroup
	busy, done := make(chan struct{}), make(chan struct{})
	one := argon2id.NewHasher(1, 128<<10)
	wg.Go(func() {
		if err := one.Run(t.Context(), func() error { close(busy); <-done; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-busy
	defer wg.Wait()
	defer close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	ring := newRing(t)
	draft, err := keyring.New(ring, hasher, cheap, time.Now).Make(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	_, err = keyring.New(ring, one, cheap, time.Now).Unlock(ctx, 8, draft.Bind(8), "wrong")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Unlock without a slot = %v", err)
	}
}

func TestABitwardenClientWouldOpenIt(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	k := keyring.New(ring, hasher, cheap, time.Now)
	r := makeRecord(t, k, 7)
	user := unlock(t, k, 7, r, password)

	// As Bitwarden's clients do it, by other implementations of the primitives.
	salt := sha256.Sum256([]byte("marcus@example.org"))
	master := argon2.IDKey([]byte(password), salt[:], 2, 16*1024, 1, 32)
	hash := base64.StdEncoding.EncodeToString(pbkdf2.Key(master, []byte(password), 1, 32, sha256.New))
	if !k.VerifyAuthHash(7, r, hash) {
		t.Error("the client's auth hash is refused")
	}
	userKey, _ := user.ItemKey("")
	der, err := userKey.Open(r.WrappedPrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.ParsePKIXPublicKey(r.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pair, ok := private.(*rsa.PrivateKey)
	if !ok || pair.N.BitLen() != 2048 || !pair.PublicKey.Equal(public) {
		t.Error("the key pair is not one of RSA-2048")
	}
}

func TestOnlyTheRightAuthHashVerifies(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	r := makeRecord(t, k, 7)
	salt := sha256.Sum256([]byte(r.Salt))
	master := argon2.IDKey([]byte(password), salt[:], 2, 16*1024, 1, 32)
	raw := pbkdf2.Key(master, []byte(password), 1, 32, sha256.New)
	hash := base64.StdEncoding.EncodeToString(raw)
	if k.VerifyAuthHash(8, r, hash) {
		t.Error("another user logs in with it")
	}
	raw[31] ^= 1
	for _, wrong := range []string{"", "x", hash + "=", hash[:43], base64.StdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw)} {
		if k.VerifyAuthHash(7, r, wrong) {
			t.Errorf("%q verifies", wrong)
		}
	}
	r.Verifier = bytes.Clone(r.Verifier)
	r.Verifier[10] ^= 1
	if k.VerifyAuthHash(7, r, hash) {
		t.Error("an altered record verifies")
	}
}

func TestRewrappingKeepsTheUserKeyAndEndsTheOldPassword(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	before := makeRecord(t, k, 7)
	user := unlock(t, k, 7, before, password)
	item, wrapped, err := user.NewItemKey()
	if err != nil {
		t.Fatal(err)
	}
	after, err := k.Rewrap(t.Context(), 7, before, user, "New@Example.org", "another one")
	if err != nil {
		t.Fatal(err)
	}
	if after.Revision != 2 || after.Salt != "new@example.org" || after.UserKeyID != before.UserKeyID ||
		after.WrappedPrivateKey != before.WrappedPrivateKey || !bytes.Equal(after.PublicKey, before.PublicKey) {
		t.Errorf("record after: %d, %q, %q", after.Revision, after.Salt, after.UserKeyID)
	}
	if _, err := k.Unlock(t.Context(), 7, after, password); !errors.Is(err, keyring.ErrWrongPassword) {
		t.Errorf("the old password: %v", err)
	}
	again := unlock(t, k, 7, after, "another one")
	opened, err := again.ItemKey(wrapped)
	if err != nil || !bytes.Equal(opened.Bytes(), item.Bytes()) {
		t.Errorf("the item's key after the change: %v", err)
	}
	mixed := after
	mixed.SealedUserKey, mixed.Revision = before.SealedUserKey, before.Revision
	if err := k.Check(7, mixed); !errors.Is(err, keyring.ErrTampered) {
		t.Errorf("a record rolled back in part: %v", err)
	}
}

func TestAnotherUsersKeyIsNotWrapped(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	mine, other := makeRecord(t, k, 7), makeRecord(t, k, 8)
	if _, err := k.Rewrap(t.Context(), 7, mine, unlock(t, k, 8, other, password), email, "next"); err == nil {
		t.Error("the key of user 8 ended in the record of user 7")
	}
}

func TestItemKeysOpenUnderTheirUserOnly(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	mine := unlock(t, k, 7, makeRecord(t, k, 7), password)
	other := unlock(t, k, 8, makeRecord(t, k, 8), password)
	item, wrapped, err := mine.NewItemKey()
	if err != nil {
		t.Fatal(err)
	}
	again, err := mine.ItemKey(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(item.Seal([]byte("hunter2"))); err != nil || string(got) != "hunter2" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if _, err := other.ItemKey(wrapped); !errors.Is(err, encstring.ErrMAC) {
		t.Errorf("another user's ItemKey = %v", err)
	}
	userKey, _ := mine.ItemKey("")
	if _, err := mine.ItemKey(userKey.Seal([]byte("too short for a key"))); err == nil {
		t.Error("a key of 19 bytes is taken")
	}
	if _, err := mine.ItemKey("x"); !errors.Is(err, encstring.ErrFormat) {
		t.Errorf("ItemKey(x) = %v", err)
	}
}

func TestARecordOfPBKDF2IsReadToo(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	k := keyring.New(ring, hasher, keyring.KDF{Type: keyring.PBKDF2, Iterations: 5000}, time.Now)
	r := makeRecord(t, k, 7)
	unlock(t, keyring.New(ring, hasher, cheap, time.Now), 7, r, password)
	if _, err := k.Unlock(t.Context(), 7, r, "wrong"); !errors.Is(err, keyring.ErrWrongPassword) {
		t.Errorf("Unlock = %v", err)
	}
}

func TestCostsThatClientsRefuseAreRefused(t *testing.T) {
	t.Parallel()
	for _, kdf := range []keyring.KDF{
		{},
		{Type: 2, Iterations: 3, MemoryMiB: 64, Parallelism: 1},
		{Type: keyring.PBKDF2, Iterations: 4999},
		{Type: keyring.PBKDF2, Iterations: 2_000_001},
		{Type: keyring.PBKDF2, Iterations: 600_000, MemoryMiB: 1},
		{Type: keyring.Argon2id, Iterations: 1, MemoryMiB: 64, Parallelism: 1},
		{Type: keyring.Argon2id, Iterations: 11, MemoryMiB: 64, Parallelism: 1},
		{Type: keyring.Argon2id, Iterations: 3, MemoryMiB: 15, Parallelism: 1},
		{Type: keyring.Argon2id, Iterations: 3, MemoryMiB: 1025, Parallelism: 1},
		{Type: keyring.Argon2id, Iterations: 3, MemoryMiB: 64},
		{Type: keyring.Argon2id, Iterations: 3, MemoryMiB: 64, Parallelism: 17},
	} {
		if kdf.Validate() == nil {
			t.Errorf("%+v is taken", kdf)
		}
		if _, err := keyring.New(newRing(t), hasher, kdf, time.Now).Make(t.Context(), email, password); err == nil {
			t.Errorf("%+v makes a record", kdf)
		}
	}
	for _, kdf := range []keyring.KDF{cheap, {Type: 1, Iterations: 6, MemoryMiB: 32, Parallelism: 4}, {Iterations: 600_000}} {
		if err := kdf.Validate(); err != nil {
			t.Errorf("%+v: %v", kdf, err)
		}
	}
}

func TestManyRecordsMadeAtOnceAreAllTheirOwn(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for id := range int64(6) {
		wg.Go(func() {
			draft, err := k.Make(t.Context(), email, password)
			if err != nil {
				t.Error(err)
				return
			}
			r := draft.Bind(id)
			mu.Lock()
			defer mu.Unlock()
			if seen[string(r.PublicKey)] || seen[r.UserKeyID] {
				t.Error("two users share a key")
			}
			seen[string(r.PublicKey)], seen[r.UserKeyID] = true, true
		})
	}
	wg.Wait()
}

func TestMakingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newKeyring(t).Make(ctx, email, password); !errors.Is(err, context.Canceled) {
		t.Errorf("Make = %v", err)
	}
}
