package storetest

import (
	"fmt"
	"time"

	"caesar/internal/user"
	"caesar/internal/vault"
)

var leaving = []test{
	{"closing ends all sessions and puts off the erasing", closingEndsSessions},
	{"of many closings at once one is told of by mail", oneOfManyCloses},
	{"an erased user is gone for everybody", anErasedUserIsGone},
	{"what is erased is due first", erasuresComeInTheirOrder},
	{"nothing is erased before its time", nothingIsErasedEarly},
	{"what remains of a user goes piece by piece", remainsGoPieceByPiece},
	{"nothing is kept of a user who is erased meanwhile", nothingIsKeptOfTheErased},
	{"a login and an erasing at once do not both succeed", aLoginAndAnErasingExclude},
}

func closingEndsSessions(f *fixture) {
	id := f.person("marcus")
	_, hash := f.login(id)
	due := noon.Add(time.Hour)
	f.must(f.CloseAccount(f.Context(), id, due, []byte("closed"), noon))
	equal(f, "status", f.row(id).Status, user.Closing)
	equal(f, "session lives", f.live(id, hash), false)
	equal(f, "all sessions ended", f.ended(id), true)
	equal(f, "letters", fmt.Sprint(f.letters()), "[closed]")
	for at, want := range map[time.Time]string{due.Add(-time.Second): "[]", due: fmt.Sprint([]int64{id})} {
		ids, err := f.DueErasures(f.Context(), at, 10)
		f.must(err)
		equal(f, "due", fmt.Sprint(ids), want)
	}
	if _, err := f.UserByHandle(f.Context(), "marcus"); err != nil {
		f.Errorf("the name of a closing account is free: %v", err)
	}
}

func oneOfManyCloses(f *fixture) {
	id := f.person("marcus")
	f.atOnce(many, func(i int) (bool, error) {
		return true, f.CloseAccount(f.Context(), id, noon.Add(time.Duration(i)*time.Hour), []byte("closed"), noon)
	})
	equal(f, "letters", len(f.letters()), 1)
	due, err := f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "erasures", len(due), 1)
}

func anErasedUserIsGone(f *fixture) {
	id := f.person("marcus")
	f.replaceKeys(id, keyRecord(1))
	_, hash := f.login(id)
	item := f.item(id, "github")
	f.says(true)(f.Erase(f.Context(), id, true, []byte("erased"), noon))

	_, err := f.UserByID(f.Context(), id)
	f.wants(user.ErrNoUser, err)
	for _, h := range []user.Handle{"marcus", "marcus@example.org"} {
		_, err := f.UserByHandle(f.Context(), h)
		f.wants(user.ErrNoUser, err)
	}
	equal(f, "session lives", f.live(id, hash), false)
	keys, err := f.KeyRecord(f.Context(), id)
	f.must(err)
	equal(f, "revision of the keys", keys.Revision, 0)
	equal(f, "letters", fmt.Sprint(f.letters()), "[erased]")

	// What remains is due at once, so that a sweep finds it after a crash.
	due, err := f.DueErasures(f.Context(), noon, 10)
	f.must(err)
	equal(f, "due", fmt.Sprint(due), fmt.Sprint([]int64{id}))
	f.says(true)(f.Erase(f.Context(), id, false, []byte("not sent"), noon))
	equal(f, "letters after erasing what is erased", fmt.Sprint(f.letters()), "[erased]")
	f.eraseRemains(id, 100)
	_, err = f.Item(f.Context(), id, item.ID)
	f.wants(vault.ErrNoItem, err)
	due, err = f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "due after all is gone", len(due), 0)
	f.person("marcus")
}

// eraseRemains deletes what is left of a user and returns in how many pieces.
func (f *fixture) eraseRemains(id int64, most int) (pieces int) {
	f.Helper()
	for more := true; more; pieces++ {
		var err error
		more, err = f.EraseRemains(f.Context(), id, most)
		f.must(err)
	}
	return pieces
}

func erasuresComeInTheirOrder(f *fixture) {
	var ids []int64
	for i := range 3 {
		id := f.person(fmt.Sprintf("m%d", i))
		f.must(f.CloseAccount(f.Context(), id, noon.Add(-time.Duration(i)*time.Hour), []byte("letter"), noon))
		ids = append([]int64{id}, ids...)
	}
	due, err := f.DueErasures(f.Context(), noon, 10)
	f.must(err)
	equal(f, "due", fmt.Sprint(due), fmt.Sprint(ids))
	due, err = f.DueErasures(f.Context(), noon, 2)
	f.must(err)
	equal(f, "due, two at most", fmt.Sprint(due), fmt.Sprint(ids[:2]))
}

func nothingIsErasedEarly(f *fixture) {
	active := f.person("marcus")
	f.says(false)(f.Erase(f.Context(), active, false, []byte("letter"), never))
	closing := f.person("tullius")
	f.must(f.CloseAccount(f.Context(), closing, noon.Add(time.Hour), []byte("closed"), noon))
	f.says(false)(f.Erase(f.Context(), closing, false, []byte("letter"), noon.Add(time.Hour-time.Second)))
	f.row(active)
	f.row(closing)
	equal(f, "letters", fmt.Sprint(f.letters()), "[closed]")
	f.says(true)(f.Erase(f.Context(), closing, false, []byte("letter"), noon.Add(time.Hour)))
}

func remainsGoPieceByPiece(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	for range 7 {
		f.item(id, "github")
	}
	f.item(other, "github")
	f.says(true)(f.Erase(f.Context(), id, true, []byte("letter"), noon))
	if pieces := f.eraseRemains(id, 3); pieces < 3 {
		f.Errorf("7 items and their log went in %d pieces of 3", pieces)
	}
	equal(f, "log of the erased user", len(f.log(id)), 0)
	_, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
	f.must(err)
	equal(f, "items of the erased user", count, 0)
	_, count, err = f.Items(f.Context(), other, vault.Query{Page: page})
	f.must(err)
	equal(f, "items of the other", count, 1)
	equal(f, "log of the other", len(f.log(other)), 1)
}

func nothingIsKeptOfTheErased(f *fixture) {
	id := f.person("marcus")
	f.replaceKeys(id, keyRecord(1))
	credential := f.row(id).Credential
	item := f.item(id, "github")
	o := opening(id, noon)
	f.says(true)(f.Erase(f.Context(), id, true, []byte("erased"), noon))
	f.eraseRemains(id, 10)

	_, err := f.CreateItem(f.Context(), id, sealAs(id, "github", noon))
	f.wants(vault.ErrNoOwner, err)
	f.must(f.LogWrongMainPassword(f.Context(), id, item.ID, noon))
	f.says(false)(f.LogView(f.Context(), id, item.ID, item.MAC, noon))
	f.says(false)(f.ReplaceItem(f.Context(), edited(item, "new"), item.MAC))
	f.says(false)(f.ReplaceKeyRecord(f.Context(), id, 1, keyRecord(2), 0, nil, noon))
	f.says(false)(f.SignIn(f.Context(), user.SignIn{Opening: o, Credential: credential}))
	f.says(false)(f.ChangePassword(f.Context(), id, user.Seen{Credential: credential}, []byte("new"), 0, []byte("not sent"), noon))
	f.must(f.CloseAccount(f.Context(), id, noon, []byte("not sent"), noon))

	equal(f, "log", len(f.log(id)), 0)
	equal(f, "session lives", f.live(id, o.TokenHash), false)
	keys, err := f.KeyRecord(f.Context(), id)
	f.must(err)
	equal(f, "revision of the keys", keys.Revision, 0)
	due, err := f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "erasures", len(due), 0)
	equal(f, "letters", fmt.Sprint(f.letters()), "[erased]")
}

func aLoginAndAnErasingExclude(f *fixture) {
	for i := range 10 {
		id := f.person(fmt.Sprintf("m%d", i))
		f.must(f.CloseAccount(f.Context(), id, noon, []byte("letter"), noon))
		in := user.SignIn{Opening: opening(id, noon), Credential: f.row(id).Credential}
		done := f.atOnce(2, func(i int) (bool, error) {
			if i == 0 {
				return f.SignIn(f.Context(), in)
			}
			return f.Erase(f.Context(), id, false, []byte("letter"), noon)
		})
		equal(f, "of a login and an erasing, done", done, 1)
	}
}
