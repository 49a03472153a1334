package sqlstore_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// benched returns a store with a user who keeps so many items, one in a hundred of them on GitHub.
func benched(b *testing.B, rows int) (*sqlstore.Store, int64) {
	b.Helper()
	store := openSQLite(b, filepath.Join(b.TempDir(), "caesar.db"))
	b.Cleanup(func() { _ = store.Close() })
	id := register(b, store, "marcus")
	var next atomic.Int64
	var all sync.WaitGroup
	for range 128 { // together, so that they share commits
		all.Go(func() {
			for n := next.Add(1); n <= int64(rows); n = next.Add(1) {
				platform := fmt.Sprintf("platform %d of 一百", n)
				if n%100 == 0 {
					platform = "GitHub"
				}
				if _, err := store.CreateItem(b.Context(), id, sealed(id, platform)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return store, id
}

var sizes = []int{1_000, 100_000}

func BenchmarkCreateItem(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			store, id := benched(b, 1000)
			b.ReportAllocs()
			b.SetParallelism((writers + 1) / 2)
			b.ResetTimer()
			create := func() {
				if _, err := store.CreateItem(b.Context(), id, sealed(id, "github")); err != nil {
					b.Error(err)
				}
			}
			if writers == 1 {
				for range b.N {
					create()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					create()
				}
			})
		})
	}
}

func BenchmarkLogView(b *testing.B) {
	store, id := benched(b, 1000)
	items, _, err := store.Items(b.Context(), id, vault.Query{Page: vault.Page{Number: 1, Size: 200}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			item := items[rand.IntN(len(items))]
			if logged, err := store.LogView(b.Context(), id, item.ID, item.MAC, item.CreatedAt); err != nil || !logged {
				b.Error(logged, err)
			}
		}
	})
}

func BenchmarkItems(b *testing.B) {
	for _, rows := range sizes {
		store, id := benched(b, rows)
		for name, q := range map[string]vault.Query{
			"all":      {Page: vault.Page{Number: 1, Size: 20}},
			"deep":     {Page: vault.Page{Number: int64(rows / 40), Size: 20}},
			"search":   {Page: vault.Page{Number: 1, Size: 20}, Platform: "github"},
			"common":   {Page: vault.Page{Number: 1, Size: 20}, Platform: "一百"},
			"nothing":  {Page: vault.Page{Number: 1, Size: 20}, Platform: "nowhere"},
			"by dates": {Page: vault.Page{Number: 1, Size: 20}, From: time.Unix(1, 0), Until: time.Unix(2_000_000_000, 0)},
		} {
			b.Run(fmt.Sprintf("%s of %d", name, rows), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := store.Items(b.Context(), id, q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkFindSession(b *testing.B) {
	store, id := benched(b, 0)
	now := time.Unix(1_800_000_000, 0)
	o := session.Open(id, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, now)
	if done, err := store.SignIn(b.Context(), user.SignIn{Opening: o, Credential: 1}); err != nil || !done {
		b.Fatal(done, err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := store.FindSession(b.Context(), id, o.TokenHash, now); err != nil {
				b.Error(err)
			}
		}
	})
}
