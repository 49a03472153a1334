package sqlstore_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/keyring"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// withoutKeys binds a password, and no vault keys, to a new user.
func withoutKeys(int64) (sealedPassword []byte, keys *keyring.Record, err error) {
	return []byte("password"), nil, nil
}

// sealed makes the rows of a user's items, of the size that real ones have.
func sealed(userID int64, platform string) func(id int64) vault.Item {
	const text = "2.AAAAAAAAAAAAAAAAAAAAAA==|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	now := time.Unix(1_800_000_000, 0)
	return func(id int64) vault.Item {
		mac := sha256.Sum256(fmt.Append(nil, id))
		return vault.Item{
			ID: id, UserID: userID, Key: text + text, Name: text, Email: text, Password: text, SealedPlatform: text, SealedURL: text,
			Platform: platform, URL: "https://example.org", CreatedAt: now, UpdatedAt: now, MAC: mac[:],
		}
	}
}

// newUser is an active user's registration.
func newUser(name string) user.NewUser {
	return user.NewUser{
		Profile:     user.Profile{Name: name, RealName: name, Email: name + "@example.org", Phone: "1"},
		NameHandle:  user.Handle(name),
		EmailHandle: user.Handle(name + "@example.org"),
		Status:      user.Active,
		Bind:        withoutKeys,
		Now:         time.Unix(1_800_000_000, 0),
	}
}

func register(t testing.TB, store *sqlstore.Store, name string) int64 {
	t.Helper()
	id, err := store.Register(t.Context(), newUser(name))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sealedVersion makes the row of a user's upload.
func sealedVersion(userID int64) func(id int64) backup.Version {
	return func(id int64) backup.Version {
		mac := sha256.Sum256(fmt.Append(nil, id))
		return backup.Version{ID: id, UserID: userID, Name: "vault.kdbx", Size: 1, Blob: fmt.Sprintf("%x", mac), HeaderSize: 184, CreatedAt: time.Unix(1_800_000_000, 0), MAC: mac[:]}
	}
}
