package main

import (
	"log/slog"
	"runtime"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/backup"
	"caesar/internal/captcha"
	"caesar/internal/httpd/vaultapi"
	"caesar/internal/keyring"
	"caesar/internal/mail"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// wireServices makes the domain services over a store.
func wireServices(s *settings.Settings, root *rootkey.Ring, store *sqlstore.Store, backups *backup.Service, post *mail.Post, log *slog.Logger) vaultapi.Services {
	now := time.Now
	hasher := newHasher(s)
	keys := keyring.New(root, hasher, keyring.KDF{
		Type: keyring.Argon2id, Iterations: int(s.MainKDF.Passes), MemoryMiB: int(s.MainKDF.MemoryMiB), Parallelism: 1,
	}, now)
	guard := throttle.New(root, store, now)
	users := user.NewService(user.Config{
		Store: store, Hasher: hasher, Keys: keys, Guard: guard, Post: post, Root: root,
		Belongings:    []user.Belongings{backups},
		LeastPassword: s.LoginPasswordMin, LeastMemberPassword: s.MemberPasswordMin, LeastMainPassword: s.MainPasswordMin,
		ClosingGrace: s.ClosingGrace, HideMembers: s.HideMembers, RequireOld: s.RequireOld,
		Now: now,
	})
	return vaultapi.Services{
		Users: users,
		Vault: vault.NewService(vault.Config{
			Store: store, Keys: keys, Guard: guard, Owners: users, Root: root,
			LeastMainPassword: s.MainPasswordMin, Now: now,
		}),
		Sessions: session.NewService(store, keys, now, log),
		Captcha:  captcha.New(root, store, s.Captcha, now),
		Zone:     time.Local,
	}
}

// newHasher returns the hasher of all passwords: one slot for each core, in the memory of the settings.
func newHasher(s *settings.Settings) *argon2id.Hasher {
	slots := runtime.GOMAXPROCS(0)
	memory := uint32(s.HashMemory >> 10)
	if memory == 0 {
		memory = argon2id.Budget(slots, max(argon2id.Login.MemoryKiB, s.MainKDF.MemoryMiB<<10))
	}
	return argon2id.NewHasher(slots, memory)
}
