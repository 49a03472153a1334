package mail_test

import (
	"encoding/json"
	"errors"
	netmail "net/mail"
	"strings"
	"testing"
	"unicode"

	"caesar/internal/mail"
)

func TestBareAddressesAreTakenAsTyped(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{
		"a@b", "a@localhost", "Alice@Example.COM", "a.b+c@sub.example.co.uk", "x_y-z@exa-mple.org", "1@2.x",
		"!#$%&'*+-/=?^_`{|}~@example.com", "a@xn--fiqs8s.cn", "me@host1", "a@3com.com",
		strings.Repeat("a", 64) + "@example.com",
		"a@" + strings.Repeat("b", 63) + ".com",
		"a@" + strings.Repeat("b.", 125) + "co",
	} {
		address, err := mail.ParseAddress(typed)
		if err != nil {
			t.Errorf("%q: %v", typed, err)
			continue
		}
		if address.String() != typed {
			t.Errorf("%q became %q", typed, address)
		}
		if address.Folded() != strings.ToLower(typed) {
			t.Errorf("%q folds to %q", typed, address.Folded())
		}
	}
}

func TestAllElseIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{
		"", "@", "a", "a@", "@b", "a@@b", "a@b@c", "a b@c", "a@b c", " a@b", "a@b ", "a@b.", "a@.b", "a@b..c",
		".a@b", "a.@b", "a..b@c", "Name <a@b>", "<a@b>", `"a b"@c`, `a"@b`, "a@[127.0.0.1]", "a@127.0.0.1",
		"a@1", "a(comment)@b", "a@b(comment)", "a,b@c", "a@b,c@d", "a:b@c", "a;b@c", `a\b@c`, "a@-b.c",
		"a@b-.c", "a@b_c.d", "a\r\nBcc: x@y@b", "a@b\r\nBcc:x", "a@b\n", "a\x00@b", "a@b\x00", "a\x7f@b", "a@b\t",
		"用户@example.com", "a@例子.中国", "a@b\u200b", "а@example.com", "a@exаmple.com", "a\xff@b", "mailto:a@b",
		strings.Repeat("a", 65) + "@b", "a@" + strings.Repeat("b", 64), "a@" + strings.Repeat("b.", 126) + "co",
		strings.Repeat("a", 1<<20),
	} {
		address, err := mail.ParseAddress(typed)
		if !errors.Is(err, mail.ErrAddress) {
			t.Errorf("%.40q was taken", typed)
			continue
		}
		if address != (mail.Address{}) {
			t.Errorf("%.40q is refused, yet an address came back", typed)
		}
		if len(typed) > 4 && strings.Contains(err.Error(), typed) {
			t.Errorf("the error repeats %.40q", typed)
		}
	}
}

func TestAddressThatIsNoneDoesNotComeBackFromJSON(t *testing.T) {
	t.Parallel()
	var address mail.Address
	if err := json.Unmarshal([]byte(`"a@b\r\nBcc: c@d"`), &address); err == nil {
		t.Errorf("read as %q", address)
	}
	if err := json.Unmarshal([]byte(`""`), &address); err != nil || address != (mail.Address{}) {
		t.Errorf("no address: %v", err)
	}
}

// What is taken is, to the standard library's reader of addresses, one bare address and the same.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"a@b", "a.b@c.d", "Name <a@b>", "a@b\r\nX: y", `"q"@b`, "a@1.2.3.4", "é@b", "a@b.c-d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		address, err := mail.ParseAddress(typed)
		if err != nil {
			return
		}
		parsed, err := netmail.ParseAddress(typed)
		if err != nil || parsed.Name != "" || parsed.Address != typed {
			t.Fatalf("%q is taken, but net/mail reads %+v, %v", typed, parsed, err)
		}
		if strings.ContainsFunc(typed, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f }) {
			t.Fatalf("%q is taken", typed)
		}
		again, err := mail.ParseAddress(address.Folded())
		if err != nil || again.Folded() != address.Folded() {
			t.Fatalf("folded form %q: %v", address.Folded(), err)
		}
	})
}
