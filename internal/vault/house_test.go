package vault_test

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/fault"
	"caesar/internal/keyring"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// The passwords of everybody in these tests.
const (
	loginPassword = "login password 登录"
	mainPassword  = "main password 主"
)

// hasher is shared: its slots bound the memory of all tests together.
var hasher = argon2id.NewHasher(2, 128<<10)

// root is shared, so that vault keys made once serve every database.
var root = sync.OnceValue(func() *rootkey.Ring {
	folder, err := os.MkdirTemp("", "caesar-test")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	ring, err := rootkey.LoadOrCreate(filepath.Join(folder, "root.key"))
	if err != nil {
		panic(err)
	}
	return ring
})

// cheap is the least that a vault may cost.
var cheap = keyring.KDF{Type: keyring.Argon2id, Iterations: 2, MemoryMiB: 16, Parallelism: 1}

// draft is everybody's vault keys but for what binds them to a user: making an RSA pair is dear.
var draft = sync.OnceValue(func() *keyring.Draft {
	d, err := keyring.New(root(), hasher, cheap, time.Now).Make(context.Background(), "marcus@example.org", mainPassword)
	if err != nil {
		panic(err)
	}
	return d
})

// owners are people whose login password is the usual one.
type owners struct{}

func (owners) IsLoginPassword(_ context.Context, _ int64, given string) (bool, int64, error) {
	return given == loginPassword, 1, nil
}

func (owners) Email(context.Context, int64) (string, error) { return "marcus@example.org", nil }

func (owners) MainPasswordNotice(context.Context, int64, phrase.Language) ([]byte, error) {
	return []byte("sealed"), nil
}

func (owners) LetterQueued() {}

// house is a vault over a database of its own, with a clock that a test sets.
type house struct {
	*vault.Service
	t     *testing.T
	store *sqlstore.Store
	keys  *keyring.Keyring
	path  string

	mu   sync.Mutex
	time time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseOn(t, func(s *sqlstore.Store) vault.Store { return s })
}

// newHouseOn is newHouse with something between the vault and the store.
func newHouseOn(t *testing.T, between func(*sqlstore.Store) vault.Store) *house {
	t.Helper()
	h := &house{t: t, path: filepath.Join(t.TempDir(), "caesar.db"), time: time.Unix(1_800_000_000, 0)}
	var err error
	h.store, err = sqlstore.OpenSQLite(t.Context(), h.path)
	h.must(err)
	t.Cleanup(func() {
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
	h.keys = keyring.New(root(), hasher, cheap, h.now)
	h.Service = vault.NewService(vault.Config{
		Store: between(h.store), Keys: h.keys, Guard: throttle.New(root(), h.store, h.now), Owners: owners{}, Root: root(),
		LeastMainPassword: 6, Now: h.now,
	})
	return h
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.time
}

func (h *house) advance(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.time = h.time.Add(by)
}

// person is somebody active, with the usual main password or none.
func (h *house) person(name string, withKeys bool) int64 {
	h.t.Helper()
	bind := func(int64) ([]byte, *keyring.Record, error) { return []byte("password"), nil, nil }
	if withKeys {
		bind = func(id int64) ([]byte, *keyring.Record, error) {
			record := draft().Bind(id)
			return []byte("password"), &record, nil
		}
	}
	id, err := h.store.Register(h.t.Context(), user.NewUser{
		Profile: user.Profile{Name: name}, NameHandle: user.Handle(name), EmailHandle: user.Handle(name + "@example.org"),
		Status: user.Active, Now: h.now(), Bind: bind,
	})
	h.must(err)
	return id
}

// asker is a new session of somebody's.
func (h *house) asker(userID int64) session.Asker {
	h.t.Helper()
	o := session.Open(userID, session.Device{}, session.Long, h.now())
	done, err := h.store.SignIn(h.t.Context(), user.SignIn{Opening: o, Credential: 1})
	if err != nil || !done {
		h.t.Fatal(done, err)
	}
	who, err := h.store.FindSession(h.t.Context(), userID, o.TokenHash, h.now())
	h.must(err)
	return session.Asker{Identity: who, Visitor: session.Visitor{Address: netip.MustParseAddr("192.0.2.1"), Language: phrase.English}}
}

// owner is a session of somebody with a main password.
func (h *house) owner(name string) session.Asker {
	h.t.Helper()
	return h.asker(h.person(name, true))
}

var plain = vault.Plain{
	Name: "marcus 马可", Email: "marcus@work.example", Password: "hunter2\nline two", Platform: "GitHub 微信", URL: "https://github.com/login?next=%2F",
}

func (h *house) create(who session.Asker, p vault.Plain) int64 {
	h.t.Helper()
	id, err := h.Create(h.t.Context(), who, mainPassword, p)
	h.must(err)
	return id
}

// actions is the log of an item or, where id is 0, of the whole user, newest first.
func (h *house) actions(who session.Asker, id int64) []vault.Action {
	h.t.Helper()
	page := vault.Page{Number: 1, Size: 200}
	entries, count, err := h.Log(h.t.Context(), who, page)
	if id != 0 {
		entries, count, err = h.ItemLog(h.t.Context(), who, id, page)
	}
	h.must(err)
	if count != int64(len(entries)) {
		h.t.Errorf("the log has %d entries and counts %d", len(entries), count)
	}
	var actions []vault.Action
	for _, e := range entries {
		actions = append(actions, e.Action)
	}
	return actions
}

func (h *house) logs(who session.Asker, id int64, want ...vault.Action) {
	h.t.Helper()
	if got := h.actions(who, id); !slices.Equal(got, want) {
		h.t.Errorf("the log of item %d is %v, want %v", id, got, want)
	}
}

// alter changes the database behind the server's back, as somebody with the file in hand could.
func (h *house) alter(statement string, args ...any) {
	h.t.Helper()
	db, err := sql.Open("sqlite", h.path)
	h.must(err)
	defer func() { _ = db.Close() }()
	result, err := db.ExecContext(h.t.Context(), statement, args...)
	h.must(err)
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		h.t.Fatalf("%s changed nothing: %v", statement, err)
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// refused ends the test where an error is not a fault with a slug, at the fields named.
func (h *house) refused(err error, slug string, fields ...string) {
	h.t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Slug != slug {
		h.t.Fatalf("the error is %v, want %s", err, slug)
	}
	var got []string
	for field := range e.Fields {
		got = append(got, field)
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		h.t.Fatalf("%s is laid at %q, want %q", slug, got, fields)
	}
}
