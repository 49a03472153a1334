package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"caesar/internal/keyring"
	"caesar/internal/session"
	"caesar/internal/user"
	"caesar/internal/vault"
)

var strangers = []test{
	{"no method given a stranger's ids reads another user", strangersReadNothing},
	{"no method given a stranger's ids changes another user", strangersChangeNothing},
	{"many users at once do not mix", manyUsersDoNotMix},
}

// belongings is all that a store holds of a user.
type belongings struct {
	User     user.User
	Keys     keyring.Record
	Items    []vault.Item
	Log      []vault.Entry
	Sessions []session.Session
}

func (f *fixture) belongings(userID int64) belongings {
	f.Helper()
	b := belongings{User: f.row(userID)}
	var err, failed error
	b.Keys, err = f.KeyRecord(f.Context(), userID)
	failed = errors.Join(failed, err)
	b.Items, _, err = f.Items(f.Context(), userID, vault.Query{Page: page})
	failed = errors.Join(failed, err)
	b.Log, _, err = f.Log(f.Context(), userID, page)
	failed = errors.Join(failed, err)
	b.Sessions, err = f.Sessions(f.Context(), userID, noon)
	f.must(errors.Join(failed, err))
	return b
}

// settle registers somebody who has some of everything.
func (f *fixture) settle(name string) (userID int64, item vault.Item, who session.Identity, tokenHash []byte) {
	f.Helper()
	userID = f.person(name)
	f.replaceKeys(userID, keyRecord(1))
	item = f.item(userID, "github")
	f.says(true)(f.LogView(f.Context(), userID, item.ID, item.MAC, noon))
	who, tokenHash = f.login(userID)
	return userID, item, who, tokenHash
}

func strangersReadNothing(f *fixture) {
	owner, item, _, hash := f.settle("marcus")
	stranger, own, _, _ := f.settle("tullius")
	_, err := f.Item(f.Context(), stranger, item.ID)
	f.wants(vault.ErrNoItem, err)
	_, _, err = f.ItemLog(f.Context(), stranger, item.ID, page)
	f.wants(vault.ErrNoItem, err)
	_, err = f.FindSession(f.Context(), stranger, hash, noon)
	f.wants(session.ErrNone, err)
	b := f.belongings(stranger)
	equal(f, "items", fmt.Sprint(ids(b.Items)), fmt.Sprint([]int64{own.ID}))
	for _, e := range b.Log {
		equal(f, "item in the log", e.ItemID, own.ID)
	}
	for _, s := range b.Sessions {
		equal(f, "user of the session", s.UserID, stranger)
	}
	for _, platform := range []string{"", "git"} {
		_, count, err := f.Items(f.Context(), stranger, vault.Query{Page: page, Platform: platform})
		f.must(err)
		equal(f, "items that a stranger's search counts", count, 1)
	}
	if owner == stranger {
		f.Error("two users have one id")
	}
}

func strangersChangeNothing(f *fixture) {
	owner, item, who, _ := f.settle("marcus")
	stranger, _, own, _ := f.settle("tullius")
	was := f.belongings(owner)
	later := noon.Add(time.Hour)

	f.says(false)(f.LogView(f.Context(), stranger, item.ID, item.MAC, later))
	stolen := edited(item, "2.stolen")
	stolen.UserID = stranger
	f.says(false)(f.ReplaceItem(f.Context(), stolen, item.MAC))
	f.says(false)(f.DeleteItem(f.Context(), stranger, item.ID, later))
	f.must(f.LogWrongMainPassword(f.Context(), stranger, item.ID, later)) // in the stranger's own log
	f.must(f.TouchSession(f.Context(), stranger, who.SessionID, later))
	f.says(false)(f.EndSession(f.Context(), stranger, who.SessionID))
	f.must(f.EndOtherSessions(f.Context(), stranger, who.SessionID))
	f.must(f.EndOtherSessions(f.Context(), stranger, own.SessionID))
	f.replaceKeys(stranger, keyRecord(2))
	f.says(true)(f.ChangePassword(f.Context(), stranger, f.row(stranger).Seen(), []byte("new"), who.SessionID, []byte("letter"), later))
	f.must(f.updateUser(f.update(stranger, "brutus", "brutus@example.org")))
	f.wants(user.ErrNameTaken, f.updateUser(f.update(stranger, "marcus", "brutus@example.org")))
	f.must(f.CloseAccount(f.Context(), stranger, noon, []byte("letter"), noon))
	f.says(true)(f.Erase(f.Context(), stranger, false, []byte("letter"), noon))
	f.eraseRemains(stranger, 1)

	if now := f.belongings(owner); !reflect.DeepEqual(now, was) {
		f.Errorf("after all that a stranger did:\n%+v\nbefore:\n%+v", now, was)
	}
}

func manyUsersDoNotMix(f *fixture) {
	const people, each = 5, 10
	owners := make([]int64, people)
	for i := range owners {
		owners[i] = f.person(fmt.Sprintf("m%d", i))
	}
	f.atOnce(people*each, func(i int) (bool, error) {
		owner := owners[i%people]
		item, err := f.CreateItem(f.Context(), owner, sealAs(owner, fmt.Sprint("platform of ", owner), noon))
		if err == nil && i < people {
			_, err = f.DeleteItem(f.Context(), owner, item.ID, noon)
		}
		return true, err
	})
	for _, owner := range owners {
		list, count, err := f.Items(f.Context(), owner, vault.Query{Page: page})
		f.must(err)
		equal(f, "items", count, each-1)
		equal(f, "items on the page", len(list), each-1)
		for _, item := range list {
			equal(f, "platform", item.Platform, fmt.Sprint("platform of ", owner))
		}
		equal(f, "log rows", len(f.log(owner)), each+1)
	}
}
