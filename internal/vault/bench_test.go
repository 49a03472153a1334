package vault_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/keyring"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// benched returns a vault whose owner, in a session that is unlocked, keeps a thousand items.
func benched(b *testing.B) (s *vault.Service, who session.Asker, ids []int64) {
	b.Helper()
	store, err := sqlstore.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "caesar.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	keys := keyring.New(root(), hasher, cheap, time.Now)
	s = vault.NewService(vault.Config{
		Store: store, Keys: keys, Guard: throttle.New(root(), store, time.Now), Owners: owners{}, Root: root(), Now: time.Now,
	})
	id, err := store.Register(b.Context(), user.NewUser{
		NameHandle: "marcus", EmailHandle: "marcus@example.org", Status: user.Active, Now: time.Now(),
		Bind: func(id int64) ([]byte, *keyring.Record, error) {
			record := draft().Bind(id)
			return []byte("password"), &record, nil
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	who = session.Asker{
		Identity: session.NewIdentity(id, 1, 1, time.Now()), Visitor: session.Visitor{Address: netip.MustParseAddr("192.0.2.1")},
	}
	ids = make([]int64, 1000)
	var next atomic.Int64
	var all sync.WaitGroup
	for range 64 { // together, so that they share commits
		all.Go(func() {
			for n := next.Add(1); n <= int64(len(ids)); n = next.Add(1) {
				p := plain
				p.Platform = fmt.Sprintf("platform %d of %d", n, n%100)
				if ids[n-1], err = s.Create(b.Context(), who, mainPassword, p); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportAllocs()
	return s, who, ids
}

func BenchmarkList(b *testing.B) {
	s, who, _ := benched(b)
	for name, q := range map[string]vault.Query{"all": {}, "search": {Platform: "of 42"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q.Page = vault.Page{Number: 1, Size: 20}
				if name == "all" {
					q.Page.Number += rand.Int64N(50)
				}
				if items, count, err := s.List(b.Context(), who, q); err != nil || len(items) != min(20, int(count)) {
					b.Fatal(len(items), count, err)
				}
			}
		})
	}
}

func BenchmarkView(b *testing.B) {
	s, who, ids := benched(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if p, err := s.View(b.Context(), who, mainPassword, ids[rand.IntN(len(ids))]); err != nil || p.Name != plain.Name {
				b.Error(p, err)
			}
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	s, who, _ := benched(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Create(b.Context(), who, mainPassword, plain); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkFold(b *testing.B) {
	for name, text := range map[string]string{"ascii": "GitHub Enterprise", "chinese": "微信 WeChat 企业版"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if vault.Fold(text) == text {
					b.Fatal("it is not folded")
				}
			}
		})
	}
}
