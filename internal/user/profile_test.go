package user_test

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

// Each syllable is nine bytes where it is sent taken apart, as some systems do.
func TestTheLongestNameLogsInHoweverItIsComposed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	apart := norm.NFD.String(strings.Repeat("각", 64))
	_, err := h.tryRegister(form(apart, "hangul@example.org"))
	h.must(err)
	h.must(h.Activate(t.Context(), "hangul@example.org", h.code("hangul@example.org", user.ForActivation), visitor))
	for _, handle := range []string{apart, norm.NFC.String(apart)} {
		if _, err := h.login(handle, loginPassword); err != nil {
			t.Errorf("a name of %d bytes does not log in: %v", len(handle), err)
		}
	}
}

func TestALoginFieldHasAnEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	check := func(handle string) error {
		_, err := h.CheckLogin(user.Login{Handle: handle, Password: loginPassword, Life: session.Long})
		return err
	}
	h.must(check(strings.Repeat("각", 320)))
	h.laid(check(strings.Repeat("각", 321)), fault.Fields{"user_name": phrase.TooLong.With(320)})
}
