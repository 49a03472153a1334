package sqlstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// benchOnBoth runs a benchmark on each engine, on PostgreSQL where there is one.
func benchOnBoth(b *testing.B, run func(b *testing.B, open opener)) {
	b.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run("engine="+engine, func(b *testing.B) {
			if engine == "postgres" && os.Getenv("CAESAR_TEST_POSTGRES") == "" {
				b.Skip("CAESAR_TEST_POSTGRES is not set")
			}
			run(b, engines[engine])
		})
	}
}

// benched returns a store with a user who keeps so many items, one in a hundred of them on GitHub.
func benched(b *testing.B, open opener, rows int) (*sqlstore.Store, int64) {
	b.Helper()
	store := open(b)
	id := register(b, store, "marcus")
	for done := 0; done < rows; done += 1000 {
		err := store.Write(b.Context(), func(tx *sqlstore.Tx) error {
			for n := done + 1; n <= done+1000; n++ {
				platform := fmt.Sprintf("platform %d of 一百", n)
				if n%100 == 0 {
					platform = "GitHub"
				}
				if err := keep(tx, sealed(id, platform)(int64(n))); err != nil {
					return err
				}
			}
			return tx.Later("UPDATE users SET item_count = item_count + 1000 WHERE id = $1", id)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return store, id
}

// keep stores an item as the store does, with others in one transaction.
func keep(tx *sqlstore.Tx, item vault.Item) error {
	created := tx.Later(`INSERT INTO items (user_id, item_key, name, email, password, sealed_platform, sealed_url,
			platform, platform_folded, url, created_at, updated_at, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		item.UserID, item.Key, item.Name, item.Email, item.Password, item.SealedPlatform, item.SealedURL,
		item.Platform, vault.Fold(item.Platform), item.URL, item.CreatedAt.Unix(), item.UpdatedAt.Unix(), item.MAC)
	logged := tx.Later("INSERT INTO item_log (user_id, item_id, action, created_at) VALUES ($1, $2, 1, $3)", item.UserID, item.ID, item.CreatedAt.Unix())
	return errors.Join(created, logged)
}

var sizes = []int{1_000, 100_000}

// BenchmarkCreateItem has writers write for users of their own: PostgreSQL keeps those of one user apart.
func BenchmarkCreateItem(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, open opener) {
		for _, writers := range []int{1, 16} {
			b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
				store := open(b)
				ids := make(chan int64, writers)
				for i := range writers {
					ids <- register(b, store, fmt.Sprint("m", i))
				}
				b.ReportAllocs()
				b.ResetTimer()
				var left atomic.Int64
				left.Store(int64(b.N))
				var all sync.WaitGroup
				for range writers {
					id := <-ids
					all.Go(func() {
						for left.Add(-1) >= 0 {
							if _, err := store.CreateItem(b.Context(), id, sealed(id, "github")); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
			})
		}
	})
}

func BenchmarkLogView(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, open opener) {
		store, id := benched(b, open, 1000)
		items, _, err := store.Items(b.Context(), id, vault.Query{Page: vault.Page{Number: 1, Size: 200}})
		if err != nil {
			b.Fatal(err)
		}
		view := func(b *testing.B) {
			item := items[rand.IntN(len(items))]
			if logged, err := store.LogView(b.Context(), id, item.ID, item.MAC, item.CreatedAt); err != nil || !logged {
				b.Error(logged, err)
			}
		}
		b.Run("readers=1", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				view(b)
			}
		})
		b.Run("readers=16", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					view(b)
				}
			})
		})
	})
}

func BenchmarkItems(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, open opener) {
		for _, rows := range sizes {
			store, id := benched(b, open, rows)
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
	})
}

func BenchmarkFindSession(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, open opener) {
		store, id := benched(b, open, 0)
		now := time.Unix(1_800_000_000, 0)
		o := session.Open(id, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, now)
		if done, err := store.SignIn(b.Context(), user.SignIn{Opening: o, Credential: 1}); err != nil || !done {
			b.Fatal(done, err)
		}
		find := func(b *testing.B) {
			if _, err := store.FindSession(b.Context(), id, o.TokenHash, now); err != nil {
				b.Error(err)
			}
		}
		b.Run("askers=1", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				find(b)
			}
		})
		b.Run("askers=2", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					find(b)
				}
			})
		})
	})
}
