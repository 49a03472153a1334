package user_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/mail"
	"caesar/internal/user"
)

func TestACodeLivesTenMinutes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Pending, "marcus")
	code := h.code("marcus@example.org", user.ForActivation)
	h.advance(10 * time.Minute)
	h.refused(h.Activate(t.Context(), "marcus@example.org", code, visitor), "code_wrong", "code")

	code = h.code("marcus@example.org", user.ForActivation)
	h.advance(10*time.Minute - time.Second)
	h.must(h.Activate(t.Context(), "marcus@example.org", code, visitor))
}

func TestACodeIsTakenUnderEverySpelling(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.keep(user.Pending, "marcus")
	code := h.code("Marcus@EXAMPLE.org", user.ForActivation)
	h.must(h.Activate(t.Context(), "MARCUS@example.ORG", "  "+code+"\n", visitor))
	if got := h.row(id).Status; got != user.Active {
		t.Errorf("the status is %s", got)
	}
}

func TestFiveWrongTriesEndACode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Pending, "marcus")
	code := h.code("marcus@example.org", user.ForActivation)
	for range user.MaxCodeTries {
		h.refused(h.Activate(t.Context(), "marcus@example.org", wrong(code), visitor), "code_wrong", "code")
	}
	h.refused(h.Activate(t.Context(), "marcus@example.org", code, visitor), "code_wrong", "code")

	h.advance(time.Minute)
	code = h.code("marcus@example.org", user.ForActivation)
	for range user.MaxCodeTries - 1 {
		h.refused(h.Activate(t.Context(), "marcus@example.org", wrong(code), visitor), "code_wrong", "code")
	}
	h.must(h.Activate(t.Context(), "marcus@example.org", code, visitor))
}

func TestACodeServesOnceAndItsOwnPurposeOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Pending, "pending")
	h.keep(user.Active, "marcus")
	activation := h.code("pending@example.org", user.ForActivation)
	h.refused(h.reset("pending@example.org", activation, "new password"), "code_wrong", "code")
	h.must(h.Activate(t.Context(), "pending@example.org", activation, visitor))
	h.refused(h.Activate(t.Context(), "pending@example.org", activation, visitor), "code_wrong", "code")

	reset := h.code("marcus@example.org", user.ForPassword)
	h.refused(h.Activate(t.Context(), "marcus@example.org", reset, visitor), "code_wrong", "code")
	h.refused(h.reset("pending@example.org", reset, "new password"), "code_wrong", "code") // another's address
	h.must(h.reset("marcus@example.org", reset, "new password"))
	h.refused(h.reset("marcus@example.org", reset, "newer password"), "code_wrong", "code")
}

func TestANewCodeReplacesTheOld(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Pending, "marcus")
	first := h.code("marcus@example.org", user.ForActivation)
	h.advance(time.Minute)
	second := h.code("marcus@example.org", user.ForActivation)
	if first == second {
		t.Skip("one in a million: the same digits twice")
	}
	h.refused(h.Activate(t.Context(), "marcus@example.org", first, visitor), "code_wrong", "code")
	h.must(h.Activate(t.Context(), "marcus@example.org", second, visitor))
}

func TestAnotherMailWaitsAMinuteForKnownAndUnknownAlike(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Pending, "pending")
	h.keep(user.Active, "marcus")
	for _, email := range []string{"pending@example.org", "marcus@example.org", "nobody@example.org"} {
		for _, purpose := range []user.Purpose{user.ForActivation, user.ForPassword} {
			h.must(h.SendCode(t.Context(), email, string(purpose), visitor))
		}
	}
	h.advance(19*time.Second + 500*time.Millisecond)
	for _, email := range []string{"PENDING@example.org", "Marcus@example.org", "Nobody@example.org"} {
		for _, purpose := range []user.Purpose{user.ForActivation, user.ForPassword} {
			e := h.refusal(h.SendCode(t.Context(), email, string(purpose), visitor), "too_many")
			if e.Kind != fault.TooMany || e.RetryAfter <= 40*time.Second || e.RetryAfter > 41*time.Second {
				t.Errorf("%s for %s: wait %s", email, purpose, e.RetryAfter)
			}
			if want := "a mail was sent just now: try again in 41 seconds"; e.Message.String() != want {
				t.Errorf("%s for %s: %q, want %q", email, purpose, e.Message, want)
			}
		}
	}
	h.advance(41 * time.Second)
	for _, email := range []string{"pending@example.org", "marcus@example.org", "nobody@example.org"} {
		h.must(h.SendCode(t.Context(), email, string(user.ForPassword), visitor))
	}
}

func TestEveryRequestForACodeQueuesALetterOfOneSize(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Pending, "pending")
	h.keep(user.Active, "marcus")
	size := 0
	for _, c := range []struct {
		email   string
		purpose user.Purpose
		mailed  bool
	}{
		{"pending@example.org", user.ForActivation, true},
		{"pending@example.org", user.ForPassword, false}, // the address is not proven
		{"marcus@example.org", user.ForPassword, true},
		{"marcus@example.org", user.ForActivation, false}, // active already
		{"nobody@example.org", user.ForActivation, false},
		{"nobody@example.org", user.ForPassword, false},
	} {
		h.must(h.SendCode(t.Context(), c.email, string(c.purpose), visitor))
		queued, err := h.store.ClaimMail(t.Context(), h.Now(), 0, 10)
		h.must(err)
		if len(queued) != 1 {
			t.Fatalf("%s for %s queued %d letters", c.email, c.purpose, len(queued))
		}
		if size == 0 {
			size = len(queued[0].Sealed)
		}
		if len(queued[0].Sealed) != size {
			t.Errorf("%s for %s: a letter of %d bytes, the first had %d", c.email, c.purpose, len(queued[0].Sealed), size)
		}
		l := h.letter()
		if mailed := l != mail.Nothing(); mailed != c.mailed || mailed && l.To.String() != c.email {
			t.Errorf("%s for %s: the letter is %+v", c.email, c.purpose, l)
		}
	}
}

func TestWhatIsNoRequestForACodeIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.refused(h.SendCode(t.Context(), "Marcus <marcus@example.org>", "login", visitor), "invalid", "email", "type")
	h.refused(h.SendCode(t.Context(), "a@example.org\r\nBcc: b@example.org", "password", visitor), "invalid", "email")
	h.refused(h.SendCode(t.Context(), "marcus@example.org", "", visitor), "invalid", "type")
	h.refused(h.Activate(t.Context(), "", "", visitor), "invalid", "email", "code")
	h.refused(h.Activate(t.Context(), "marcus@example.org", "1234567890123456789012345678901234567890", visitor), "invalid", "code")
	h.refused(h.ResetPassword(t.Context(), user.Reset{Email: "x", Code: " ", Password: "short", RePassword: "short"}, visitor),
		"invalid", "email", "code", "password")
	h.refused(h.ResetPassword(t.Context(), user.Reset{Email: "marcus@example.org", Code: "1", Password: "long enough", RePassword: "Long enough"}, visitor),
		"invalid", "re_password")
	if letters := h.letters(); len(letters) != 0 {
		t.Errorf("letters were queued: %+v", letters)
	}
}

func TestOfManyActivationsAtOnceOneIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Pending, "marcus")
	code := h.code("marcus@example.org", user.ForActivation)
	var won atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if h.Activate(t.Context(), "marcus@example.org", code, visitor) == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d activations were told that they did it", won.Load())
	}
}

func TestGuessingAtCodesIsSlowedForKnownAndUnknownAlike(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "marcus")
	answers := map[string]string{}
	for _, email := range []string{"marcus@example.org", "nobody@example.org"} {
		for range throttle10 + 1 {
			answers[email] += fmt.Sprintln(h.reset(email, "000000", "new password"))
		}
	}
	if answers["marcus@example.org"] != answers["nobody@example.org"] {
		t.Errorf("guesses at a user are answered\n%sand at nobody\n%s", answers["marcus@example.org"], answers["nobody@example.org"])
	}
	h.refused(h.reset("marcus@example.org", "000000", "new password"), "too_many")
}

// throttle10 is how many wrong guesses at one user are let through at once.
const throttle10 = 10
