package vaultapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/httpd"
	"caesar/internal/httpd/vaultapi"
	"caesar/internal/httpd/wire"
	"caesar/internal/keyring"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

const mainPassword = "main password"

// unread takes a line of the log, which costs its making though nobody reads it.
type unread struct{}

func (unread) Write(b []byte) (int, error) { return len(b), nil }

// office is the whole of the server below its network, with somebody logged in who keeps a thousand items.
type office struct {
	*httpd.Server
	token string
}

func newOffice(b *testing.B) *office {
	b.Helper()
	store, err := sqlstore.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "caesar.db"))
	must(b, err)
	b.Cleanup(func() { _ = store.Close() })
	root, err := rootkey.LoadOrCreate(filepath.Join(b.TempDir(), "root.key"))
	must(b, err)
	hasher := argon2id.NewHasher(1, 64<<10)
	keys := keyring.New(root, hasher, keyring.KDF{Type: keyring.Argon2id, Iterations: 2, MemoryMiB: 16, Parallelism: 1}, time.Now)
	draft, err := keys.Make(b.Context(), "marcus@example.org", mainPassword)
	must(b, err)
	id, err := store.Register(b.Context(), user.NewUser{
		NameHandle: "marcus", EmailHandle: "marcus@example.org", Status: user.Active, Now: time.Now(),
		Bind: func(id int64) ([]byte, *keyring.Record, error) {
			record := draft.Bind(id)
			return []byte("password"), &record, nil
		},
	})
	must(b, err)
	o := session.Open(id, session.Device{}, session.Long, time.Now())
	_, err = store.SignIn(b.Context(), user.SignIn{Opening: o, Credential: 1})
	must(b, err)
	guard := throttle.New(root, store, time.Now)
	server, err := httpd.New(httpd.Options{
		Surfaces: []wire.Surface{vaultapi.New(vaultapi.Services{
			Vault:    vault.NewService(vault.Config{Store: store, Keys: keys, Guard: guard, Root: root, Now: time.Now}),
			Sessions: session.NewService(store, keys, time.Now, slog.New(slog.DiscardHandler)),
			Zone:     time.UTC,
		})},
		Ready: func(context.Context) map[string]error { return nil },
		Log:   slog.New(slog.NewTextHandler(unread{}, nil)),
	})
	must(b, err)
	f := &office{server, o.Token}
	var all sync.WaitGroup
	for n := range 10 { // together, so that they share commits
		all.Go(func() {
			for k := range 100 {
				f.ask(b, "POST", "/api/auth/account", create(n*100+k))
			}
		})
	}
	all.Wait()
	return f
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func create(n int) string {
	return fmt.Sprintf(`{"name":"marcus","email":"marcus@work.example","password":"hunter2","platform":"platform %d of %d","url":"https://example.org/%d","main_password":%q}`,
		n, n%100, n, mainPassword)
}

// ask has a request answered, and returns how long the answer is.
func (f *office) ask(b *testing.B, method, path, body string) int {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+f.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.Len()
}

// What a request costs in all but the network, together with its making here.
func BenchmarkRequest(b *testing.B) {
	f := newOffice(b)
	for _, c := range []struct{ name, method, path, body string }{
		{"list", "GET", "/api/auth/account?page_size=20&page=", ""},
		{"search", "GET", "/api/auth/account?page_size=20&platform=of+42&n=", ""},
		{"view", "POST", "/api/auth/account/", `{"main_password":"` + mainPassword + `"}`},
		{"log", "GET", "/api/auth/account/7/log?page_size=20&n=", ""},
		{"create", "POST", "/api/auth/account?n=", create(42)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if f.ask(b, c.method, c.path+strconv.Itoa(1+n%50), c.body) < 20 {
					b.Fatal("there is no answer")
				}
			}
		})
	}
}
