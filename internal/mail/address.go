package mail

import (
	"errors"
	"fmt"
	"strings"
)

// ErrAddress is the error of ParseAddress.
var ErrAddress = errors.New("not a bare email address")

// The lengths that SMTP sets (RFC 5321, section 4.5.3.1, less the angle brackets of a path).
const (
	maxAddress = 254
	maxLocal   = 64
	maxLabel   = 63
)

// Address is a bare address that ParseAddress let through: safe in a header, in an SMTP command and in a
// file. The zero value is no address.
type Address struct{ typed string }

// ParseAddress reads a bare addr-spec in ASCII: a dot-atom, `@` and a host name (RFC 5321, section 4.1.2,
// without quoted local parts and address literals). Display names, comments, spaces, control characters
// and letters beyond ASCII are all refused with ErrAddress, which does not repeat what was sent. A host
// name of a single label, such as localhost, is a host name.
func ParseAddress(s string) (Address, error) {
	if len(s) > maxAddress {
		return Address{}, fmt.Errorf("parse address: %w: longer than %d bytes", ErrAddress, maxAddress)
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || !dotAtom(local) || !hostName(domain) {
		return Address{}, fmt.Errorf("parse address: %w", ErrAddress)
	}
	return Address{typed: s}, nil
}

// String returns the address as it was typed.
func (a Address) String() string { return a.typed }

// Folded returns the form under which two spellings of one address are the same: in lower case.
func (a Address) Folded() string { return strings.ToLower(a.typed) }

// domain is what follows the `@`.
func (a Address) domain() string {
	_, domain, _ := strings.Cut(a.typed, "@")
	return domain
}

// MarshalText implements encoding.TextMarshaler.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.typed), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Empty text is the zero value; what is no address is
// refused, so that every Address that exists is fit for a header, wherever it has been.
func (a *Address) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Address{}
		return nil
	}
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// dotAtom reports whether s is a dot-atom (RFC 5322, section 3.2.3) of a length that mail servers take.
func dotAtom(s string) bool {
	if len(s) > maxLocal {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !isAtext(r) }) {
			return false
		}
	}
	return true
}

func isAtext(r rune) bool {
	return isLetterOrDigit(r) || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// hostName reports whether s is a name of labels (RFC 1123, section 2.1) and not a bare IPv4 address,
// whose last label is a number.
func hostName(s string) bool {
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !isLetterOrDigit(r) }) {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

func isLetterOrDigit(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
