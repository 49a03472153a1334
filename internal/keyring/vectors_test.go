package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"caesar/internal/argon2id"
	"caesar/internal/encstring"
)

// The vectors of this file are from the tests of Bitwarden's own implementation,
// github.com/bitwarden/sdk-internal at 7de8f13a, where nothing else is said.

func TestMasterKeysAreThoseOfBitwarden(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(2, 128<<10)
	for _, v := range []struct { // crates/bitwarden-crypto/src/keys/kdf.rs
		kdf  KDF
		want string
	}{
		{KDF{Type: PBKDF2, Iterations: 10_000}, "1f4f68e29647b15ac250acd1118184518aa745a7fe95021b27c5402a16c3564b"},
		{KDF{Type: Argon2id, Iterations: 4, MemoryMiB: 32, Parallelism: 2}, "cff0e1b1a213a34c626ab3afe00911f01493ed2ff6968db83ee183f23335e1f2"},
	} {
		key, err := masterKey(t.Context(), hasher, v.kdf, "test_key", "67t9b5g67$%Dh89n")
		if got := hex.EncodeToString(key); err != nil || got != v.want {
			t.Errorf("%+v: %s, %v", v.kdf, got, err)
		}
	}
}

func TestAuthHashesAreThoseOfBitwarden(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(2, 128<<10)
	for _, v := range []struct { // crates/bitwarden-crypto/src/keys/master_key.rs
		kdf         KDF
		email, want string
	}{
		{KDF{Type: PBKDF2, Iterations: 100_000}, "test@bitwarden.com", "wmyadRMyBZOH7P/a/ucTCbSghKgdzDpPqUnu/DAVtSw="},
		{KDF{Type: PBKDF2, Iterations: 100_000}, " TEST@bitwarden.com", "wmyadRMyBZOH7P/a/ucTCbSghKgdzDpPqUnu/DAVtSw="},
		{KDF{Type: Argon2id, Iterations: 4, MemoryMiB: 32, Parallelism: 2}, "test_salt", "PR6UjYmjmppTYcdyTiNbAhPJuQQOmynKbdEl1oyi/iQ="},
	} {
		key, err := masterKey(t.Context(), hasher, v.kdf, foldSalt(v.email), "asdfasdf")
		if err != nil {
			t.Fatal(err)
		}
		hash, err := authHash(key, "asdfasdf")
		if got := base64.StdEncoding.EncodeToString(hash); err != nil || got != v.want {
			t.Errorf("%+v of %q: %s, %v", v.kdf, v.email, got, err)
		}
	}
}

func TestStretchedKeysAreThoseOfBitwarden(t *testing.T) {
	t.Parallel()
	// crates/bitwarden-crypto/src/keys/utils.rs
	master, _ := hex.DecodeString("1f4f68e29647b15ac250acd1118184518aa745a7fe95021b27c5402a16c3564b")
	const want = "6f1fb22dee9825728fd77c5387adc3178e8678f93d84a3b671c5bdccbc15ed60" +
		"dd7fceea651bca265634221c4e1cb910303d7fa6d1f7c257e81a3055c1f9b39b"
	key, err := stretch(master)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(key.Bytes()); got != want {
		t.Errorf("stretch = %s, want %s", got, want)
	}
}

func TestAUserKeyWrappedByBitwardenOpens(t *testing.T) {
	t.Parallel()
	// crates/bitwarden-wasm-internal/integration-tests/tests/utils.ts
	const wrapped = "2.u2HDQ/nH2J7f5tYHctZx6Q==|NnUKODz8TPycWJA5svexe1wJIz2VexvLbZh2RDfhj5VI3wP8ZkR0Vicvdv7oJRyLI1GyaZDBCf9CTBunRTYUk39DbZl42Rb+Xmzds02EQhc=|rwuo5wgqvTJf3rgwOUfabUyzqhguMYb3sGBjOYqjevc="
	master, err := masterKey(t.Context(), argon2id.NewHasher(1, 128<<10), KDF{Type: PBKDF2, Iterations: 100_000}, "test@bitwarden.com", "asdfasdfasdf")
	if err != nil {
		t.Fatal(err)
	}
	stretched, err := stretch(master)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := stretched.Open(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) != encstring.KeySize {
		t.Errorf("the user key has %d bytes", len(raw))
	}
}

func TestUserKeyIDIsTheThumbprintThatClientsCompute(t *testing.T) {
	t.Parallel()
	raw := make([]byte, encstring.KeySize)
	for i := range raw {
		raw[i] = byte(i)
	}
	key, err := newUserKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	// Posted by Bitwarden's CLI 2026.9.0 for this key.
	if got, want := key.id(), "ac4ecffb2e087a59180d1dd19950b8e9"; got != want {
		t.Errorf("id = %s, want %s", got, want)
	}
}

func TestAuthHashesAreReadStrictly(t *testing.T) {
	t.Parallel()
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32))
	if hash, ok := parseAuthHash(good); !ok || len(hash) != 32 {
		t.Fatalf("parseAuthHash(%s) = %x, %v", good, hash, ok)
	}
	for _, text := range []string{
		"", good[:43], good + "=", good[:40] + "\r\n\r\n", base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32)),
		good[:42] + "/=", base64.StdEncoding.EncodeToString(make([]byte, 31)), base64.StdEncoding.EncodeToString(make([]byte, 33)),
	} {
		if _, ok := parseAuthHash(text); ok {
			t.Errorf("parseAuthHash(%q) takes it", text)
		}
	}
}

func FuzzParseAuthHash(f *testing.F) {
	f.Add("wmyadRMyBZOH7P/a/ucTCbSghKgdzDpPqUnu/DAVtSw=")
	f.Fuzz(func(t *testing.T, text string) {
		if hash, ok := parseAuthHash(text); ok && base64.StdEncoding.EncodeToString(hash) != text {
			t.Errorf("%q is read as %x", text, hash)
		}
	})
}
