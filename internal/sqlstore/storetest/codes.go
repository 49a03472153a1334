package storetest

import (
	"crypto/sha256"
	"fmt"
	"time"

	"caesar/internal/user"
)

var codes = []test{
	{"a code is right for its holder until it expires", aCodeIsRightUntilItExpires},
	{"a code is right for nobody else", aCodeIsRightForNobodyElse},
	{"five wrong tries end a code", fiveWrongTriesEndACode},
	{"a new code replaces the old one", aNewCodeReplacesTheOld},
	{"no second mail goes out too soon", noSecondMailTooSoon},
	{"a code activates once", aCodeActivatesOnce},
	{"a code resets a password once", aCodeResetsOnce},
	{"of many requests at once for a code one sends a mail", oneOfManySendsAMail},
	{"of many activations at once one is told yes", oneOfManyActivates},
	{"of many resets at once one is told yes", oneOfManyResets},
	{"of many wrong tries at once each is counted", wrongTriesAtOnceCount},
	{"codes are dropped by their slots and their owner", codesAreDroppedBySlotAndOwner},
}

// code is a code as it is stored. What is before the digits names its slot.
func code(slot, digits string) user.Code {
	s, h := sha256.Sum256([]byte(slot)), sha256.Sum256([]byte(slot+digits))
	return user.Code{Slot: s[:], Hash: h[:]}
}

func codeRequest(c user.Code, userID int64, at time.Time) user.CodeRequest {
	return user.CodeRequest{
		Code: c, UserID: userID, Letter: []byte("code"), Now: at, ExpiresAt: at.Add(10 * time.Minute), Resend: time.Minute,
	}
}

func (f *fixture) requestCode(c user.Code, userID int64, at time.Time) {
	f.Helper()
	wait, err := f.RequestCode(f.Context(), codeRequest(c, userID, at))
	f.must(err)
	if wait != 0 {
		f.Fatalf("a code has to wait %s", wait)
	}
}

func aCodeIsRightUntilItExpires(f *fixture) {
	id := f.person("marcus")
	c := code("reset of marcus", "123456")
	f.says(false)(f.CheckCode(f.Context(), c, id, noon))
	f.requestCode(c, id, noon)
	f.says(true)(f.CheckCode(f.Context(), c, id, noon))
	f.says(true)(f.CheckCode(f.Context(), c, id, noon.Add(10*time.Minute-time.Second)))
	f.says(false)(f.CheckCode(f.Context(), c, id, noon.Add(10*time.Minute)))
}

func aCodeIsRightForNobodyElse(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	c := code("reset of marcus", "123456")
	f.requestCode(c, id, noon)
	f.says(false)(f.CheckCode(f.Context(), c, other, noon))
	f.says(false)(f.CheckCode(f.Context(), c, 0, noon))
	f.says(false)(f.CheckCode(f.Context(), user.Code{Slot: code("activation of marcus", "").Slot, Hash: c.Hash}, id, noon))
	f.says(true)(f.CheckCode(f.Context(), c, id, noon))

	ofNobody := code("reset of nobody", "123456")
	f.requestCode(ofNobody, 0, noon)
	f.says(false)(f.CheckCode(f.Context(), ofNobody, 0, noon))
	f.says(false)(f.CheckCode(f.Context(), ofNobody, id, noon))
}

func fiveWrongTriesEndACode(f *fixture) {
	id := f.person("marcus")
	right, wrong := code("reset of marcus", "123456"), code("reset of marcus", "000000")
	f.requestCode(right, id, noon)
	for range user.MaxCodeTries - 1 {
		f.says(false)(f.CheckCode(f.Context(), wrong, id, noon))
	}
	f.says(true)(f.CheckCode(f.Context(), right, id, noon))
	f.says(false)(f.ResetPassword(f.Context(), wrong, id, 0, []byte("new"), []byte("letter"), noon))
	f.says(false)(f.CheckCode(f.Context(), right, id, noon))
	f.says(false)(f.ResetPassword(f.Context(), right, id, 0, []byte("new"), []byte("letter"), noon))
}

func aNewCodeReplacesTheOld(f *fixture) {
	id := f.person("marcus")
	first, second := code("reset of marcus", "111111"), code("reset of marcus", "222222")
	f.requestCode(first, id, noon)
	for range user.MaxCodeTries {
		f.says(false)(f.CheckCode(f.Context(), second, id, noon))
	}
	later := noon.Add(time.Minute)
	f.requestCode(second, id, later)
	f.says(false)(f.CheckCode(f.Context(), first, id, later))
	f.says(true)(f.CheckCode(f.Context(), second, id, later)) // with tries of its own
	f.says(true)(f.CheckCode(f.Context(), second, id, later.Add(10*time.Minute-time.Second)))
}

func noSecondMailTooSoon(f *fixture) {
	id := f.person("marcus")
	first, second := code("reset of marcus", "111111"), code("reset of marcus", "222222")
	f.requestCode(first, id, noon)
	for after, want := range map[time.Duration]time.Duration{0: time.Minute, 20 * time.Second: 40 * time.Second, 59 * time.Second: time.Second} {
		wait, err := f.RequestCode(f.Context(), codeRequest(second, id, noon.Add(after)))
		f.must(err)
		equal(f, fmt.Sprintf("wait after %s", after), wait, want)
	}
	equal(f, "letters", len(f.letters()), 1)
	f.says(true)(f.CheckCode(f.Context(), first, id, noon))
	f.requestCode(code("activation of marcus", "333333"), id, noon) // another slot
	f.requestCode(second, id, noon.Add(time.Minute))
	equal(f, "letters", len(f.letters()), 3)
}

func aCodeActivatesOnce(f *fixture) {
	id := f.user(user.Pending, "marcus")
	right := code("activation of marcus", "123456")
	f.requestCode(right, id, noon)
	f.says(false)(f.Activate(f.Context(), code("activation of marcus", "000000"), id, noon))
	equal(f, "status", f.row(id).Status, user.Pending)
	f.says(true)(f.Activate(f.Context(), right, id, noon))
	equal(f, "status", f.row(id).Status, user.Active)
	f.says(false)(f.Activate(f.Context(), right, id, noon))
	due, err := f.DueErasures(f.Context(), never, 10)
	f.must(err)
	equal(f, "erasures of an active user", len(due), 0)

	// It is the pending whom a code activates: a closing account is kept by a login alone.
	f.must(f.CloseAccount(f.Context(), id, never, []byte("letter"), noon))
	wait, err := f.RequestCode(f.Context(), codeRequest(right, id, noon))
	f.must(err)
	equal(f, "wait after a code was used up", wait, time.Minute)
	later := noon.Add(time.Minute)
	f.requestCode(right, id, later)
	f.says(false)(f.Activate(f.Context(), right, id, later))
	equal(f, "status", f.row(id).Status, user.Closing)
}

func aCodeResetsOnce(f *fixture) {
	id := f.person("marcus")
	was := f.row(id)
	_, hash := f.login(id)
	c := code("reset of marcus", "123456")
	f.requestCode(c, id, noon)
	f.says(false)(f.ResetPassword(f.Context(), code("reset of marcus", "000000"), id, 0, []byte("bad"), []byte("not sent"), noon))
	equal(f, "session lives after a wrong code", f.live(id, hash), true)
	f.says(true)(f.ResetPassword(f.Context(), c, id, 0, []byte("new"), []byte("reset"), noon))
	f.says(false)(f.ResetPassword(f.Context(), c, id, 0, []byte("bad"), []byte("not sent"), noon))
	equal(f, "password", string(f.row(id).SealedPassword), "new")
	equal(f, "session lives", f.live(id, hash), false)
	equal(f, "letters", fmt.Sprint(f.letters()), "[code reset]")
	// A login that began with the old password comes too late.
	f.says(false)(f.SignIn(f.Context(), user.SignIn{Opening: opening(id, noon), Credential: was.Credential}))
	f.says(false)(f.ChangePassword(f.Context(), id, was.Seen(), []byte("bad"), 0, []byte("not sent"), noon))
}

func oneOfManySendsAMail(f *fixture) {
	id := f.person("marcus")
	sent := f.atOnce(many, func(i int) (bool, error) {
		wait, err := f.RequestCode(f.Context(), codeRequest(code("reset of marcus", fmt.Sprintf("%06d", i)), id, noon))
		return wait == 0, err
	})
	equal(f, "requests that sent a mail", sent, 1)
	equal(f, "letters", len(f.letters()), 1)
}

func oneOfManyActivates(f *fixture) {
	id := f.user(user.Pending, "marcus")
	c := code("activation of marcus", "123456")
	f.requestCode(c, id, noon)
	yes := f.atOnce(many, func(int) (bool, error) { return f.Activate(f.Context(), c, id, noon) })
	equal(f, "activations that were told yes", yes, 1)
}

func oneOfManyResets(f *fixture) {
	id := f.person("marcus")
	c := code("reset of marcus", "123456")
	f.requestCode(c, id, noon)
	yes := f.atOnce(many, func(i int) (bool, error) {
		return f.ResetPassword(f.Context(), c, id, 0, fmt.Appendf(nil, "new %d", i), []byte("letter"), noon)
	})
	equal(f, "resets that were told yes", yes, 1)
	equal(f, "letters", len(f.letters()), 2) // the code and the notice
}

func wrongTriesAtOnceCount(f *fixture) {
	id := f.person("marcus")
	right, wrong := code("reset of marcus", "123456"), code("reset of marcus", "000000")
	f.requestCode(right, id, noon)
	yes := f.atOnce(user.MaxCodeTries, func(int) (bool, error) { return f.CheckCode(f.Context(), wrong, id, noon) })
	equal(f, "wrong tries that were told yes", yes, 0)
	f.says(false)(f.CheckCode(f.Context(), right, id, noon))
}

func codesAreDroppedBySlotAndOwner(f *fixture) {
	marcus, julia := f.person("marcus"), f.person("julia")
	his, hers := code("reset of marcus", "123456"), code("reset of julia", "654321")
	f.requestCode(his, marcus, noon)
	f.requestCode(hers, julia, noon)
	f.must(f.DropCodes(f.Context(), marcus, [][]byte{his.Slot, hers.Slot, []byte("a slot without a code")}))
	f.says(false)(f.CheckCode(f.Context(), his, marcus, noon))
	f.says(true)(f.CheckCode(f.Context(), hers, julia, noon))
}
