package storetest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"time"

	"caesar/internal/keyring"
	"caesar/internal/phrase"
	"caesar/internal/user"
)

var users = []test{
	{"a user is read as it was registered", aUserIsReadAsRegistered},
	{"an id is never given twice", aUserIDIsNeverGivenTwice},
	{"a name and an email belong to one user", aNameAndAnEmailBelongToOneUser},
	{"the longest handle there is is held", theLongestHandleIsHeld},
	{"a registration that fails leaves nothing", aFailedRegistrationLeavesNothing},
	{"a registration replaces the pending one of its email", aRegistrationReplacesThePendingOne},
	{"of many registrations at once of a name one wins", oneOfManyGetsTheName},
	{"of many registrations at once of an email one wins", oneOfManyGetsTheEmail},
	{"of many pending registrations of an email one is left", oneOfManyPendingIsLeft},
	{"a login opens a session where the password is still the same", aLoginOpensASession},
	{"a login keeps a closing account", aLoginKeepsAClosingAccount},
	{"a change of password ends the other sessions", aChangeOfPasswordEndsSessions},
	{"of many changes at once of a password one is done", oneOfManyChangesThePassword},
}

func aUserIsReadAsRegistered(f *fixture) {
	record := keyRecord(1)
	n := newUser(user.Active, "Marcus", "Marcus@Example.org")
	n.Bind = func(id int64) ([]byte, *keyring.Record, error) {
		return fmt.Appendf(nil, "password of %d", id), &record, nil
	}
	id, err := f.Register(f.Context(), n)
	f.must(err)
	if id <= 0 {
		f.Fatalf("id %d", id)
	}
	want := user.User{
		ID: id, Status: user.Active, Profile: n.Profile, SealedPassword: fmt.Appendf(nil, "password of %d", id),
		Credential: f.row(id).Credential, KeyRevision: 1, Language: phrase.English, CreatedAt: noon,
	}
	byName, err := f.UserByHandle(f.Context(), "marcus")
	f.must(err)
	byEmail, err := f.UserByHandle(f.Context(), "marcus@example.org")
	f.must(err)
	for _, got := range []user.User{f.row(id), byName, byEmail} {
		if !reflect.DeepEqual(got, want) {
			f.Errorf("read %+v\nwant %+v", got, want)
		}
	}
	stored, err := f.KeyRecord(f.Context(), id)
	f.must(err)
	if !reflect.DeepEqual(stored, record) {
		f.Errorf("key record %+v, want %+v", stored, record)
	}
	_, err = f.UserByHandle(f.Context(), "nobody")
	f.wants(user.ErrNoUser, err)
	_, err = f.UserByID(f.Context(), id+1)
	f.wants(user.ErrNoUser, err)
}

func aUserIDIsNeverGivenTwice(f *fixture) {
	last := f.user(user.Pending, "first")
	next := f.user(user.Pending, "first") // replaces it
	if next <= last {
		f.Fatalf("after %d comes %d", last, next)
	}
	last = next
	f.says(true)(f.Erase(f.Context(), last, true, []byte("letter"), noon))
	f.says(false)(f.EraseRemains(f.Context(), last, 10))
	if next = f.user(user.Active, "second"); next <= last {
		f.Fatalf("after %d was erased comes %d", last, next)
	}
}

func aNameAndAnEmailBelongToOneUser(f *fixture) {
	f.person("marcus")
	_, err := f.Register(f.Context(), newUser(user.Active, "marcus", "other@example.org"))
	f.wants(user.ErrNameTaken, err)
	_, err = f.Register(f.Context(), newUser(user.Pending, "other", "marcus@example.org"))
	f.wants(user.ErrEmailTaken, err)
	f.user(user.Pending, "pending")
	_, err = f.Register(f.Context(), newUser(user.Active, "pending", "other@example.org"))
	f.wants(user.ErrNameTaken, err) // a name is not evicted: only its email's next registration frees it
}

// theLongestHandleIsHeld registers a name that folds to as many bytes as any: 64 times U+FDFA, of which each
// folds to 33. It must fit an index.
func theLongestHandleIsHeld(f *fixture) {
	n := newUser(user.Active, "marcus", "marcus@example.org")
	drawn := make([]byte, 64*33/2)
	rand.Read(drawn)
	n.NameHandle = user.Handle(hex.EncodeToString(drawn)) // what can't be compressed
	id, err := f.Register(f.Context(), n)
	f.must(err)
	equal(f, "holder", f.holder(n.NameHandle), id)
	equal(f, "holder of its beginning", f.holder(n.NameHandle[:100]), 0)
}

func aFailedRegistrationLeavesNothing(f *fixture) {
	f.person("marcus")
	pending := f.user(user.Pending, "pending")
	errBind := errors.New("bind failed")
	broken := newUser(user.Active, "new", "pending@example.org")
	broken.Bind = func(int64) ([]byte, *keyring.Record, error) { return nil, nil, errBind }
	_, err := f.Register(f.Context(), broken)
	f.wants(errBind, err)
	// The email is free by eviction, the name is not: the eviction must be undone.
	_, err = f.Register(f.Context(), newUser(user.Active, "marcus", "pending@example.org"))
	f.wants(user.ErrNameTaken, err)
	_, err = f.Register(f.Context(), newUser(user.Active, "marcus", "new@example.org"))
	f.wants(user.ErrNameTaken, err)

	equal(f, "status of the pending user", f.row(pending).Status, user.Pending)
	u, err := f.UserByHandle(f.Context(), "pending@example.org")
	f.must(err)
	equal(f, "holder of the email", u.ID, pending)
	for _, h := range []user.Handle{"new", "new@example.org"} {
		_, err := f.UserByHandle(f.Context(), h)
		f.wants(user.ErrNoUser, err)
	}
	due, err := f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "erasures", fmt.Sprint(due), fmt.Sprint([]int64{pending}))
}

func aRegistrationReplacesThePendingOne(f *fixture) {
	n := newUser(user.Pending, "squatter", "marcus@example.org")
	record := keyRecord(1)
	n.Bind = func(int64) ([]byte, *keyring.Record, error) { return []byte("password"), &record, nil }
	old, err := f.Register(f.Context(), n)
	f.must(err)
	c := code("activation of marcus", "123456")
	f.requestCode(c, old, noon)

	id := f.user(user.Pending, "marcus")
	_, err = f.UserByID(f.Context(), old)
	f.wants(user.ErrNoUser, err)
	_, err = f.UserByHandle(f.Context(), "squatter")
	f.wants(user.ErrNoUser, err)
	gone, err := f.KeyRecord(f.Context(), old)
	f.must(err)
	equal(f, "revision of the keys that are gone", gone.Revision, 0)
	f.says(false)(f.Activate(f.Context(), c, id, noon))
	f.says(false)(f.Activate(f.Context(), c, old, noon))
	due, err := f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "erasures", fmt.Sprint(due), fmt.Sprint([]int64{id}))
}

func oneOfManyGetsTheName(f *fixture) {
	won := f.atOnce(many, func(i int) (bool, error) {
		_, err := f.Register(f.Context(), newUser(user.Active, "marcus", fmt.Sprintf("m%d@example.org", i)))
		return winner(err, user.ErrNameTaken)
	})
	equal(f, "registrations that won", won, 1)
}

func oneOfManyGetsTheEmail(f *fixture) {
	won := f.atOnce(many, func(i int) (bool, error) {
		_, err := f.Register(f.Context(), newUser(user.Active, fmt.Sprintf("m%d", i), "marcus@example.org"))
		return winner(err, user.ErrEmailTaken)
	})
	equal(f, "registrations that won", won, 1)
}

// winner says yes to no error, and no to the error of those who lost.
func winner(err, lost error) (bool, error) {
	if errors.Is(err, lost) {
		return false, nil
	}
	return err == nil, err
}

func oneOfManyPendingIsLeft(f *fixture) {
	f.atOnce(many, func(i int) (bool, error) {
		_, err := f.Register(f.Context(), newUser(user.Pending, fmt.Sprintf("m%d", i), "marcus@example.org"))
		return err == nil, err
	})
	due, err := f.DueErasures(f.Context(), never, 2*many)
	f.must(err)
	equal(f, "pending users", len(due), 1)
	named := 0
	for i := range many {
		if _, err := f.UserByHandle(f.Context(), handle(fmt.Sprintf("m%d", i))); err == nil {
			named++
		}
	}
	equal(f, "names that are held", named, 1)
}

func aLoginOpensASession(f *fixture) {
	id := f.person("marcus")
	u := f.row(id)
	o := opening(id, noon)
	in := user.SignIn{Opening: o, Credential: u.Credential + 1, Language: phrase.Chinese}
	f.says(false)(f.SignIn(f.Context(), in))
	if f.live(id, o.TokenHash) {
		f.Fatal("a session was opened with a password that is no more")
	}
	in.Credential = u.Credential
	f.says(true)(f.SignIn(f.Context(), in))
	if !f.live(id, o.TokenHash) {
		f.Fatal("no session was opened")
	}
	now := f.row(id)
	equal(f, "language", now.Language, phrase.Chinese)
	equal(f, "password", string(now.SealedPassword), string(u.SealedPassword))

	in.Opening, in.Rehashed = opening(id, noon), []byte("better hash")
	f.says(true)(f.SignIn(f.Context(), in))
	now = f.row(id)
	equal(f, "password", string(now.SealedPassword), "better hash")
	equal(f, "credential after a better hash of the same password", now.Credential, u.Credential)

	pending := f.user(user.Pending, "pending")
	o = opening(pending, noon)
	f.says(false)(f.SignIn(f.Context(), user.SignIn{Opening: o, Credential: f.row(pending).Credential}))
	o = opening(pending+100, noon)
	f.says(false)(f.SignIn(f.Context(), user.SignIn{Opening: o, Credential: 1}))
}

func aLoginKeepsAClosingAccount(f *fixture) {
	id := f.person("marcus")
	f.must(f.CloseAccount(f.Context(), id, noon.Add(time.Hour), []byte("letter"), noon))
	f.login(id)
	equal(f, "status", f.row(id).Status, user.Active)
	f.says(false)(f.Erase(f.Context(), id, false, []byte("letter"), never))
	f.row(id)
}

func aChangeOfPasswordEndsSessions(f *fixture) {
	id := f.person("marcus")
	kept, keptHash := f.login(id)
	_, otherHash := f.login(id)
	was := f.row(id)
	f.says(false)(f.ChangePassword(f.Context(), id, user.Seen{Credential: was.Credential + 1}, []byte("new"), kept.SessionID, []byte("not sent"), noon))
	if !f.live(id, otherHash) || string(f.row(id).SealedPassword) != string(was.SealedPassword) {
		f.Fatal("a change that was refused changed something")
	}
	f.says(true)(f.ChangePassword(f.Context(), id, was.Seen(), []byte("new"), kept.SessionID, []byte("sent"), noon))
	equal(f, "password", string(f.row(id).SealedPassword), "new")
	equal(f, "the session that changed it lives", f.live(id, keptHash), true)
	equal(f, "the other lives", f.live(id, otherHash), false)
	equal(f, "letters", fmt.Sprint(f.letters()), "[sent]")
	if f.row(id).Credential == was.Credential {
		f.Error("the credential stayed: a login that began before the change would pass")
	}
}

func oneOfManyChangesThePassword(f *fixture) {
	id := f.person("marcus")
	credential := f.row(id).Credential
	done := f.atOnce(many, func(i int) (bool, error) {
		return f.ChangePassword(f.Context(), id, user.Seen{Credential: credential}, fmt.Appendf(nil, "new %d", i), 0, []byte("letter"), noon)
	})
	equal(f, "changes that were done", done, 1)
	equal(f, "letters", len(f.letters()), 1)
}

// ended says whether none of a user's sessions is live.
func (f *fixture) ended(userID int64) bool {
	f.Helper()
	list, err := f.Sessions(f.Context(), userID, noon)
	f.must(err)
	return len(list) == 0
}
