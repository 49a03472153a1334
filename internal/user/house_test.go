package user_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/fault"
	"caesar/internal/keyring"
	"caesar/internal/mail"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/throttle"
	"caesar/internal/user"
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

// keys are shared too: each keyring makes RSA pairs ahead, which is dear.
var keys = sync.OnceValue(func() *keyring.Keyring { return keyring.New(root(), hasher, cheap, time.Now) })

// clock is the time as a test sets it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is a service over a database of its own.
type house struct {
	*user.Service
	*clock
	t     *testing.T
	store *sqlstore.Store
	path  string
	post  *mail.Post
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseOn(t, func(s user.Store) user.Store { return s })
}

// newHouseOn is newHouse with something between the service and the store.
func newHouseOn(t *testing.T, between func(user.Store) user.Store) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{now: time.Unix(1_800_000_000, 0)}, path: filepath.Join(t.TempDir(), "caesar.db")}
	var err error
	if h.store, err = sqlstore.OpenSQLite(t.Context(), h.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
	h.post = mail.NewPost(root(), h.store, nil, mail.Address{}, "", h.Now, slog.New(slog.DiscardHandler))
	h.Service = user.NewService(user.Config{
		Store: between(h.store), Hasher: hasher, Guard: throttle.New(root(), h.store, h.Now), Post: h.post, Root: root(),
		Keys:          keys(),
		LeastPassword: 6, LeastMemberPassword: 5, LeastMainPassword: 6, ClosingGrace: 30 * 24 * time.Hour, Now: h.Now,
	})
	return h
}

// visitor comes from an address at which nobody has been before.
var visitor = session.Visitor{Address: netip.MustParseAddr("192.0.2.1"), Language: phrase.English}

// form is a registration that nothing is wrong with.
func form(name, email string) user.Form {
	return user.Form{
		Name: name, RealName: "Marcus", Email: email, Phone: "+86 10 1234",
		Password: loginPassword, RePassword: loginPassword, MainPassword: mainPassword,
	}
}

// register registers somebody as on /api, without activating.
func (h *house) register(name, email string) int64 {
	h.t.Helper()
	id, err := h.tryRegister(form(name, email))
	h.must(err)
	return id
}

func (h *house) tryRegister(f user.Form) (int64, error) {
	r, err := h.Check(f)
	if err != nil {
		return 0, err
	}
	return h.Register(h.t.Context(), r, visitor)
}

// keep stores somebody in a state, with the usual login password and without a main password, at none of
// the cost of registering.
func (h *house) keep(status user.Status, name string) int64 {
	h.t.Helper()
	email := name + "@example.org"
	id, err := h.store.Register(h.t.Context(), user.NewUser{
		Profile:    user.Profile{Name: name, RealName: "Marcus", Email: email, Phone: "1"},
		NameHandle: user.HandleOf(name), EmailHandle: user.HandleOf(email),
		Status: status, Language: phrase.English, Now: h.Now(), EraseAt: h.Now().Add(24 * time.Hour),
		Bind: func(id int64) ([]byte, *keyring.Record, error) { return h.SealPassword(id, usualHash()), nil, nil },
	})
	h.must(err)
	return id
}

// usualHash is the hash of the usual login password.
var usualHash = sync.OnceValue(func() string {
	phc, err := hasher.Hash(context.Background(), loginPassword, argon2id.Login)
	if err != nil {
		panic(err)
	}
	return phc
})

// keepWithKeys stores somebody active who has the usual main password too.
func (h *house) keepWithKeys(name string) int64 {
	h.t.Helper()
	id := h.keep(user.Active, name)
	draft, err := h.Keys.Make(h.t.Context(), name+"@example.org", mainPassword)
	h.must(err)
	done, err := h.store.ReplaceKeyRecord(h.t.Context(), id, 1, draft.Bind(id), 0, nil, h.Now())
	h.must(err)
	if !done {
		h.t.Fatal("the keys were not stored")
	}
	return id
}

func (h *house) login(handle, password string) (token string, err error) {
	h.t.Helper()
	c, err := h.CheckLogin(user.Login{Handle: handle, Password: password, Client: "curl/8", Life: session.Long})
	h.must(err)
	return h.Login(h.t.Context(), c, visitor)
}

// asker logs somebody in and returns who then asks.
func (h *house) asker(handle string) session.Asker {
	h.t.Helper()
	token, err := h.login(handle, loginPassword)
	h.must(err)
	who, err := h.identify(token)
	h.must(err)
	return session.Asker{Identity: who, Visitor: visitor}
}

func (h *house) identify(token string) (session.Identity, error) {
	h.t.Helper()
	sessions := session.NewService(h.store, h.Keys, h.Now, slog.New(slog.DiscardHandler))
	return sessions.Identify(h.t.Context(), token)
}

func (h *house) lives(who session.Asker) bool {
	h.t.Helper()
	list, err := h.store.Sessions(h.t.Context(), who.UserID, h.Now())
	h.must(err)
	return slices.ContainsFunc(list, func(s session.Session) bool { return s.ID == who.SessionID })
}

// letters takes what lies in the mail queue out of it, in the order in which it came.
func (h *house) letters() []mail.Letter {
	h.t.Helper()
	queued, err := h.store.ClaimMail(h.t.Context(), h.Now().Add(100*365*24*time.Hour), time.Minute, 1000)
	h.must(err)
	slices.SortFunc(queued, func(a, b mail.Queued) int { return int(a.ID - b.ID) })
	var letters []mail.Letter
	for _, q := range queued {
		l, err := h.post.Open(q.Sealed)
		h.must(err)
		l.ID = ""
		letters = append(letters, l)
		h.must(h.store.MailSent(h.t.Context(), q.ID))
	}
	return letters
}

// letter takes the only letter of the queue.
func (h *house) letter() mail.Letter {
	h.t.Helper()
	letters := h.letters()
	if len(letters) != 1 {
		h.t.Fatalf("the queue holds %d letters: %+v", len(letters), letters)
	}
	return letters[0]
}

// code asks for a code and returns the one that was mailed.
func (h *house) code(email string, purpose user.Purpose) string {
	h.t.Helper()
	h.must(h.SendCode(h.t.Context(), email, string(purpose), visitor))
	l := h.letter()
	if len(l.Code) != 6 || strings.Trim(l.Code, "0123456789") != "" || l.To.String() == "" {
		h.t.Fatalf("the letter is %+v", l)
	}
	return l.Code
}

// wrong is a code that is not the right one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func (h *house) reset(email, code, next string) error {
	h.t.Helper()
	return h.ResetPassword(h.t.Context(), user.Reset{Email: email, Code: code, Password: next, RePassword: next}, visitor)
}

func (h *house) row(id int64) user.User {
	h.t.Helper()
	u, err := h.store.UserByID(h.t.Context(), id)
	h.must(err)
	return u
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
	_ = h.refusal(err, slug, fields...)
}

// refusal is refused, and returns the fault.
func (h *house) refusal(err error, slug string, fields ...string) *fault.Error {
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
	return e
}

// slug is what a fault is known by, for what goes on beside the test.
func slug(err error) string {
	if e := (*fault.Error)(nil); errors.As(err, &e) {
		return e.Slug
	}
	return ""
}
