package storetest

import (
	"fmt"
	"reflect"

	"caesar/internal/user"
)

var profiles = []test{
	{"a profile is stored, and the old handles are free", aProfileIsStored},
	{"a change of email ends the other sessions", aChangeOfEmailEndsSessions},
	{"a profile that is refused changes nothing", aRefusedProfileChangesNothing},
	{"a pending user does not hold an email against an active one", aPendingUserDoesNotHoldAnEmail},
	{"of many users at once one gets the email", oneOfManyMovesToTheEmail},
}

// update is a profile update that changes what is asked for.
func (f *fixture) update(id int64, name, email string) user.Update {
	return user.Update{
		UserID: id, WasEmail: handle(f.row(id).Email), Parts: user.ProfileParts{Name: &name, Email: &email},
		NameHandle: handle(name), EmailHandle: handle(email), EmailLetter: []byte("letter"), Now: noon,
	}
}

// updateUser does an update to which no change of password can be in the way.
func (f *fixture) updateUser(u user.Update) error {
	f.Helper()
	done, err := f.UpdateUser(f.Context(), u)
	if !done && err == nil {
		f.Error("the update was not done")
	}
	return err
}

func aProfileIsStored(f *fixture) {
	id := f.person("marcus")
	u := f.update(id, "Tullius", "Tullius@example.org")
	want := user.Profile{Name: "Tullius", RealName: "M. T.", Email: "Tullius@example.org", Phone: "1", Career: "consul", BirthDate: "2000-01-01"}
	u.Parts.RealName, u.Parts.Phone, u.Parts.Career, u.Parts.BirthDate = &want.RealName, &want.Phone, &want.Career, &want.BirthDate
	f.must(f.updateUser(u))
	if got := f.row(id).Profile; got != want {
		f.Errorf("profile %+v, want %+v", got, want)
	}
	for _, h := range []user.Handle{"tullius", "tullius@example.org"} {
		found, err := f.UserByHandle(f.Context(), h)
		f.must(err)
		equal(f, "holder of "+string(h), found.ID, id)
	}
	for _, h := range []user.Handle{"marcus", "marcus@example.org"} {
		_, err := f.UserByHandle(f.Context(), h)
		f.wants(user.ErrNoUser, err)
	}
	f.person("marcus")

	u.UserID += 100
	f.wants(user.ErrNoUser, f.updateUser(u))
}

func aChangeOfEmailEndsSessions(f *fixture) {
	id := f.person("marcus")
	kept, keptHash := f.login(id)
	_, otherHash := f.login(id)
	reset := code("reset of marcus", "123456")
	f.requestCode(reset, id, noon)
	sent := len(f.letters())

	// The same email in another spelling is no other email.
	u := f.update(id, "marcus", "MARCUS@example.org")
	u.KeepSession, u.DropCodes = kept.SessionID, [][]byte{reset.Slot}
	f.must(f.updateUser(u))
	equal(f, "email", f.row(id).Email, "MARCUS@example.org")
	equal(f, "the other session lives", f.live(id, otherHash), true)
	equal(f, "letters", len(f.letters()), sent)
	f.says(true)(f.CheckCode(f.Context(), reset, id, noon))

	u = f.update(id, "marcus", "tullius@example.org")
	u.KeepSession, u.DropCodes = kept.SessionID, [][]byte{reset.Slot}
	f.must(f.updateUser(u))
	equal(f, "the session that asked lives", f.live(id, keptHash), true)
	equal(f, "the other session lives", f.live(id, otherHash), false)
	equal(f, "letters", len(f.letters()), sent+1)
	f.says(false)(f.CheckCode(f.Context(), reset, id, noon))
}

func aRefusedProfileChangesNothing(f *fixture) {
	id := f.person("marcus")
	f.person("tullius")
	pending := f.user(user.Pending, "pending")
	_, hash := f.login(id)
	was := f.row(id)

	f.wants(user.ErrEmailTaken, f.updateUser(f.update(id, "new", "tullius@example.org")))
	// The email's pending holder is evicted before the name turns out to be taken, or after: never at all.
	f.wants(user.ErrNameTaken, f.updateUser(f.update(id, "tullius", "pending@example.org")))

	if got := f.row(id); !reflect.DeepEqual(got, was) {
		f.Errorf("user %+v, want %+v", got, was)
	}
	equal(f, "session lives", f.live(id, hash), true)
	equal(f, "letters", len(f.letters()), 0)
	equal(f, "status of the pending user", f.row(pending).Status, user.Pending)
	_, err := f.UserByHandle(f.Context(), "new")
	f.wants(user.ErrNoUser, err)
	held, err := f.UserByHandle(f.Context(), "marcus")
	f.must(err)
	equal(f, "holder of the old name", held.ID, id)
}

func aPendingUserDoesNotHoldAnEmail(f *fixture) {
	id := f.person("marcus")
	pending := f.user(user.Pending, "pending")
	f.must(f.updateUser(f.update(id, "marcus", "pending@example.org")))
	_, err := f.UserByID(f.Context(), pending)
	f.wants(user.ErrNoUser, err)
	_, err = f.UserByHandle(f.Context(), "pending")
	f.wants(user.ErrNoUser, err)
}

func oneOfManyMovesToTheEmail(f *fixture) {
	updates := make([]user.Update, many)
	for i := range updates {
		name := fmt.Sprintf("m%d", i)
		updates[i] = f.update(f.person(name), name, "tullius@example.org")
	}
	won := f.atOnce(many, func(i int) (bool, error) {
		return winner(f.updateUser(updates[i]), user.ErrEmailTaken)
	})
	equal(f, "users who got the email", won, 1)
	equal(f, "letters", len(f.letters()), 1)
}
