package storetest

import (
	"fmt"
	"time"

	"caesar/internal/session"
	"caesar/internal/user"
)

var sessions = []test{
	{"a session is found by its user and its token alone", aSessionIsFoundByItsToken},
	{"a session ends when it expires", aSessionEndsWhenItExpires},
	{"sessions are listed newest first", sessionsAreListed},
	{"of many ends at once of a session one is told yes", oneOfManyEndsASession},
	{"all other sessions end at once", allOtherSessionsEnd},
	{"a user has so many sessions and no more", aUserHasSoManySessions},
	{"a login clears away what has expired", aLoginClearsExpired},
	{"no session is live of a user who may not use it", noSessionOfAClosingUser},
	{"many logins at once open a session each", manyLoginsAtOnce},
}

func aSessionIsFoundByItsToken(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	who, hash := f.login(id)
	if who.UserID != id || who.SessionID <= 0 || who.KeyRevision != 0 {
		f.Errorf("the session proves %+v", who)
	}
	_, otherHash := f.login(other)
	for _, wrong := range []struct {
		userID int64
		hash   []byte
	}{{id, otherHash}, {other, hash}, {id, hash[:31]}, {id, nil}, {id + 100, hash}} {
		_, err := f.FindSession(f.Context(), wrong.userID, wrong.hash, noon)
		f.wants(session.ErrNone, err)
	}
	f.replaceKeys(id, keyRecord(1))
	_, hash = f.login(id)
	who, err := f.FindSession(f.Context(), id, hash, noon)
	f.must(err)
	equal(f, "revision of the keys", who.KeyRevision, 1)
}

func aSessionEndsWhenItExpires(f *fixture) {
	id := f.person("marcus")
	_, hash := f.login(id)
	end := noon.Add(session.Long)
	_, err := f.FindSession(f.Context(), id, hash, end.Add(-time.Second))
	f.must(err)
	_, err = f.FindSession(f.Context(), id, hash, end)
	f.wants(session.ErrNone, err)
	list, err := f.Sessions(f.Context(), id, end)
	f.must(err)
	equal(f, "sessions listed", len(list), 0)
}

func sessionsAreListed(f *fixture) {
	id := f.person("marcus")
	list, err := f.Sessions(f.Context(), id, noon)
	f.must(err)
	if list == nil || len(list) != 0 {
		f.Errorf("no sessions are %#v", list)
	}
	first, _ := f.login(id)
	second, _ := f.login(id)
	f.login(f.person("tullius"))
	f.must(f.TouchSession(f.Context(), id, first.SessionID, noon.Add(time.Hour)))
	f.must(f.TouchSession(f.Context(), id, first.SessionID+100, noon.Add(time.Hour)))
	list, err = f.Sessions(f.Context(), id, noon)
	f.must(err)
	want := session.Session{
		ID: second.SessionID, UserID: id, Device: session.Device{Client: "curl/8", Address: "192.0.2.1"},
		CreatedAt: noon, LastUsedAt: noon, ExpiresAt: noon.Add(session.Long),
	}
	touched := want
	touched.ID, touched.LastUsedAt = first.SessionID, noon.Add(time.Hour)
	equal(f, "sessions", fmt.Sprint(list), fmt.Sprint([]session.Session{want, touched}))
}

func oneOfManyEndsASession(f *fixture) {
	id := f.person("marcus")
	who, hash := f.login(id)
	yes := f.atOnce(many, func(int) (bool, error) { return f.EndSession(f.Context(), id, who.SessionID) })
	equal(f, "ends that were told yes", yes, 1)
	equal(f, "session lives", f.live(id, hash), false)
}

func allOtherSessionsEnd(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	kept, keptHash := f.login(id)
	_, endedHash := f.login(id)
	_, otherHash := f.login(other)
	f.must(f.EndOtherSessions(f.Context(), id, kept.SessionID))
	equal(f, "the one that asks lives", f.live(id, keptHash), true)
	equal(f, "its other lives", f.live(id, endedHash), false)
	equal(f, "another user's lives", f.live(other, otherHash), true)
}

func aUserHasSoManySessions(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	_, otherHash := f.login(other)
	hashes := make([][]byte, session.MostPerUser)
	for i := range hashes {
		o := opening(id, noon.Add(time.Duration(i)*time.Second))
		f.signIn(o)
		hashes[i] = o.TokenHash
	}
	oldest, err := f.FindSession(f.Context(), id, hashes[0], noon)
	f.must(err)
	f.must(f.TouchSession(f.Context(), id, oldest.SessionID, noon.Add(time.Hour)))
	f.login(id)
	equal(f, "the one used last lives", f.live(id, hashes[0]), true)
	equal(f, "the one unused for longest lives", f.live(id, hashes[1]), false)
	equal(f, "the next lives", f.live(id, hashes[2]), true)
	list, err := f.Sessions(f.Context(), id, noon)
	f.must(err)
	equal(f, "sessions", len(list), session.MostPerUser)
	equal(f, "another user's lives", f.live(other, otherHash), true)
}

func aLoginClearsExpired(f *fixture) {
	id := f.person("marcus")
	f.login(id)
	f.signIn(opening(id, noon.Add(session.Long)))
	list, err := f.Sessions(f.Context(), id, noon) // as of then the first is not expired
	f.must(err)
	equal(f, "sessions", len(list), 1)
}

func noSessionOfAClosingUser(f *fixture) {
	id := f.person("marcus")
	f.must(f.CloseAccount(f.Context(), id, never, []byte("letter"), noon))
	o := opening(id, noon)
	in := user.SignIn{Opening: o, Credential: f.row(id).Credential}
	f.says(true)(f.SignIn(f.Context(), in))
	equal(f, "session of the kept account lives", f.live(id, o.TokenHash), true)
	f.must(f.CloseAccount(f.Context(), id, never, []byte("letter"), noon))
	equal(f, "session of the closed account lives", f.live(id, o.TokenHash), false)
}

func manyLoginsAtOnce(f *fixture) {
	id := f.person("marcus")
	credential := f.row(id).Credential
	opened := f.atOnce(many, func(int) (bool, error) {
		return f.SignIn(f.Context(), user.SignIn{Opening: opening(id, noon), Credential: credential})
	})
	equal(f, "logins that opened a session", opened, many)
	list, err := f.Sessions(f.Context(), id, noon)
	f.must(err)
	ids := map[int64]bool{}
	for _, s := range list {
		ids[s.ID] = true
	}
	equal(f, "sessions with an id of their own", len(ids), many)
}
