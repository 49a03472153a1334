package session_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"caesar/internal/keyring"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
)

// forgetful is a memory that has nothing to forget.
type forgetful struct{}

func (forgetful) Forget(string)    {}
func (forgetful) ForgetUser(int64) {}

// What every request with a session pays first.
func BenchmarkIdentify(b *testing.B) {
	store, err := sqlstore.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "caesar.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	id, err := store.Register(b.Context(), user.NewUser{
		NameHandle: "marcus", EmailHandle: "marcus@example.org", Status: user.Active, Now: time.Now(),
		Bind: func(int64) ([]byte, *keyring.Record, error) { return []byte("password"), nil, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	o := session.Open(id, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, time.Now())
	if done, err := store.SignIn(b.Context(), user.SignIn{Opening: o, Credential: 1}); err != nil || !done {
		b.Fatal(done, err)
	}
	s := session.NewService(store, forgetful{}, time.Now, slog.New(slog.DiscardHandler))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if who, err := s.Identify(context.Background(), o.Token); err != nil || who.UserID != id {
				b.Error(who, err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if o := session.Open(7, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, now); o.Token == "" {
			b.Fatal("no token")
		}
	}
}
