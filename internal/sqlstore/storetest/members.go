package storetest

import (
	"fmt"
	"reflect"
	"time"

	"caesar/internal/user"
)

var members = []test{
	{"a code registers a member once", aCodeRegistersOnce},
	{"a registration that is refused leaves the code as it is", aRefusedMemberKeepsTheCode},
	{"of many registrations at once by one code one is stored", oneOfManyRegistersByTheCode},
	{"a member's update changes what it names", anUpdateChangesWhatItNames},
	{"a member's update is done whole or not at all", anUpdateIsWhole},
	{"of many updates at once of a password one is done", oneOfManyUpdatesThePassword},
}

// memberCode is a code that proves an email at which there is nobody yet, stored.
func (f *fixture) memberCode(email string) user.Code {
	f.Helper()
	c := code("member "+email, "1234")
	f.requestCode(c, user.Anybody, noon)
	return c
}

func aCodeRegistersOnce(f *fixture) {
	c := f.memberCode("marcus@example.org")
	n := newUser(user.Active, "marcus", "marcus@example.org")
	f.says(false)(f.RegisterMember(f.Context(), code("member marcus@example.org", "0000"), n))
	_, err := f.UserByHandle(f.Context(), "marcus")
	f.wants(user.ErrNoUser, err)
	late := n
	late.Now = noon.Add(10 * time.Minute)
	f.says(false)(f.RegisterMember(f.Context(), c, late))

	f.says(true)(f.RegisterMember(f.Context(), c, n))
	u, err := f.UserByHandle(f.Context(), "marcus@example.org")
	f.must(err)
	equal(f, "status", u.Status, user.Active)
	f.says(false)(f.RegisterMember(f.Context(), c, newUser(user.Active, "other", "other@example.org")))
	_, err = f.UserByHandle(f.Context(), "other")
	f.wants(user.ErrNoUser, err)
}

func aRefusedMemberKeepsTheCode(f *fixture) {
	f.person("tullius")
	pending := f.user(user.Pending, "pending")
	c := f.memberCode("pending@example.org")
	_, err := f.RegisterMember(f.Context(), c, newUser(user.Active, "tullius", "pending@example.org"))
	f.wants(user.ErrNameTaken, err)
	f.row(pending)
	_, err = f.RegisterMember(f.Context(), c, newUser(user.Active, "marcus", "tullius@example.org"))
	f.wants(user.ErrEmailTaken, err)
	_, err = f.UserByHandle(f.Context(), "marcus")
	f.wants(user.ErrNoUser, err)

	f.says(true)(f.RegisterMember(f.Context(), c, newUser(user.Active, "marcus", "pending@example.org")))
	_, err = f.UserByID(f.Context(), pending)
	f.wants(user.ErrNoUser, err)
	due, err := f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "erasures", len(due), 0)
}

func oneOfManyRegistersByTheCode(f *fixture) {
	c := f.memberCode("marcus@example.org")
	stored := f.atOnce(many, func(i int) (bool, error) {
		right, err := f.RegisterMember(f.Context(), c, newUser(user.Active, fmt.Sprintf("m%d", i), fmt.Sprintf("m%d@example.org", i)))
		return right, err
	})
	equal(f, "members who were stored", stored, 1)
	named := 0
	for i := range many {
		if _, err := f.UserByHandle(f.Context(), handle(fmt.Sprintf("m%d", i))); err == nil {
			named++
		}
	}
	equal(f, "names that are held", named, 1)
}

func anUpdateChangesWhatItNames(f *fixture) {
	id := f.person("marcus")
	kept, keptHash := f.login(id)
	_, otherHash := f.login(id)
	was := f.row(id)
	career := "consul"
	f.says(true)(f.UpdateUser(f.Context(), user.Update{UserID: id, Parts: user.ProfileParts{Career: &career}, Now: noon}))
	want := was
	want.Career = career
	if got := f.row(id); !reflect.DeepEqual(got, want) {
		f.Errorf("user %+v\nwant %+v", got, want)
	}
	equal(f, "the other session lives", f.live(id, otherHash), true)
	equal(f, "letters", len(f.letters()), 0)

	name, email := "Tullius", "Tullius@example.org"
	f.says(true)(f.UpdateUser(f.Context(), user.Update{
		UserID: id, Parts: user.ProfileParts{Name: &name, Email: &email}, NameHandle: handle(name), EmailHandle: handle(email), WasEmail: handle(was.Email),
		SealedPassword: []byte("new"), Credential: was.Credential, KeepSession: kept.SessionID,
		PasswordLetter: []byte("password changed"), EmailLetter: []byte("email changed"), Now: noon,
	}))
	want.Name, want.Email, want.SealedPassword = name, email, []byte("new")
	got := f.row(id)
	if got.Credential == was.Credential {
		f.Error("the credential stayed: a login that began before the change would pass")
	}
	want.Credential = got.Credential
	if !reflect.DeepEqual(got, want) {
		f.Errorf("user %+v\nwant %+v", got, want)
	}
	equal(f, "the session that asked lives", f.live(id, keptHash), true)
	equal(f, "the other lives", f.live(id, otherHash), false)
	equal(f, "letters", fmt.Sprint(f.letters()), "[password changed email changed]")
	f.person("marcus") // the name and the email are free
}

func anUpdateIsWhole(f *fixture) {
	id := f.person("marcus")
	f.person("tullius")
	_, hash := f.login(id)
	was := f.row(id)
	for _, c := range []struct {
		name, email string
		want        error
	}{
		{"tullius", "new@example.org", user.ErrNameTaken},
		{"marcus", "tullius@example.org", user.ErrEmailTaken},
	} {
		_, err := f.UpdateUser(f.Context(), user.Update{
			UserID: id, Parts: user.ProfileParts{Name: &c.name, Email: &c.email}, NameHandle: handle(c.name), EmailHandle: handle(c.email), WasEmail: handle(was.Email),
			SealedPassword: []byte("new"), Credential: was.Credential,
			PasswordLetter: []byte("password changed"), EmailLetter: []byte("email changed"), Now: noon,
		})
		f.wants(c.want, err)
	}
	_, err := f.UpdateUser(f.Context(), user.Update{
		UserID: id, Parts: user.ProfileParts{Email: &was.Email}, EmailHandle: handle(was.Email), WasEmail: "earlier@example.org", Now: noon,
	})
	f.wants(user.ErrStale, err)
	_, err = f.UpdateUser(f.Context(), user.Update{
		UserID: id, SealedPassword: []byte("new"), Credential: was.Credential, KeyRevision: 1, PasswordLetter: []byte("password changed"), Now: noon,
	})
	f.wants(user.ErrStale, err)
	career := "consul"
	f.says(false)(f.UpdateUser(f.Context(), user.Update{
		UserID: id, Parts: user.ProfileParts{Career: &career}, Credential: was.Credential + 1,
		SealedPassword: []byte("new"), PasswordLetter: []byte("password changed"), Now: noon,
	}))
	if got := f.row(id); !reflect.DeepEqual(got, was) {
		f.Errorf("user %+v\nwant %+v", got, was)
	}
	equal(f, "session lives", f.live(id, hash), true)
	equal(f, "letters", len(f.letters()), 0)
	_, err = f.UserByHandle(f.Context(), "new@example.org")
	f.wants(user.ErrNoUser, err)
	_, err = f.UpdateUser(f.Context(), user.Update{UserID: id + 100, Parts: user.ProfileParts{Career: &career}, Now: noon})
	f.wants(user.ErrNoUser, err)
}

func oneOfManyUpdatesThePassword(f *fixture) {
	id := f.person("marcus")
	credential := f.row(id).Credential
	done := f.atOnce(many, func(i int) (bool, error) {
		return f.UpdateUser(f.Context(), user.Update{
			UserID: id, SealedPassword: fmt.Appendf(nil, "new %d", i), Credential: credential, PasswordLetter: []byte("letter"), Now: noon,
		})
	})
	equal(f, "updates that were done", done, 1)
	equal(f, "letters", len(f.letters()), 1)
}
