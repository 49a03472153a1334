package vault_test

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/vault"
)

func TestWithoutAMainPasswordTheVaultStaysShut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.asker(h.person("marcus", false))
	_, created := h.Create(t.Context(), who, mainPassword, plain)
	_, viewed := h.View(t.Context(), who, mainPassword, 1)
	_, edited := h.Edit(t.Context(), who, mainPassword, 1, vault.Change{Name: "n", Password: "p"})
	for _, err := range []error{created, viewed, edited, h.Delete(t.Context(), who, mainPassword, 1)} {
		h.refused(err, "main_password_unset")
	}
	h.logs(who, 0)

	h.must(h.SetMainPassword(t.Context(), who, "", mainPassword))
	who = h.asker(who.UserID)
	id := h.create(who, plain)
	if p, err := h.View(t.Context(), who, mainPassword, id); err != nil || p != plain {
		t.Errorf("read %+v, %v", p, err)
	}
}

func TestANewMainPasswordOpensWhatTheOldOneLocked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	other := h.asker(who.UserID)
	id := h.create(who, plain)
	const next = "ｎext main password"
	h.refused(h.SetMainPassword(t.Context(), who, "wrong password", next), "main_password_wrong", "old_main_password")
	h.refused(h.SetMainPassword(t.Context(), who, "", next), "invalid", "old_main_password")
	h.refused(h.SetMainPassword(t.Context(), who, mainPassword, "short"), "invalid", "main_password")
	h.must(h.SetMainPassword(t.Context(), who, mainPassword, next))

	live, err := h.store.Sessions(t.Context(), who.UserID, h.now())
	h.must(err)
	if len(live) != 1 || live[0].ID != who.SessionID {
		t.Errorf("of two sessions, %d and %d, live: %+v", who.SessionID, other.SessionID, live)
	}
	who = h.asker(who.UserID)
	_, err = h.View(t.Context(), who, mainPassword, id)
	h.refused(err, "main_password_wrong", "main_password")
	if p, err := h.View(t.Context(), who, "next main password", id); err != nil || p != plain {
		t.Errorf("read %+v, %v", p, err)
	}
	// What an old session remembered is forgotten.
	_, err = h.View(t.Context(), other, mainPassword, id)
	h.refused(err, "main_password_wrong", "main_password")
}

func TestAMainPasswordIsNeverTheLoginPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	fresh, who := h.asker(h.person("tullius", false)), h.owner("marcus")
	for _, spelling := range []string{loginPassword, "ｌogin password 登录"} {
		h.refused(h.SetMainPassword(t.Context(), fresh, "", spelling), "invalid", "main_password")
		h.refused(h.SetMainPassword(t.Context(), who, mainPassword, spelling), "invalid", "main_password")
	}
	h.create(who, plain)
}

func TestTryingMainPasswordsTellsNoMoreOfTheLoginPasswordThanGuessingDoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.asker(h.person("marcus", false))
	let := 0
	for range 30 {
		err := h.SetMainPassword(t.Context(), who, "", loginPassword)
		if slugOf(err) == "invalid" {
			let++
			continue
		}
		h.refused(err, "too_many")
	}
	if let != 10 {
		t.Errorf("%d passwords were compared with the login password at once", let)
	}
}

func TestOfManyFirstMainPasswordsOneIsSet(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.person("marcus", false)
	who := h.asker(id)
	passwords := []string{"main password 1", "main password 2", "main password 3", "main password 4"}
	set := make([]bool, len(passwords))
	var all sync.WaitGroup
	for i, p := range passwords {
		all.Go(func() {
			err := h.SetMainPassword(t.Context(), who, "", p)
			set[i] = err == nil
			if err != nil && slugOf(err) != "main_password_wrong" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	who = h.asker(id)
	for i, p := range passwords {
		_, err := h.Create(t.Context(), who, p, plain)
		if (err == nil) != set[i] {
			t.Errorf("password %d was set: %v, and opens: %v", i, set[i], err)
		}
	}
	if n := len(slices.DeleteFunc(set, func(yes bool) bool { return !yes })); n != 1 {
		t.Errorf("%d were set", n)
	}
}

func TestAWrongMainPasswordCountsAndIsLogged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	for range 10 {
		_, err := h.View(t.Context(), who, "wrong password", id)
		h.refused(err, "main_password_wrong", "main_password")
	}
	_, err := h.View(t.Context(), who, "wrong password", id)
	h.refused(err, "too_many")
	wrong := slices.Repeat([]vault.Action{vault.WrongMainPassword}, 10)
	h.logs(who, 0, append(wrong, vault.Created)...)

	// Who has unlocked lately goes on; another session of the same address waits, and one from elsewhere
	// does not.
	if _, err := h.View(t.Context(), who, mainPassword, id); err != nil {
		t.Errorf("in the session that is unlocked: %v", err)
	}
	fresh := h.asker(who.UserID)
	_, err = h.View(t.Context(), fresh, mainPassword, id)
	h.refused(err, "too_many")
	fresh.Address = netip.MustParseAddr("198.51.100.7")
	if _, err := h.View(t.Context(), fresh, mainPassword, id); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestRightMainPasswordsAtOnceAreNoGuesses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	who = h.asker(who.UserID)
	var failed atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := h.View(t.Context(), who, mainPassword, id); err != nil {
				t.Error(err)
				failed.Add(1)
			}
		})
	}
	all.Wait()
	if failed.Load() != 0 {
		t.Errorf("%d of 50 views failed", failed.Load())
	}
}

func TestAnUnlockedVaultLocksAfterFiveMinutesUnused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	unlocked := func() bool {
		_, ok := h.keys.Recall(who.Key(), who.UserID, who.KeyRevision, mainPassword)
		return ok
	}
	h.advance(5*time.Minute - time.Second)
	if _, err := h.View(t.Context(), who, mainPassword, id); err != nil || !unlocked() {
		t.Errorf("a second before: unlocked %v, %v", unlocked(), err)
	}
	h.advance(5 * time.Minute)
	if unlocked() {
		t.Error("it is unlocked after five minutes")
	}
	if _, err := h.View(t.Context(), who, mainPassword, id); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoMainPasswordIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	for _, typed := range []string{"", "a\x00b", "line\n"} {
		_, err := h.Create(t.Context(), who, typed, plain)
		h.refused(err, "invalid", "main_password")
		h.refused(h.SetMainPassword(t.Context(), who, mainPassword, typed), "invalid", "main_password")
	}
	h.logs(who, 0)
}

func TestTheOwnerIsToldOfAChangedMainPasswordButNotOfTheFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.asker(h.person("marcus", false))
	h.must(h.SetMainPassword(t.Context(), who, "", mainPassword))
	if _, queued, err := h.store.NextMail(t.Context()); queued || err != nil {
		t.Errorf("after the first: %v, %v", queued, err)
	}
	h.must(h.SetMainPassword(t.Context(), h.asker(who.UserID), mainPassword, "another main password"))
	if _, queued, err := h.store.NextMail(t.Context()); !queued || err != nil {
		t.Errorf("after a change: %v, %v", queued, err)
	}
}
