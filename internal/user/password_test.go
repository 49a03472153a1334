package user_test

import (
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/mail"
	"caesar/internal/phrase"
	"caesar/internal/user"
)

const nextPassword = "another password"

func TestAChangeOfPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keepWithKeys("marcus")
	mine, other := h.asker("marcus"), h.asker("marcus")
	h.letters()
	h.must(h.ChangePassword(t.Context(), mine, loginPassword, nextPassword, nextPassword))
	if !h.lives(mine) || h.lives(other) {
		t.Errorf("the session that asked lives: %v, the other: %v", h.lives(mine), h.lives(other))
	}
	want := mail.PasswordChangedNotice(h.address("marcus@example.org"), "marcus", phrase.English)
	if got := h.letter(); !reflect.DeepEqual(got, want) {
		t.Errorf("the letter is %+v, want %+v", got, want)
	}
	_, err := h.login("marcus", loginPassword)
	h.refused(err, "login_wrong")
	if _, err := h.login("marcus", nextPassword); err != nil {
		t.Error(err)
	}
}

func (h *house) address(email string) mail.Address {
	h.t.Helper()
	a, err := mail.ParseAddress(email)
	h.must(err)
	return a
}

func TestAWrongOldPasswordChangesNothingAndCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	was := h.row(who.UserID)
	for range throttle10 {
		h.refused(h.ChangePassword(t.Context(), who, "wrong password", nextPassword, nextPassword), "login_wrong", "old_password")
	}
	h.refused(h.ChangePassword(t.Context(), who, loginPassword, nextPassword, nextPassword), "too_many")
	if now := h.row(who.UserID); !reflect.DeepEqual(now, was) {
		t.Errorf("the user became %+v", now)
	}
	// The guesses were made from where the owner was right before: from elsewhere is not slowed by that.
	elsewhere := who
	elsewhere.Address = netip.MustParseAddr("198.51.100.7")
	h.must(h.ChangePassword(t.Context(), elsewhere, loginPassword, nextPassword, nextPassword))
}

func TestANewPasswordIsTypedTwiceAndLongEnough(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	h.refused(h.ChangePassword(t.Context(), who, loginPassword, nextPassword, nextPassword+"x"), "invalid", "re_password")
	h.refused(h.ChangePassword(t.Context(), who, loginPassword, "short", "short"), "invalid", "password")
	h.refused(h.ChangePassword(t.Context(), who, "", nextPassword, nextPassword), "invalid", "old_password")
	h.must(h.ChangePassword(t.Context(), who, loginPassword, nextPassword, "ａnother password"))
}

func TestOfManyChangesAtOnceOneIsDone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	var done atomic.Int64
	var all sync.WaitGroup
	for _, next := range []string{"password 1", "password 2", "password 3", "password 4"} {
		all.Go(func() {
			if err := h.ChangePassword(t.Context(), who, loginPassword, next, next); err == nil {
				done.Add(1)
			} else if slug(err) != "login_wrong" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 {
		t.Errorf("%d changes were done with one old password", done.Load())
	}
}

func TestAChangeThatRacesAResetIsTooLate(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	code := h.code("marcus@example.org", user.ForPassword)
	m.beforeChange = func() { h.must(h.reset("marcus@example.org", code, "reset password")) }
	h.refused(h.ChangePassword(t.Context(), who, loginPassword, nextPassword, nextPassword), "login_wrong", "old_password")
	if _, err := h.login("marcus", "reset password"); err != nil {
		t.Error(err)
	}
}

func TestAResetEndsAllSessionsAndLeavesTheKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keepWithKeys("marcus")
	who := h.asker("marcus")
	was, err := h.store.KeyRecord(t.Context(), id)
	h.must(err)
	code := h.code("marcus@example.org", user.ForPassword)
	h.must(h.reset("Marcus@example.org", code, nextPassword))
	if h.lives(who) {
		t.Error("a session outlived the reset")
	}
	if l := h.letter(); !reflect.DeepEqual(l, mail.PasswordChangedNotice(h.address("marcus@example.org"), "marcus", phrase.English)) {
		t.Errorf("the letter is %+v", l)
	}
	if now, err := h.store.KeyRecord(t.Context(), id); err != nil || !reflect.DeepEqual(now, was) {
		t.Errorf("the keys became %+v, %v", now, err)
	}
	_, err = h.login("marcus", loginPassword)
	h.refused(err, "login_wrong")
	if _, err := h.login("marcus", nextPassword); err != nil {
		t.Error(err)
	}
}

func TestOfManyResetsAtOnceOneIsDone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	code := h.code("marcus@example.org", user.ForPassword)
	var done atomic.Int64
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if err := h.reset("marcus@example.org", code, nextPassword); err == nil {
				done.Add(1)
			} else if slug(err) != "code_wrong" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 {
		t.Errorf("%d resets were done with one code", done.Load())
	}
}

func TestALoginPasswordIsNeverTheMainPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keepWithKeys("marcus")
	who := h.asker("marcus")
	f := form("tullius", "tullius@example.org")
	f.MainPassword = f.Password
	_, err := h.Check(f)
	h.refused(err, "invalid", "main_password")
	for _, spelling := range []string{mainPassword, "ｍain password 主"} {
		h.refused(h.ChangePassword(t.Context(), who, loginPassword, spelling, spelling), "invalid", "password")
		code := h.code("marcus@example.org", user.ForPassword)
		h.refused(h.reset("marcus@example.org", code, spelling), "invalid", "password")
		h.must(h.reset("marcus@example.org", code, loginPassword)) // the code was not used up
		h.letters()
		h.advance(time.Minute)
		who = h.asker("marcus")
	}
	same, _, err := h.IsLoginPassword(t.Context(), who.UserID, loginPassword) // what the vault asks for the other directions
	if err != nil || !same {
		t.Errorf("the login password is known: %v, %v", same, err)
	}
	same, _, err = h.IsLoginPassword(t.Context(), who.UserID, mainPassword)
	if err != nil || same {
		t.Errorf("the main password is taken for it: %v, %v", same, err)
	}
}

func TestTryingNewPasswordsTellsNoMoreOfTheMainOneThanGuessingDoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keepWithKeys("marcus")
	who := h.asker("marcus")
	old := loginPassword
	for i := range 3 * throttle10 {
		next := "guess " + time.Duration(i).String()
		if err := h.ChangePassword(t.Context(), who, old, next, next); err != nil {
			h.refused(err, "too_many")
			if i < 2 {
				t.Errorf("only %d changes were let through", i)
			}
			return
		}
		old = next
	}
	t.Errorf("%d passwords were compared with the main one at once", 3*throttle10)
}

func TestWithoutAMainPasswordThereIsNothingToCompareWith(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	h.must(h.ChangePassword(t.Context(), who, loginPassword, mainPassword, mainPassword))
}
