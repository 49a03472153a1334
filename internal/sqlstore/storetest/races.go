package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"caesar/internal/backup"
	"caesar/internal/session"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// rounds is how often two are let go at each other.
const rounds = 8

// races are between methods that stand in each other's way; those of many calls of one method are with it.
var races = []test{
	{"of many registrations over a pending user one wins", oneOfManyWinsOverAPendingUser},
	{"an activation and a registration of its email exclude each other", anActivationAndARegistrationExclude},
	{"a move to an email and a registration there exclude each other", aMoveAndARegistrationExclude},
	{"a move to a pending user's email and the activation exclude each other", aMoveAndAnActivationExclude},
	{"an email that is left may be had by who registers", anEmailThatIsLeftMayBeHad},
	{"two who exchange their names and emails get neither", twoWhoExchangeGetNeither},
	{"a reset goes over a change of the password", aResetGoesOverAChange},
	{"a reset and a change of email fit each other", aResetAndAMoveFit},
	{"no login outlives the change of its password", noLoginOutlivesItsPassword},
	{"a change of the vault keys and one of the password exclude each other", keysAndPasswordExclude},
	{"items are kept while the vault keys change", itemsAreKeptWhileKeysChange},
	{"a login and a closing leave one state", aLoginAndAClosingLeaveOneState},
	{"many logins at once pass the most sessions by none", manyLoginsPassTheMostByNone},
	{"of an ended session no version comes any more", noVersionComesAfterTheEnd},
	{"many versions at once leave as many as are kept", manyVersionsLeaveWhatIsKept},
	{"buckets asked for in any order give their tokens", bucketsInAnyOrder},
	{"a sweep gives no token back", aSweepGivesNoTokenBack},
}

func oneOfManyWinsOverAPendingUser(f *fixture) {
	pending := f.user(user.Pending, "pending")
	won := f.atOnce(many, func(i int) (bool, error) {
		_, err := f.Register(f.Context(), newUser(user.Active, fmt.Sprintf("m%d", i), "pending@example.org"))
		return winner(err, user.ErrEmailTaken)
	})
	equal(f, "registrations that won", won, 1)
	_, err := f.UserByID(f.Context(), pending)
	f.wants(user.ErrNoUser, err)
	_, err = f.UserByHandle(f.Context(), "pending")
	f.wants(user.ErrNoUser, err)
	due, err := f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "erasures", len(due), 0)
}

// holder is the id of the user of a handle, 0 where it is nobody's.
func (f *fixture) holder(h user.Handle) int64 {
	f.Helper()
	u, err := f.UserByHandle(f.Context(), h)
	if !errors.Is(err, user.ErrNoUser) {
		f.must(err)
	}
	return u.ID
}

// one ends the test where not exactly one of two came to pass.
func (f *fixture) one(what string, answers []bool) {
	f.Helper()
	if answers[0] == answers[1] {
		f.Fatalf("%s came to pass: %v", what, answers)
	}
}

func anActivationAndARegistrationExclude(f *fixture) {
	for i := range rounds {
		email := fmt.Sprintf("p%d@example.org", i)
		pending := f.user(user.Pending, fmt.Sprintf("p%d", i))
		c := code("activation of "+email, "123456")
		f.requestCode(c, pending, noon)
		answers := f.together(
			func() (bool, error) { return f.Activate(f.Context(), c, pending, noon) },
			func() (bool, error) {
				_, err := f.Register(f.Context(), newUser(user.Pending, fmt.Sprintf("other%d", i), email))
				return winner(err, user.ErrEmailTaken)
			},
		)
		f.one("an activation and a registration", answers)
		equal(f, "holder of the email is who was activated", f.holder(handle(email)) == pending, answers[0])
	}
}

func aMoveAndARegistrationExclude(f *fixture) {
	for i := range rounds {
		name, email := fmt.Sprintf("m%d", i), fmt.Sprintf("new%d@example.org", i)
		u := f.update(f.person(name), name, email)
		answers := f.together(
			func() (bool, error) { return winner(f.updateUser(u), user.ErrEmailTaken) },
			func() (bool, error) {
				_, err := f.Register(f.Context(), newUser(user.Active, fmt.Sprintf("other%d", i), email))
				return winner(err, user.ErrEmailTaken)
			},
		)
		f.one("a move and a registration", answers)
		equal(f, "holder of the email is who moved", f.holder(handle(email)) == u.UserID, answers[0])
	}
}

func aMoveAndAnActivationExclude(f *fixture) {
	for i := range rounds {
		name, pendingName := fmt.Sprintf("m%d", i), fmt.Sprintf("p%d", i)
		email := pendingName + "@example.org"
		u := f.update(f.person(name), name, email)
		pending := f.user(user.Pending, pendingName)
		c := code("activation of "+email, "123456")
		f.requestCode(c, pending, noon)
		answers := f.together(
			func() (bool, error) { return winner(f.updateUser(u), user.ErrEmailTaken) },
			func() (bool, error) { return f.Activate(f.Context(), c, pending, noon) },
		)
		f.one("a move and an activation", answers)
		equal(f, "holder of the pending user's name is the pending user", f.holder(handle(pendingName)) == pending, answers[1])
	}
}

func anEmailThatIsLeftMayBeHad(f *fixture) {
	for i := range rounds {
		name := fmt.Sprintf("m%d", i)
		u := f.update(f.person(name), name, fmt.Sprintf("new%d@example.org", i))
		left := name + "@example.org"
		answers := f.together(
			func() (bool, error) { return true, f.updateUser(u) },
			func() (bool, error) {
				_, err := f.Register(f.Context(), newUser(user.Active, fmt.Sprintf("other%d", i), left))
				return winner(err, user.ErrEmailTaken)
			},
		)
		equal(f, "somebody holds the email that was left", f.holder(handle(left)) != 0, answers[1])
		equal(f, "holder of the new email", f.holder(u.EmailHandle), u.UserID)
	}
}

func twoWhoExchangeGetNeither(f *fixture) {
	for i := range rounds {
		one, two := fmt.Sprintf("one%d", i), fmt.Sprintf("two%d", i)
		first, second := f.person(one), f.person(two)
		taken := func(u user.Update) func() (bool, error) {
			return func() (bool, error) {
				err := f.updateUser(u)
				if errors.Is(err, user.ErrNameTaken) || errors.Is(err, user.ErrEmailTaken) {
					return false, nil
				}
				return true, err
			}
		}
		yes := f.together(taken(f.update(first, two, two+"@example.org")), taken(f.update(second, one, one+"@example.org")))
		equal(f, "one of them got what is the other's", yes[0] || yes[1], false)
		equal(f, "holder of the first name", f.holder(handle(one)), first)
		equal(f, "holder of the second email", f.holder(handle(two+"@example.org")), second)
	}
}

func aResetGoesOverAChange(f *fixture) {
	for i := range rounds {
		id := f.person(fmt.Sprintf("m%d", i))
		was := f.row(id)
		c := code("reset of "+was.Name, "123456")
		f.requestCode(c, id, noon)
		answers := f.together(
			func() (bool, error) {
				return f.ResetPassword(f.Context(), c, id, 0, []byte("reset"), []byte("letter"), noon)
			},
			func() (bool, error) {
				return f.ChangePassword(f.Context(), id, was.Seen(), []byte("changed"), 0, []byte("letter"), noon)
			},
		)
		equal(f, "the reset was done", answers[0], true)
		equal(f, "password", string(f.row(id).SealedPassword), "reset")
	}
}

func aResetAndAMoveFit(f *fixture) {
	for i := range rounds {
		name := fmt.Sprintf("m%d", i)
		id := f.person(name)
		_, hash := f.login(id)
		was := string(f.row(id).SealedPassword)
		c := code("reset of "+name, "123456")
		f.requestCode(c, id, noon)
		u := f.update(id, name, fmt.Sprintf("new%d@example.org", i))
		u.DropCodes = [][]byte{code("activation of "+name, "").Slot, c.Slot}
		answers := f.together(
			func() (bool, error) { return true, f.updateUser(u) },
			func() (bool, error) {
				return f.ResetPassword(f.Context(), c, id, 0, []byte("reset"), []byte("letter"), noon)
			},
		)
		equal(f, "the password is another", string(f.row(id).SealedPassword) != was, answers[1])
		equal(f, "holder of the new email", f.holder(u.EmailHandle), id)
		equal(f, "session lives", f.live(id, hash), false)
		f.says(false)(f.CheckCode(f.Context(), c, id, noon))
	}
}

func noLoginOutlivesItsPassword(f *fixture) {
	for i := range rounds {
		id := f.person(fmt.Sprintf("m%d", i))
		was := f.row(id)
		f.atOnce(10, func(i int) (bool, error) {
			if i == 5 {
				return f.ChangePassword(f.Context(), id, was.Seen(), []byte("new"), 0, []byte("letter"), noon)
			}
			return f.SignIn(f.Context(), user.SignIn{Opening: opening(id, noon), Credential: was.Credential})
		})
		equal(f, "password", string(f.row(id).SealedPassword), "new")
		equal(f, "all sessions ended", f.ended(id), true)
	}
}

func keysAndPasswordExclude(f *fixture) {
	for i := range rounds {
		id := f.person(fmt.Sprintf("m%d", i))
		was := f.row(id)
		answers := f.together(
			func() (bool, error) {
				done, err := f.ReplaceKeyRecord(f.Context(), id, was.Credential, keyRecord(1), 0, []byte("letter"), noon)
				if errors.Is(err, vault.ErrStale) {
					return false, nil
				}
				return done, err
			},
			func() (bool, error) {
				done, err := f.ChangePassword(f.Context(), id, was.Seen(), []byte("new"), 0, []byte("letter"), noon)
				if errors.Is(err, user.ErrStale) {
					return false, nil
				}
				return done, err
			},
		)
		f.one("a change of the vault keys and one of the password", answers)
		equal(f, "letters of the user", len(f.letters()), i+1)
	}
}

func itemsAreKeptWhileKeysChange(f *fixture) {
	id := f.person("marcus")
	made := f.atOnce(many, func(i int) (bool, error) {
		if i%10 == 0 {
			_, err := f.ReplaceKeyRecord(f.Context(), id, 1, keyRecord(int64(i/10)+1), 0, nil, noon)
			return false, err
		}
		_, err := f.CreateItem(f.Context(), id, sealAs(id, "github", noon))
		return err == nil, err
	})
	_, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
	f.must(err)
	equal(f, "items", count, int64(made))
	keys, err := f.KeyRecord(f.Context(), id)
	f.must(err)
	equal(f, "revision", keys.Revision, f.row(id).KeyRevision)
}

func aLoginAndAClosingLeaveOneState(f *fixture) {
	for i := range rounds {
		id := f.person(fmt.Sprintf("m%d", i))
		in := user.SignIn{Opening: opening(id, noon), Credential: f.row(id).Credential}
		answers := f.together(
			func() (bool, error) { return f.SignIn(f.Context(), in) },
			func() (bool, error) {
				return true, f.CloseAccount(f.Context(), id, noon, []byte("letter"), noon)
			},
		)
		equal(f, "the login was done", answers[0], true)
		active := f.row(id).Status == user.Active
		equal(f, "session lives", f.live(id, in.TokenHash), active)
		f.says(!active)(f.Erase(f.Context(), id, false, []byte("letter"), noon))
	}
}

func manyLoginsPassTheMostByNone(f *fixture) {
	id := f.person("marcus")
	credential := f.row(id).Credential
	f.atOnce(session.MostPerUser+many, func(int) (bool, error) {
		return f.SignIn(f.Context(), user.SignIn{Opening: opening(id, noon), Credential: credential})
	})
	list, err := f.Sessions(f.Context(), id, noon)
	f.must(err)
	equal(f, "sessions", len(list), session.MostPerUser)
}

// noVersionComesAfterTheEnd ends a session while a version that came in it is being stored: when the end
// is answered, the version is there or never will be.
func noVersionComesAfterTheEnd(f *fixture) {
	id := f.person("marcus")
	for i, end := range []func(sessionID int64) error{
		func(sessionID int64) error {
			_, err := f.EndSession(f.Context(), id, sessionID)
			return err
		},
		func(int64) error { return f.EndOtherSessions(f.Context(), id, 0) },
	} {
		who, _ := f.login(id)
		seen := make(chan int, 1) // versions when the end was answered
		var once sync.Once
		_, _, err := f.AddVersion(f.Context(), id, who.SessionID, roomy, func(versionID int64) backup.Version {
			once.Do(func() {
				go func() {
					failed := end(who.SessionID)
					versions, err := f.Versions(f.Context(), id)
					if err := errors.Join(failed, err); err != nil {
						f.Error(err)
					}
					seen <- len(versions)
				}()
				select { // it has to wait for this, which nobody can see
				case n := <-seen:
					seen <- n
				case <-time.After(50 * time.Millisecond):
				}
			})
			return sealVersion(id, strconv.Itoa(i), 1)(versionID)
		})
		if !errors.Is(err, backup.ErrNoSession) {
			f.must(err)
		}
		before := <-seen
		versions, err := f.Versions(f.Context(), id)
		f.must(err)
		equal(f, "versions that came after the end was answered", len(versions)-before, 0)
	}
}

func manyVersionsLeaveWhatIsKept(f *fixture) {
	id := f.person("marcus")
	who, _ := f.login(id)
	freed := make([][]string, many)
	f.atOnce(many, func(i int) (_ bool, err error) {
		_, freed[i], err = f.AddVersion(f.Context(), id, who.SessionID, backup.Retention{Keep: 3, Quota: 1 << 40}, sealVersion(id, strconv.Itoa(i), 10))
		return true, err
	})
	all, err := f.Versions(f.Context(), id)
	f.must(err)
	equal(f, "versions", len(all), 3)
	once := map[string]bool{}
	for _, blobs := range freed {
		for _, blob := range blobs {
			if once[blob] || f.named(blob) {
				f.Errorf("%s was freed twice, or is named yet", blob)
			}
			once[blob] = true
		}
	}
	equal(f, "blobs that were freed", len(once), many-3)
}

func bucketsInAnyOrder(f *fixture) {
	names := []string{"user", "address", "network"}
	got := f.atOnce(many, func(i int) (bool, error) {
		var takes []throttle.Take
		for k := range names {
			takes = append(takes, bucket(names[(i+k)%len(names)]))
		}
		if i%2 == 0 {
			takes[0], takes[1] = takes[1], takes[0]
		}
		_, wait, err := f.TakeAll(f.Context(), throttle.Question{Otherwise: takes}, noon)
		return wait == 0, err
	})
	equal(f, "calls that got a token", got, 3)
	mark := throttle.Mark{Key: bucket("mark").Key, Until: never}
	f.atOnce(3, func(i int) (bool, error) {
		return true, f.Refund(f.Context(), []throttle.Take{bucket(names[i]), bucket(names[(i+1)%3]), bucket(names[(i+2)%3])}, mark, noon)
	})
	for range 3 {
		equal(f, "wait when all were given back", f.take(noon, bucket("address"), bucket("user"), bucket("network")), 0)
	}
	equal(f, "wait for one more", f.take(noon, bucket("user")), time.Minute)
}

func aSweepGivesNoTokenBack(f *fixture) {
	got := f.atOnce(many, func(i int) (bool, error) {
		if i%5 == 0 {
			return false, f.Sweep(f.Context(), noon)
		}
		_, wait, err := f.TakeAll(f.Context(), throttle.Question{Otherwise: []throttle.Take{bucket("user"), bucket("address")}}, noon)
		return wait == 0, err
	})
	equal(f, "calls that got a token", got, 3)
}
