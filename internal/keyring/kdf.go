package keyring

import (
	"context"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"caesar/internal/argon2id"
	"caesar/internal/encstring"
)

// The types of KDF, as Bitwarden numbers them.
const (
	PBKDF2   = 0 // PBKDF2-HMAC-SHA256
	Argon2id = 1
)

// KDF is what it costs to try a main password. The zero value is no KDF.
type KDF struct {
	Type        int
	Iterations  int // passes over the memory for Argon2id
	MemoryMiB   int // for Argon2id; else 0
	Parallelism int // lanes, for Argon2id; else 0
}

// Validate returns an error for costs outside the range that Bitwarden's clients take.
func (k KDF) Validate() error {
	switch k.Type {
	case PBKDF2:
		if k.Iterations < 5000 || k.Iterations > 2_000_000 || k.MemoryMiB != 0 || k.Parallelism != 0 {
			return errors.New("a KDF of type PBKDF2 takes 5000 to 2000000 iterations and nothing else")
		}
	case Argon2id:
		if k.Iterations < 2 || k.Iterations > 10 || k.MemoryMiB < 16 || k.MemoryMiB > 1024 ||
			k.Parallelism < 1 || k.Parallelism > 16 {
			return errors.New("a KDF of type Argon2id takes 2 to 10 passes over 16 to 1024 MiB in 1 to 16 lanes")
		}
	default:
		return fmt.Errorf("KDF type %d is unknown", k.Type)
	}
	return nil
}

// foldSalt makes the salt of an email as the clients do.
func foldSalt(email string) string {
	return strings.ToLower(strings.TrimSpace(email))
}

const masterKeySize = 32

// masterKey stretches a main password, within the bound on hashes that run at once.
func masterKey(ctx context.Context, hasher *argon2id.Hasher, kdf KDF, salt, mainPassword string) ([]byte, error) {
	if err := kdf.Validate(); err != nil {
		return nil, err
	}
	if kdf.Type == PBKDF2 {
		var key []byte
		err := hasher.Run(ctx, func() (err error) {
			key, err = pbkdf2.Key(sha256.New, mainPassword, []byte(salt), kdf.Iterations, masterKeySize)
			return err
		})
		return key, err
	}
	password := []byte(mainPassword)
	defer clear(password)
	hashed := sha256.Sum256([]byte(salt))
	return hasher.Key(ctx, password, hashed[:], argon2id.Params{
		Passes:    uint32(kdf.Iterations),
		MemoryKiB: uint32(kdf.MemoryMiB) << 10,
		Lanes:     uint8(kdf.Parallelism),
	}, masterKeySize)
}

// stretch makes the key that wraps the user key: HKDF-Expand (RFC 5869, section 2.3) of the master key,
// once for each half.
func stretch(masterKey []byte) (*encstring.Key, error) {
	raw := make([]byte, 0, encstring.KeySize)
	defer func() { clear(raw) }()
	for _, info := range []string{"enc", "mac"} {
		half, err := hkdf.Expand(sha256.New, masterKey, info, encstring.KeySize/2)
		if err != nil {
			return nil, fmt.Errorf("stretch master key: %w", err)
		}
		raw = append(raw, half...)
		clear(half)
	}
	return encstring.NewKey(raw)
}

// authHash is what a client shows to log in, before it is put in base64.
func authHash(masterKey []byte, mainPassword string) ([]byte, error) {
	hash, err := pbkdf2.Key(sha256.New, string(masterKey), []byte(mainPassword), 1, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("make auth hash: %w", err)
	}
	return hash, nil
}

// parseAuthHash reads an auth hash as clients send it.
func parseAuthHash(text string) ([]byte, bool) {
	if len(text) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return nil, false
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(text)
	return hash, err == nil && len(hash) == sha256.Size
}
