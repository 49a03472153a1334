package user_test

import (
	"strings"
	"testing"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

// edit changes a member as on /user.
func (h *house) edit(who session.Asker, e user.MemberEdit) error {
	c, err := h.CheckEdit(e)
	if err != nil {
		return err
	}
	return h.UpdateMember(h.t.Context(), who, c)
}

func TestAMemberChangesWhatIsSentAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	who, other := h.asker("marcus"), h.asker("marcus")
	before := h.row(id)
	h.must(h.edit(who, user.MemberEdit{}))
	h.must(h.edit(who, user.MemberEdit{Name: new(" "), Password: new(""), Email: new("\t"), OldPassword: new(""), OldEmail: new("")}))
	if after := h.row(id); after.Profile != before.Profile || after.Credential != before.Credential {
		t.Errorf("it became %+v", after)
	}
	h.must(h.edit(who, user.MemberEdit{Career: new(" 动态内部网专员 "), BirthDate: new("2024-02-29")}))
	h.must(h.edit(who, user.MemberEdit{Name: new("MARCUS"), Email: new("Marcus@example.org")})) // other spellings only
	want := user.Profile{Name: "MARCUS", RealName: "Marcus", Email: "Marcus@example.org", Phone: "1", Career: "动态内部网专员", BirthDate: "2024-02-29"}
	if got := h.row(id).Profile; got != want {
		t.Errorf("got %+v", got)
	}
	h.must(h.edit(who, user.MemberEdit{Career: new(" "), BirthDate: new("")}))
	if got := h.row(id).Profile; got.Career+got.BirthDate != "" {
		t.Errorf("got %+v", got)
	}
	if !h.lives(other) || len(h.letters()) != 0 {
		t.Error("a session ended or a letter went out for what is no change of password or email")
	}
}

func TestAChangeOfPasswordOrEmailEndsTheOtherSessionsAndIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	who, other := h.asker("marcus"), h.asker("marcus")
	h.must(h.edit(who, user.MemberEdit{Password: new("12345")}))
	if l := h.letter(); l.To.String() != "marcus@example.org" || h.lives(other) || !h.lives(who) {
		t.Errorf("the letter is %+v", l)
	}
	if _, err := h.login("marcus", "12345"); err != nil {
		t.Error(err)
	}
	h.must(h.edit(who, user.MemberEdit{Password: new("54321"), Email: new("new@example.org"), Name: new("Aurelius")}))
	letters := h.letters()
	if len(letters) != 2 || letters[0].To.String() != "marcus@example.org" || letters[1].To.String() != "marcus@example.org" || letters[0].Kind == letters[1].Kind {
		t.Errorf("the letters are %+v", letters)
	}
	if _, err := h.login("new@example.org", "54321"); err != nil {
		t.Error(err)
	}
	for _, gone := range []string{"marcus@example.org", "marcus"} {
		if _, err := h.store.UserByHandle(t.Context(), user.HandleOf(gone)); err == nil {
			t.Errorf("%s is still somebody's", gone)
		}
	}
}

func TestAMembersFormWithFaultsChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	h.keep(user.Active, "taken")
	who, other := h.asker("marcus"), h.asker("marcus")
	before := h.row(id)
	fine := user.MemberEdit{Name: new("fine"), Password: new("12345"), Email: new("fine@example.org"), Career: new("fine"), BirthDate: new("2000-01-01")}
	for _, c := range []struct {
		spoil func(*user.MemberEdit)
		want  fault.Fields
	}{
		{func(e *user.MemberEdit) { e.Name = new("a@b") }, fault.Fields{"username": phrase.NameHasAt}},
		{func(e *user.MemberEdit) { e.Name = new("Taken") }, fault.Fields{"username": phrase.NameTaken}},
		{func(e *user.MemberEdit) { e.Email = new("TAKEN@example.org") }, fault.Fields{"email": phrase.EmailTaken}},
		{func(e *user.MemberEdit) { e.Name, e.Email = new("taken"), new("taken@example.org") }, fault.Fields{"username": phrase.NameTaken, "email": phrase.EmailTaken}},
		{func(e *user.MemberEdit) { e.Email = new("fine") }, fault.Fields{"email": phrase.BadEmail}},
		{func(e *user.MemberEdit) { e.Password = new("1234") }, fault.Fields{"password": phrase.TooShort}},
		{func(e *user.MemberEdit) { e.Career = new(strings.Repeat("职", 65)) }, fault.Fields{"career": phrase.TooLong}},
		{func(e *user.MemberEdit) { e.Career = new("two\nlines") }, fault.Fields{"career": phrase.NoControls}},
		{func(e *user.MemberEdit) { e.OldPassword = new("wrong") }, fault.Fields{"old_password": phrase.OldPasswordWrong}},
		{func(e *user.MemberEdit) { e.OldEmail = new("wrong@example.org") }, fault.Fields{"old_email": phrase.OldEmailWrong}},
		{func(e *user.MemberEdit) { e.OldEmail, e.OldPassword = new("wrong"), new("wrong") }, fault.Fields{"old_email": phrase.OldEmailWrong, "old_password": phrase.OldPasswordWrong}},
	} {
		e := fine
		c.spoil(&e)
		h.laid(h.edit(who, e), c.want)
	}
	for _, date := range []string{"2023-02-29", "2024-13-01", "1899-12-31", "2027-01-16", "9999-01-01", "24-01-01", "2024-1-1", "2024-01-01T00:00", "today"} { // today is 2027-01-15
		e := fine
		e.BirthDate = &date
		h.laid(h.edit(who, e), fault.Fields{"birth_date": phrase.BadBirthDate})
	}
	if after := h.row(id); after.Profile != before.Profile || after.Credential != before.Credential || !h.lives(other) || len(h.letters()) != 0 {
		t.Errorf("it became %+v", after)
	}
	h.must(h.edit(who, fine))
}

func TestTheOldOnesAreDemandedWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.RequireOld = true
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	h.must(h.edit(who, user.MemberEdit{Name: new("Aurelius"), Email: new("Marcus@example.org")}))
	both := fault.Fields{"old_password": phrase.Required, "old_email": phrase.Required}
	h.laid(h.edit(who, user.MemberEdit{Password: new("12345")}), both)
	h.laid(h.edit(who, user.MemberEdit{Email: new("new@example.org")}), both)
	h.laid(h.edit(who, user.MemberEdit{Email: new("new@example.org"), OldPassword: new(loginPassword)}), fault.Fields{"old_email": phrase.Required})
	h.must(h.edit(who, user.MemberEdit{Password: new("12345"), Email: new("new@example.org"), OldPassword: new(loginPassword), OldEmail: new("MARCUS@example.org")}))
}

func TestGuessingAtTheOldPasswordIsSlowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	who := h.asker("marcus")
	for range 10 {
		h.laid(h.edit(who, user.MemberEdit{OldPassword: new("wrong")}), fault.Fields{"old_password": phrase.OldPasswordWrong})
	}
	h.refused(h.edit(who, user.MemberEdit{OldPassword: new(loginPassword)}), "too_many")
}

func TestTheMainPasswordCannotBeGuessedByMakingItTheLoginPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keepWithKeys("marcus")
	who := h.asker("marcus")
	h.laid(h.edit(who, user.MemberEdit{Password: new(mainPassword)}), fault.Fields{"password": phrase.LoginIsMain})
	for range 9 {
		h.must(h.edit(who, user.MemberEdit{Password: new("12345")}))
	}
	h.refused(h.edit(who, user.MemberEdit{Password: new("123456")}), "too_many")
}

func TestAPasswordThatChangedSinceItWasCheckedIsNotReplaced(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	done, err := h.store.UpdateUser(t.Context(), user.Update{
		UserID: id, Credential: h.row(id).Credential + 1, SealedPassword: []byte("x"), Parts: user.ProfileParts{Career: new("x")}, Now: h.Now(),
	})
	if err != nil || done || h.row(id).Career != "" {
		t.Errorf("got %t, %v, %+v", done, err, h.row(id))
	}
}

// An email that a pending user holds may be taken, and that user's name with it.
func TestAChangeOfEmailTakesTheNameOfThePendingUserWhoHeldIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Active, "marcus")
	h.keep(user.Pending, "lucius")
	who := h.asker("marcus")
	h.laid(h.edit(who, user.MemberEdit{Name: new("lucius")}), fault.Fields{"username": phrase.NameTaken})
	h.must(h.edit(who, user.MemberEdit{Name: new("lucius"), Email: new("lucius@example.org")}))
	if got := h.row(id); got.Name != "lucius" || got.Email != "lucius@example.org" {
		t.Errorf("got %+v", got)
	}
}
