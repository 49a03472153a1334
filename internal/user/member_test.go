package user_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/mail"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

// memberCode asks for a code to register with and returns the one that was mailed.
func (h *house) memberCode(email string) string {
	h.t.Helper()
	h.must(h.SendMemberCode(h.t.Context(), email, visitor))
	l := h.letter()
	if len(l.Code) != 4 || l.To.String() != email || l.ValidFor != 5*time.Minute {
		h.t.Fatalf("the letter is %+v", l)
	}
	return l.Code
}

func (h *house) registerMember(name, email, code string) error {
	return h.RegisterMember(h.t.Context(), user.MemberForm{Name: name, Password: "12345", Email: email, Code: code}, visitor)
}

// wrongMemberCode is a code that is not the right one.
func wrongMemberCode(code string) string {
	if code == "0000" {
		return "0001"
	}
	return "0000"
}

// laid ends the test where an error is not laid at the fields with the phrases.
func (h *house) laid(err error, want fault.Fields) {
	h.t.Helper()
	var fields []string
	for field := range want {
		fields = append(fields, field)
	}
	f := h.refusal(err, "invalid", fields...)
	for field, wrong := range want {
		if !f.Fields[field].Is(wrong) {
			h.t.Fatalf("%s is told %q, want %q", field, f.Fields[field], wrong)
		}
	}
}

func (h *house) loginMember(email, password string) (string, error) {
	h.t.Helper()
	c, err := h.CheckMemberLogin(user.Login{Handle: email, Password: password, Client: "curl/8", Life: session.Short})
	h.must(err)
	return h.LoginMember(h.t.Context(), c, visitor)
}

func TestAMemberIsActiveAtOnceAndHasNoMainPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	code := h.memberCode("Marcus@example.org")
	h.must(h.registerMember(" Marcus ", "  marcus@EXAMPLE.org ", " "+code+"\n"))
	token, err := h.loginMember("MARCUS@example.org", "12345")
	h.must(err)
	who, err := h.identify(token)
	h.must(err)
	u := h.row(who.UserID)
	if u.Status != user.Active || u.Name != "Marcus" || u.Email != "marcus@EXAMPLE.org" || u.KeyRevision != 0 {
		t.Errorf("got %+v", u)
	}
	if _, err := h.login("marcus", "12345"); err != nil {
		t.Errorf("the other surface refuses: %v", err)
	}
}

func TestAllThatIsWrongWithAMembersFormIsToldAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "taken")
	try := func(name, password, email, code string) error {
		return h.RegisterMember(t.Context(), user.MemberForm{Name: name, Password: password, Email: email, Code: code}, visitor)
	}
	h.laid(try("", "", "", ""), fault.Fields{"username": phrase.Required, "password": phrase.Required, "email": phrase.Required, "captcha": phrase.Required})
	h.laid(try("a@b", "1234", "x", "1234"), fault.Fields{"username": phrase.NameHasAt, "password": phrase.TooShort, "email": phrase.BadEmail, "captcha": phrase.CodeWrong})
	h.laid(try("TAKEN", "12345", "Taken@example.org", "1234"), fault.Fields{"username": phrase.NameTaken, "email": phrase.EmailTaken, "captcha": phrase.CodeWrong})
	h.laid(try("free", "12345", "free@example.org", "1234"), fault.Fields{"captcha": phrase.CodeWrong})

	code := h.memberCode("free@example.org")
	for range 2 * user.MaxCodeTries { // a right code is not used up, nor is it a wrong try
		h.laid(try("taken", "1", "free@example.org", code), fault.Fields{"username": phrase.NameTaken, "password": phrase.TooShort})
	}
	h.must(try("free", "12345", "free@example.org", code))
	h.laid(try("free2", "12345", "free@example.org", code), fault.Fields{"email": phrase.EmailTaken, "captcha": phrase.CodeWrong})
}

func TestAMembersCodeIsShortLivedAndStandsFiveWrongTries(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	code := h.memberCode("a@example.org")
	h.advance(5 * time.Minute)
	h.laid(h.registerMember("a", "a@example.org", code), fault.Fields{"captcha": phrase.CodeWrong})

	code = h.memberCode("a@example.org")
	for range user.MaxCodeTries {
		h.laid(h.registerMember("a", "a@example.org", wrongMemberCode(code)), fault.Fields{"captcha": phrase.CodeWrong})
	}
	h.laid(h.registerMember("a", "a@example.org", code), fault.Fields{"captcha": phrase.CodeWrong})
	h.refused(h.SendMemberCode(t.Context(), "a@example.org", visitor), "too_many")
	h.advance(time.Minute)
	other := h.memberCode("b@example.org")
	code = h.memberCode("a@example.org")
	if other != code {
		h.laid(h.registerMember("a", "a@example.org", other), fault.Fields{"captcha": phrase.CodeWrong})
	}
	h.must(h.registerMember("a", "a@example.org", code))
}

func TestOfManyWhoRegisterWithOneCodeOneGetsThrough(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	code := h.memberCode("a@example.org")
	var through atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if h.registerMember(fmt.Sprint("name", i), "a@example.org", code) == nil {
				through.Add(1)
			}
		})
	}
	all.Wait()
	if through.Load() != 1 {
		t.Errorf("%d got through", through.Load())
	}
}

func TestANameThatIsTakenInTheMeantimeUsesUpNoCode(t *testing.T) {
	t.Parallel()
	h := newHouseOn(t, func(s user.Store) user.Store { return &blind{Store: s} })
	h.keep(user.Active, "taken")
	code := h.memberCode("a@example.org")
	h.laid(h.registerMember("taken", "a@example.org", code), fault.Fields{"username": phrase.NameTaken})
	h.must(h.registerMember("free", "a@example.org", code))
}

// blind sees nobody by name or email, as one does who looks before somebody else is stored.
type blind struct{ user.Store }

func TestAPendingRegistrationGivesWayToWhoProvesTheEmail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	old := h.keep(user.Pending, "marcus")
	code := h.memberCode("marcus@example.org")
	h.must(h.registerMember("marcus", "marcus@example.org", code))
	if _, err := h.store.UserByID(t.Context(), old); err == nil {
		t.Error("the pending user is still there")
	}
}

func TestNoCodeIsMailedToWhoIsAMemberAlready(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, status := range []user.Status{user.Active, user.Closing} {
		name := string(status)
		h.keep(status, name)
		h.must(h.SendMemberCode(t.Context(), name+"@example.org", visitor))
		if l := h.letter(); l != mail.Nothing() {
			t.Errorf("%s: the letter is %+v", status, l)
		}
		h.refused(h.SendMemberCode(t.Context(), name+"@example.org", visitor), "too_many")
	}
	for _, email := range []string{"", "x", "a@b.c\r\nBcc: d@e.f"} {
		h.laid(h.SendMemberCode(t.Context(), email, visitor), fault.Fields{"email": phrase.BadEmail})
	}
}

func TestHiddenMembersAreToldToNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	_, err := h.loginMember("marcus@example.org", "wrong")
	h.refused(err, "login_wrong")
	_, err = h.loginMember("nobody@example.org", "wrong")
	h.refused(err, "email_unknown")

	h.HideMembers = true
	_, err = h.loginMember("nobody@example.org", "wrong")
	h.refused(err, "login_wrong")
	h.laid(h.registerMember("free", "marcus@example.org", "1234"), fault.Fields{"captcha": phrase.CodeWrong})
}

func TestAMembersLoginTakesAnEmailOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	check := func(email, password string) error {
		_, err := h.CheckMemberLogin(user.Login{Handle: email, Password: password})
		return err
	}
	h.laid(check("", ""), fault.Fields{"email": phrase.Required, "password": phrase.Required})
	h.laid(check("marcus", "x"), fault.Fields{"email": phrase.BadEmail})
	h.laid(check("a@b.c", "x\x00"), fault.Fields{"password": phrase.NoControls})

	h.keep(user.Pending, "marcus")
	_, err := h.loginMember("marcus@example.org", loginPassword)
	h.refused(err, "not_activated")
	_, err = h.loginMember("marcus@example.org", "wrong")
	h.refused(err, "login_wrong")
}

// UserByHandle implements user.Store.
func (b *blind) UserByHandle(context.Context, user.Handle) (user.User, error) {
	return user.User{}, user.ErrNoUser
}
