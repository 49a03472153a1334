package user_test

import (
	"reflect"
	"testing"
	"time"

	"caesar/internal/mail"
	"caesar/internal/phrase"
	"caesar/internal/user"
)

func TestAChangeOfEmailTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	mine, other := h.asker("marcus"), h.asker("marcus")
	stale := h.code("marcus@example.org", user.ForPassword)
	h.must(h.UpdateMe(t.Context(), mine, " Tullius ", "New@Example.org", " 123 "))

	u, err := h.Me(t.Context(), mine)
	h.must(err)
	want := user.Profile{Name: "marcus", RealName: "Tullius", Email: "New@Example.org", Phone: "123"}
	if u.Profile != want {
		t.Errorf("the profile is %+v, want %+v", u.Profile, want)
	}
	if l := h.letter(); !reflect.DeepEqual(l, mail.EmailChangedNotice(h.address("marcus@example.org"), "marcus", phrase.English)) {
		t.Errorf("the letter is %+v", l)
	}
	if !h.lives(mine) || h.lives(other) {
		t.Errorf("the session that asked lives: %v, the other: %v", h.lives(mine), h.lives(other))
	}
	if _, err := h.login("new@example.org", loginPassword); err != nil {
		t.Error(err)
	}
	_, err = h.login("marcus@example.org", loginPassword)
	h.refused(err, "login_wrong")
	h.refused(h.reset("marcus@example.org", stale, nextPassword), "code_wrong", "code")
	h.refused(h.reset("new@example.org", stale, nextPassword), "code_wrong", "code")
	h.register("Other", "marcus@example.org") // the old address is free
}

func TestAnotherSpellingOfTheEmailIsNoChangeOfIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	mine, other := h.asker("marcus"), h.asker("marcus")
	h.must(h.UpdateMe(t.Context(), mine, "Marcus", "MARCUS@example.org", "1"))
	if letters := h.letters(); len(letters) != 0 || !h.lives(other) {
		t.Errorf("letters %+v, the other session lives: %v", letters, h.lives(other))
	}
	if got := h.row(mine.UserID).Email; got != "MARCUS@example.org" {
		t.Errorf("the email is kept as %q", got)
	}
}

func TestAProfileThatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	h.keep(user.Active, "tullius")
	h.keep(user.Closing, "closing")
	who := h.asker("marcus")
	was := h.row(who.UserID)
	h.refused(h.UpdateMe(t.Context(), who, "M", "TULLIUS@example.org", "1"), "taken", "email")
	h.refused(h.UpdateMe(t.Context(), who, "M", "closing@example.org", "1"), "taken", "email")
	h.refused(h.UpdateMe(t.Context(), who, "", "x", "y"), "invalid", "real_name", "email", "phone")
	if now := h.row(who.UserID); !reflect.DeepEqual(now, was) {
		t.Errorf("the user became %+v", now)
	}
	if letters := h.letters(); len(letters) != 0 {
		t.Errorf("letters %+v", letters)
	}
}

func TestAPendingRegistrationDoesNotHoldAnAddressAgainstAUser(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	pending := h.register("Squatter", "new@example.org")
	who := h.asker("marcus")
	h.must(h.UpdateMe(t.Context(), who, "M", "new@example.org", "1"))
	if found := h.rowsOf(pending); len(found) != 0 {
		t.Errorf("of the pending user is left: %v", found)
	}
}

func TestAClosedAccountIsErasedWhenTheGraceIsOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keepWithKeys("marcus")
	mine, other := h.asker("marcus"), h.asker("marcus")
	due, err := h.Close(t.Context(), mine)
	h.must(err)
	if want := h.Now().Add(30 * 24 * time.Hour); !due.Equal(want) {
		t.Errorf("it is erased on %v, want %v", due, want)
	}
	if l := h.letter(); l.Kind != mail.ClosingNotice(mail.Address{}, "", due, phrase.English).Kind || !l.ErasedOn.Equal(due) || l.To.String() != "marcus@example.org" {
		t.Errorf("the letter is %+v", l)
	}
	if h.lives(mine) || h.lives(other) {
		t.Error("a session outlived the closing")
	}
	_, err = h.tryRegister(form("marcus", "marcus@example.org"))
	h.refused(err, "taken", "email", "user_name")

	h.advance(30*24*time.Hour - time.Second)
	h.must(h.EraseDue(t.Context()))
	if got := h.row(id).Status; got != user.Closing {
		t.Errorf("a second before, the status is %s", got)
	}
	h.advance(time.Second)
	h.must(h.EraseDue(t.Context()))
	if found := h.rowsOf(id); len(found) != 0 {
		t.Errorf("left is: %v", found)
	}
	if l := h.letter(); !reflect.DeepEqual(l, mail.ErasedNotice(h.address("marcus@example.org"), "marcus", phrase.English)) {
		t.Errorf("the letter is %+v", l)
	}
	_, err = h.login("marcus", loginPassword)
	h.refused(err, "login_wrong")
	h.register("marcus", "marcus@example.org")
}

func TestALoginBeforeTheGraceIsOverKeepsTheAccountAsItWas(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keepWithKeys("marcus")
	was := h.asker("marcus")
	row := h.row(was.UserID)
	keys, err := h.store.KeyRecord(t.Context(), was.UserID)
	h.must(err)
	_, err = h.Close(t.Context(), was)
	h.must(err)
	h.advance(29 * 24 * time.Hour)
	_, err = h.login("marcus", "wrong password")
	h.refused(err, "login_wrong")
	if got := h.row(was.UserID).Status; got != user.Closing {
		t.Fatalf("a wrong password made the status %s", got)
	}
	h.asker("marcus")
	h.advance(1000 * 24 * time.Hour)
	h.must(h.EraseDue(t.Context()))
	if now := h.row(was.UserID); !reflect.DeepEqual(now, row) {
		t.Errorf("the user became %+v, was %+v", now, row)
	}
	if now, err := h.store.KeyRecord(t.Context(), was.UserID); err != nil || !reflect.DeepEqual(now, keys) {
		t.Errorf("the keys became %+v, %v", now, err)
	}
	if h.lives(was) {
		t.Error("a session of before the closing came back")
	}
}

func TestAResetAloneDoesNotKeepAClosedAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	_, err := h.Close(t.Context(), h.asker("marcus"))
	h.must(err)
	h.letters()
	h.must(h.reset("marcus@example.org", h.code("marcus@example.org", user.ForPassword), nextPassword))
	if got := h.row(id).Status; got != user.Closing {
		t.Errorf("the status is %s", got)
	}
	if _, err := h.login("marcus", nextPassword); err != nil {
		t.Error(err)
	}
	if got := h.row(id).Status; got != user.Active {
		t.Errorf("after a login the status is %s", got)
	}
}

func TestErasingOneselfTakesThePassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keepWithKeys("marcus")
	other := h.keepWithKeys("tullius")
	who := h.asker("marcus")
	h.refused(h.EraseMe(t.Context(), who, "wrong password"), "login_wrong", "password")
	h.refused(h.EraseMe(t.Context(), who, ""), "invalid", "password")
	h.row(id)
	h.must(h.EraseMe(t.Context(), who, loginPassword))
	if found := h.rowsOf(id); len(found) != 0 {
		t.Errorf("left is: %v", found)
	}
	if l := h.letter(); !reflect.DeepEqual(l, mail.ErasedNotice(h.address("marcus@example.org"), "marcus", phrase.English)) {
		t.Errorf("the letter is %+v", l)
	}
	if found := h.rowsOf(other); found["users"] != 1 || found["key_records"] != 1 || found["handles"] != 2 {
		t.Errorf("of another user is left: %v", found)
	}
}

func TestWhatACrashLeftOfAnErasedUserIsSweptAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	h.must(h.store.LogWrongMainPassword(t.Context(), id, 0, h.Now()))
	// The first transaction of an erasing, and then the power went.
	erased, err := h.store.Erase(t.Context(), id, true, h.post.Seal(mail.Nothing()), h.Now())
	if err != nil || !erased {
		t.Fatal(erased, err)
	}
	if found := h.rowsOf(id); found["item_log"] != 1 || found["users"] != 0 {
		t.Fatalf("the crash left: %v", found)
	}
	h.must(h.EraseDue(t.Context()))
	if found := h.rowsOf(id); len(found) != 0 {
		t.Errorf("left is: %v", found)
	}
}

func TestWhoIsGoneAsksForNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	h.must(h.EraseMe(t.Context(), who, loginPassword))
	h.letters()
	_, err := h.Me(t.Context(), who)
	h.refused(err, "unauthenticated")
	_, err = h.Close(t.Context(), who)
	h.refused(err, "unauthenticated")
	h.refused(h.UpdateMe(t.Context(), who, "M. T.", "tullius@example.org", "1"), "unauthenticated")
	h.refused(h.ChangePassword(t.Context(), who, loginPassword, nextPassword, nextPassword), "unauthenticated")
	if letters := h.letters(); len(letters) != 0 {
		t.Errorf("letters: %+v", letters)
	}
}
