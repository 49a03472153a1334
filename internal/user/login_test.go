package user_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"caesar/internal/argon2id"
	"caesar/internal/fault"
	"caesar/internal/mail"
	"caesar/internal/session"
	"caesar/internal/user"
)

func TestALoginTakesANameOrAnEmailInAnySpelling(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	for _, handle := range []string{"marcus", " MARCUS ", "Ｍarcus", "marcus@example.org", "Marcus@EXAMPLE.ORG"} {
		token, err := h.login(handle, loginPassword)
		h.must(err)
		if who, err := h.identify(token); err != nil || who.UserID != id {
			t.Errorf("%q logged in %+v, %v", handle, who, err)
		}
	}
	for _, spelling := range []string{"login password 登录", "ｌｏｇｉｎ password 登录"} {
		if _, err := h.login("marcus", spelling); err != nil {
			t.Errorf("the password as %q: %v", spelling, err)
		}
	}
}

func TestAnUnknownUserAndAWrongPasswordAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	h.keep(user.Closing, "tullius")
	h.keep(user.Pending, "pending")
	var first *fault.Error
	for _, handle := range []string{"marcus", "tullius", "pending", "nobody", "nobody@example.org", "not even a name @@"} {
		_, err := h.login(handle, "wrong password")
		e := h.refusal(err, "login_wrong")
		if first == nil {
			first = e
		}
		if e.Message.String() != first.Message.String() || e.Kind != first.Kind || len(e.Fields) != len(first.Fields) {
			t.Errorf("%q is answered %+v, the first %+v", handle, e, first)
		}
	}
	for range throttle10 {
		for _, handle := range []string{"marcus", "nobody"} {
			if _, err := h.login(handle, "wrong password"); err == nil {
				t.Fatal("a wrong password passed")
			}
		}
	}
	_, known := h.login("marcus", "wrong password")
	_, unknown := h.login("nobody", "wrong password")
	if k, u := h.refusal(known, "too_many"), h.refusal(unknown, "too_many"); k.RetryAfter != u.RetryAfter {
		t.Errorf("a known user waits %s, an unknown one %s", k.RetryAfter, u.RetryAfter)
	}
}

func TestALoginHashesWhetherOrNotTheUserIsKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	slots := argon2id.NewHasher(1, 128<<10)
	h.Hasher = slots
	free := make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- slots.Run(context.Background(), func() error { <-free; return nil })
	}()
	answers := make(chan error, 3)
	for _, handle := range []string{"marcus", "nobody", "nobody@example.org"} {
		c, err := h.CheckLogin(user.Login{Handle: handle, Password: "wrong password", Client: "curl/8", Life: session.Long})
		h.must(err)
		go func() {
			_, err := h.Login(t.Context(), c, visitor)
			answers <- err
		}()
	}
	deadline := time.Now().Add(20 * time.Second)
	for waiting := 0; waiting < 3; waiting, _ = slots.Load() { // each of them wants to hash
		if time.Now().After(deadline) {
			t.Fatalf("only %d logins hash", waiting)
		}
		time.Sleep(time.Millisecond)
	}
	close(free)
	h.must(<-held)
	for range 3 {
		h.refused(<-answers, "login_wrong")
	}
}

func TestAHashOfLowerCostIsMadeAnewAtLogin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	old, err := hasher.Hash(t.Context(), loginPassword, argon2id.Params{Passes: 1, MemoryKiB: 8 * 1024, Lanes: 1})
	h.must(err)
	done, err := h.store.ChangePassword(t.Context(), id, h.row(id).Seen(), h.SealPassword(id, old), 0, h.post.Seal(mail.Nothing()), h.Now())
	h.must(err)
	if !done {
		t.Fatal("the old hash was not stored")
	}
	costs := func() argon2id.Params {
		phc, err := h.PasswordHash(h.row(id))
		h.must(err)
		p, err := argon2id.Parameters(phc)
		h.must(err)
		return p
	}
	_, err = h.login("marcus", "wrong password")
	h.refused(err, "login_wrong")
	if costs() == argon2id.Login {
		t.Fatal("a wrong password made the hash anew")
	}
	first := h.asker("marcus")
	if costs() != argon2id.Login {
		t.Errorf("after a login the hash costs %+v", costs())
	}
	phc, err := h.PasswordHash(h.row(id))
	h.must(err)
	h.asker("marcus")
	if again, err := h.PasswordHash(h.row(id)); err != nil || again != phc {
		t.Errorf("a hash of today's cost was made anew: %v", err)
	}
	if !h.lives(first) {
		t.Error("a better hash of the same password ended a session")
	}
}

func TestAPasswordBelongsToItsRow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	marcus, tullius := h.keep(user.Active, "marcus"), h.keep(user.Active, "tullius")
	// What somebody with the database in hand could do: put a hash they know the password of into
	// another's row.
	done, err := h.store.ChangePassword(t.Context(), marcus, h.row(marcus).Seen(), h.row(tullius).SealedPassword, 0, h.post.Seal(mail.Nothing()), h.Now())
	h.must(err)
	if !done {
		t.Fatal("the hash was not stored")
	}
	_, err = h.login("marcus", loginPassword)
	if e := (*fault.Error)(nil); err == nil || errors.As(err, &e) {
		t.Errorf("a hash of another's row is answered with %v", err)
	}
}

// meddling is a store at which something happens just before a call goes through.
type meddling struct {
	user.Store
	beforeSignIn   func()
	beforeReset    func()
	beforeChange   func()
	beforeRegister func()
}

func (m *meddling) SignIn(ctx context.Context, in user.SignIn) (bool, error) {
	m.beforeSignIn()
	return m.Store.SignIn(ctx, in)
}

func (m *meddling) ResetPassword(ctx context.Context, c user.Code, userID, revision int64, sealed, letter []byte, now time.Time) (bool, error) {
	m.beforeReset()
	return m.Store.ResetPassword(ctx, c, userID, revision, sealed, letter, now)
}

func (m *meddling) ChangePassword(ctx context.Context, userID int64, seen user.Seen, sealed []byte, keep int64, letter []byte, now time.Time) (bool, error) {
	m.beforeChange()
	return m.Store.ChangePassword(ctx, userID, seen, sealed, keep, letter, now)
}

func (m *meddling) Register(ctx context.Context, u user.NewUser) (int64, error) {
	m.beforeRegister()
	return m.Store.Register(ctx, u)
}

func newMeddledHouse(t *testing.T) (*house, *meddling) {
	t.Helper()
	m := &meddling{beforeSignIn: func() {}, beforeReset: func() {}, beforeChange: func() {}, beforeRegister: func() {}}
	h := newHouseOn(t, func(s user.Store) user.Store {
		m.Store = s
		return m
	})
	return h, m
}

func TestALoginThatRacesAResetOpensNoSession(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	id := h.keep(user.Active, "marcus")
	code := h.code("marcus@example.org", user.ForPassword)
	m.beforeSignIn = func() {
		m.beforeSignIn = func() {}
		h.must(h.reset("marcus@example.org", code, "new password"))
	}
	_, err := h.login("marcus", loginPassword)
	h.refused(err, "login_wrong")
	if list, err := h.store.Sessions(t.Context(), id, h.Now()); err != nil || len(list) != 0 {
		t.Errorf("sessions: %v, %v", list, err)
	}
	if _, err := h.login("marcus", "new password"); err != nil {
		t.Error(err)
	}
}

func TestALoginThatRacesAnErasingOpensNoSession(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	m.beforeSignIn = func() { h.must(h.EraseMe(t.Context(), who, loginPassword)) }
	_, err := h.login("marcus", loginPassword)
	h.refused(err, "login_wrong")
	if found := h.rowsOf(who.UserID); len(found) != 0 {
		t.Errorf("of an erased user is left: %v", found)
	}
}

func TestWhatIsNoLoginIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, c := range []struct {
		login  user.Login
		fields []string
	}{
		{user.Login{}, []string{"user_name", "password"}},
		{user.Login{Handle: " ", Password: "x"}, []string{"user_name"}},
		{user.Login{Handle: "a\x00b", Password: "x"}, []string{"user_name"}},
		{user.Login{Handle: fmt.Sprintf("%0321d", 1), Password: "x"}, []string{"user_name"}},
		{user.Login{Handle: "marcus", Password: "x\n"}, []string{"password"}},
	} {
		_, err := h.CheckLogin(c.login)
		h.refused(err, "invalid", c.fields...)
	}
}

func TestASessionLivesAsLongAsItWasOpenedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	for _, life := range []time.Duration{session.Short, session.Long} {
		c, err := h.CheckLogin(user.Login{Handle: "marcus", Password: loginPassword, Client: "curl/8", Life: life})
		h.must(err)
		token, err := h.Login(t.Context(), c, visitor)
		h.must(err)
		h.advance(life - time.Second)
		if _, err := h.identify(token); err != nil {
			t.Errorf("a second before its end: %v", err)
		}
		h.advance(time.Second)
		if _, err := h.identify(token); !errors.Is(err, session.ErrNone) {
			t.Errorf("at its end: %v", err)
		}
	}
}

func TestNothingOnDiskTellsAPasswordACodeOrAToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("Marcus", "marcus@example.org")
	h.must(h.SendCode(t.Context(), "marcus@example.org", "activation", visitor))
	queued, err := h.store.ClaimMail(t.Context(), h.Now(), 0, 10)
	h.must(err)
	l, err := h.post.Open(queued[0].Sealed)
	h.must(err)
	h.must(h.Activate(t.Context(), "marcus@example.org", l.Code, visitor))
	token, err := h.login("marcus", loginPassword)
	h.must(err)
	files, err := filepath.Glob(filepath.Dir(h.path) + "/*")
	h.must(err)
	secrets := []string{loginPassword, mainPassword, l.Code, token, "$argon2id$"}
	for _, name := range files {
		for _, secret := range secrets {
			data, err := os.ReadFile(name)
			h.must(err)
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %.10q", filepath.Base(name), secret)
			}
		}
	}
}
