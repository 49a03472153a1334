package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"caesar/internal/backup"
	"caesar/internal/session"
	"caesar/internal/user"
	"caesar/internal/vault"
)

var erasing = []test{
	{"of a user who is erased while everything goes on nothing is left", nothingIsLeftOfTheErased},
	{"nothing is left of an item that is made while its owner is erased", nothingIsLeftOfALateItem},
	{"many who erase what remains are told of the end when it has come", manyEraseWhatRemains},
	{"many who erase versions are told of the end when it has come", manyEraseVersions},
	{"many who erase a user at once send one letter", manyEraseAUser},
	{"an email is free as soon as its holder is erased", anEmailIsFreeOnceErased},
	{"who is erased while they read is answered", readersOfTheErasedAreAnswered},
}

// left counts what a store holds of a user who is erased.
func (f *fixture) left(userID int64) (rows string, err error) {
	_, items, failed := f.Items(f.Context(), userID, vault.Query{Page: page, From: time.Unix(0, 0)})
	_, logged, err := f.Log(f.Context(), userID, page)
	failed = errors.Join(failed, err)
	versions, err := f.Versions(f.Context(), userID)
	failed = errors.Join(failed, err)
	sessions, err := f.Sessions(f.Context(), userID, noon)
	failed = errors.Join(failed, err)
	keys, err := f.KeyRecord(f.Context(), userID)
	failed = errors.Join(failed, err)
	return fmt.Sprintf("%d items, %d log rows, %d versions, %d sessions, keys %d", items, logged, len(versions), len(sessions), keys.Revision), failed
}

const nothingLeft = "0 items, 0 log rows, 0 versions, 0 sessions, keys 0"

// erase erases a user as the domain does, and returns what is left when all is said to be gone.
func (f *fixture) erase(userID int64, most int) (rows string, err error) {
	if _, err := f.Erase(f.Context(), userID, true, []byte("erased"), noon); err != nil {
		return "", err
	}
	for {
		freed, err := f.EraseVersions(f.Context(), userID, most)
		if err != nil {
			return "", err
		}
		if len(freed) == 0 {
			break
		}
	}
	for more := true; more; {
		if more, err = f.EraseRemains(f.Context(), userID, most); err != nil {
			return "", err
		}
	}
	return f.left(userID)
}

// missing turns the errors that one gets who is erased meanwhile into a no.
func missing(err error) (bool, error) {
	for _, gone := range []error{
		vault.ErrNoOwner, vault.ErrNoItem, vault.ErrStale, user.ErrNoUser, user.ErrStale, backup.ErrNoSession, backup.ErrNoVersion, session.ErrNone,
	} {
		if errors.Is(err, gone) {
			return false, nil
		}
	}
	return err == nil, err
}

// deed is one thing that somebody does with what is theirs.
type deed func(f *fixture, owner belongings) error

// deeds are all that write of a user.
var deeds = []deed{
	func(f *fixture, b belongings) error {
		_, err := f.CreateItem(f.Context(), b.User.ID, sealAs(b.User.ID, "github", noon))
		return err
	},
	func(f *fixture, b belongings) error {
		_, err := f.LogView(f.Context(), b.User.ID, b.Items[0].ID, b.Items[0].MAC, noon)
		return err
	},
	func(f *fixture, b belongings) error {
		_, err := f.ReplaceItem(f.Context(), edited(b.Items[1], "2.new"), b.Items[1].MAC)
		return err
	},
	func(f *fixture, b belongings) error {
		_, err := f.DeleteItem(f.Context(), b.User.ID, b.Items[2].ID, noon)
		return err
	},
	func(f *fixture, b belongings) error {
		return f.LogWrongMainPassword(f.Context(), b.User.ID, b.Items[0].ID, noon)
	},
	func(f *fixture, b belongings) error {
		_, _, err := f.AddVersion(f.Context(), b.User.ID, b.Sessions[0].ID, roomy, func(id int64) backup.Version {
			return sealVersion(b.User.ID, fmt.Sprint("late ", id), 1)(id)
		})
		return err
	},
	func(f *fixture, b belongings) error {
		_, err := f.ReplaceKeyRecord(f.Context(), b.User.ID, b.User.Credential, keyRecord(b.Keys.Revision+1), b.Sessions[0].ID, nil, noon)
		return err
	},
	func(f *fixture, b belongings) error {
		in := user.SignIn{Opening: opening(b.User.ID, noon), Credential: b.User.Credential}
		_, err := f.SignIn(f.Context(), in)
		return err
	},
	func(f *fixture, b belongings) error {
		return f.TouchSession(f.Context(), b.User.ID, b.Sessions[0].ID, noon)
	},
	func(f *fixture, b belongings) error {
		return f.EndOtherSessions(f.Context(), b.User.ID, b.Sessions[0].ID)
	},
	func(f *fixture, b belongings) error {
		return f.CloseAccount(f.Context(), b.User.ID, never, []byte("closed"), noon)
	},
	func(f *fixture, b belongings) error {
		career := "consul"
		_, err := f.UpdateUser(f.Context(), user.Update{UserID: b.User.ID, Parts: user.ProfileParts{Career: &career}, Now: noon})
		return err
	},
	func(f *fixture, b belongings) error {
		_, err := f.ChangePassword(f.Context(), b.User.ID, b.User.Seen(), []byte("new"), b.Sessions[0].ID, []byte("letter"), noon)
		return err
	},
}

func nothingIsLeftOfTheErased(f *fixture) {
	for i := range rounds / 2 {
		id, _, _, _ := f.settle(fmt.Sprintf("m%d", i))
		for range 3 {
			f.item(id, "gitlab")
		}
		f.version(id, fmt.Sprint("version ", i), 1, roomy)
		b := f.belongings(id)
		f.atOnce(4*len(deeds)+2, func(i int) (bool, error) {
			if i%(2*len(deeds)+1) == len(deeds) { // two of them
				rows, err := f.erase(id, 2)
				if err == nil && rows != nothingLeft {
					err = errors.New("there are " + rows + " when all is said to be gone")
				}
				return true, err
			}
			return missing(deeds[i%len(deeds)](f, b))
		})
		rows, err := f.left(id)
		f.must(err)
		equal(f, "what came after all was gone", rows, nothingLeft)
	}
}

func nothingIsLeftOfALateItem(f *fixture) {
	id := f.person("marcus")
	f.item(id, "github")
	var erased sync.WaitGroup
	begun := make(chan struct{})
	var once sync.Once
	_, err := f.CreateItem(f.Context(), id, func(itemID int64) vault.Item {
		once.Do(func() {
			erased.Go(func() {
				close(begun)
				if rows, err := f.erase(id, 10); err != nil || rows != nothingLeft {
					f.Errorf("when all is said to be gone there are %s, %v", rows, err)
				}
			})
			<-begun
			time.Sleep(20 * time.Millisecond) // it has to wait for this, which nobody can see
		})
		return sealAs(id, "late", noon)(itemID)
	})
	if !errors.Is(err, vault.ErrNoOwner) {
		f.must(err)
	}
	erased.Wait()
	rows, err := f.left(id)
	f.must(err)
	equal(f, "what came after all was gone", rows, nothingLeft)
}

func manyEraseWhatRemains(f *fixture) {
	id := f.person("marcus")
	for range 30 {
		f.item(id, "github")
	}
	f.says(true)(f.Erase(f.Context(), id, true, []byte("erased"), noon))
	f.atOnce(8, func(int) (bool, error) {
		for {
			more, err := f.EraseRemains(f.Context(), id, 2)
			if err != nil {
				return false, err
			}
			if more {
				continue
			}
			rows, err := f.left(id)
			if err == nil && rows != nothingLeft {
				err = errors.New("there are " + rows + " when all is said to be gone")
			}
			return true, err
		}
	})
}

func manyEraseVersions(f *fixture) {
	id := f.person("marcus")
	for i := range 30 {
		f.version(id, strconv.Itoa(i), 1, roomy)
	}
	f.says(true)(f.Erase(f.Context(), id, true, []byte("erased"), noon))
	freed := f.atOnce(8, func(int) (bool, error) {
		for {
			blobs, err := f.EraseVersions(f.Context(), id, 2)
			if err != nil {
				return false, err
			}
			if len(blobs) > 0 {
				continue
			}
			versions, err := f.Versions(f.Context(), id)
			if err == nil && len(versions) > 0 {
				err = fmt.Errorf("there are %d versions when all are said to be gone", len(versions))
			}
			return true, err
		}
	})
	equal(f, "calls that came to the end", freed, 8)
}

func manyEraseAUser(f *fixture) {
	id := f.person("marcus")
	f.atOnce(many, func(int) (bool, error) { return f.Erase(f.Context(), id, true, []byte("erased"), noon) })
	equal(f, "letters", fmt.Sprint(f.letters()), "[erased]")
}

func anEmailIsFreeOnceErased(f *fixture) {
	for i := range rounds {
		name := fmt.Sprintf("m%d", i)
		id := f.person(name)
		answers := f.together(
			func() (bool, error) { return f.Erase(f.Context(), id, true, []byte("erased"), noon) },
			func() (bool, error) {
				_, err := f.Register(f.Context(), newUser(user.Active, name+" again", name+"@example.org"))
				return winner(err, user.ErrEmailTaken)
			},
		)
		equal(f, "erased", answers[0], true)
		equal(f, "somebody holds the email", f.holder(handle(name+"@example.org")) != 0, answers[1])
	}
}

// readersOfTheErasedAreAnswered reads what is left of a user, as a request does that was let in before.
func readersOfTheErasedAreAnswered(f *fixture) {
	id, item, _, hash := f.settle("marcus")
	f.version(id, "version", 1, roomy)
	f.says(true)(f.Erase(f.Context(), id, true, []byte("erased"), noon))
	for range 2 { // the second time nothing is left
		for _, number := range []int64{1, 2} {
			for _, q := range []vault.Query{{}, {Platform: "git"}, {From: time.Unix(0, 0)}} {
				q.Page = vault.Page{Number: number, Size: 200}
				_, _, err := f.Items(f.Context(), id, q)
				f.must(err)
			}
			_, _, err := f.Log(f.Context(), id, vault.Page{Number: number, Size: 200})
			f.must(err)
			_, _, err = f.ItemLog(f.Context(), id, item.ID, vault.Page{Number: number, Size: 200})
			if !errors.Is(err, vault.ErrNoItem) {
				f.must(err)
			}
		}
		_, err := f.Staying(f.Context(), id, 10)
		f.must(err)
		_, err = f.Versions(f.Context(), id)
		f.must(err)
		_, err = f.FindSession(f.Context(), id, hash, noon)
		f.wants(session.ErrNone, err)
		rows, err := f.erase(id, 10)
		f.must(err)
		equal(f, "left", rows, nothingLeft)
	}
}
