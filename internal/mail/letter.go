package mail

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"caesar/internal/phrase"
)

// Kind is what a letter is about.
type Kind uint8

// The kinds. They lie in queues: a number keeps its meaning for ever.
const (
	nothing             Kind = 0
	activationCode      Kind = 1
	resetCode           Kind = 2
	memberCode          Kind = 3
	closing             Kind = 4
	erased              Kind = 5
	emailChanged        Kind = 6
	passwordChanged     Kind = 7
	mainPasswordChanged Kind = 8
)

// Letter is what is to be said to one person: not yet in words, which it gets when it is sent.
type Letter struct {
	Kind     Kind            `json:"k"`
	To       Address         `json:"to,omitzero"`
	Language phrase.Language `json:"l,omitempty"`
	UserName string          `json:"u,omitempty"` // as its owner typed it; never part of a header
	Code     string          `json:"c,omitempty"`
	ValidFor time.Duration   `json:"v,omitempty"` // how long the code holds, counted from when the letter was queued
	ErasedOn time.Time       `json:"e,omitzero"`  // for a closing: the day on which nothing is left
	ID       string          `json:"id"`          // the left side of the Message-ID, set by Seal: two copies are known as one
}

// ActivationCode brings the code that proves the address of a new user.
func ActivationCode(to Address, userName, code string, validFor time.Duration, l phrase.Language) Letter {
	return Letter{Kind: activationCode, To: to, UserName: userName, Code: code, ValidFor: validFor, Language: l}
}

// ResetCode brings the code with which a new login password can be set.
func ResetCode(to Address, userName, code string, validFor time.Duration, l phrase.Language) Letter {
	return Letter{Kind: resetCode, To: to, UserName: userName, Code: code, ValidFor: validFor, Language: l}
}

// MemberCode brings the code that has to be shown at registration on /user, where no user exists yet.
func MemberCode(to Address, code string, validFor time.Duration, l phrase.Language) Letter {
	return Letter{Kind: memberCode, To: to, Code: code, ValidFor: validFor, Language: l}
}

// ClosingNotice tells that the account is closed, on which day it will be erased, and that logging in
// before then keeps it. The day is read in the time zone of erasedOn.
func ClosingNotice(to Address, userName string, erasedOn time.Time, l phrase.Language) Letter {
	return Letter{Kind: closing, To: to, UserName: userName, ErasedOn: erasedOn, Language: l}
}

// ErasedNotice tells that everything of the user has been erased.
func ErasedNotice(to Address, userName string, l phrase.Language) Letter {
	return Letter{Kind: erased, To: to, UserName: userName, Language: l}
}

// EmailChangedNotice tells the old address that it is no longer the user's. It does not name the new
// one: whoever reads the old mailbox may not be the owner any more.
func EmailChangedNotice(old Address, userName string, l phrase.Language) Letter {
	return Letter{Kind: emailChanged, To: old, UserName: userName, Language: l}
}

// PasswordChangedNotice tells that the login password was changed or reset.
func PasswordChangedNotice(to Address, userName string, l phrase.Language) Letter {
	return Letter{Kind: passwordChanged, To: to, UserName: userName, Language: l}
}

// MainPasswordChangedNotice tells that the main password was changed.
func MainPasswordChangedNotice(to Address, userName string, l phrase.Language) Letter {
	return Letter{Kind: mainPasswordChanged, To: to, UserName: userName, Language: l}
}

// Nothing is a letter to nobody. It is sealed and queued like any other, to the same size, and thrown
// away when its turn comes, so that a request about an unknown address does the work of one about a
// known one.
func Nothing() Letter { return Letter{} }

// block is what packed letters are padded to a multiple of. No letter with a valid address and a name of
// at most 64 characters needs a second one, so all of them are of one size.
const block = 1024

// pack writes the letter as JSON, followed by spaces up to a whole number of blocks.
func (l Letter) pack() []byte {
	var packed bytes.Buffer
	encoder := json.NewEncoder(&packed)
	encoder.SetEscapeHTML(false) // it would make one byte six, and so one block two
	if err := encoder.Encode(l); err != nil {
		panic("mail: a letter of plain values has no JSON form: " + err.Error())
	}
	short := (block - packed.Len()%block) % block
	packed.Write(bytes.Repeat([]byte{' '}, short))
	return packed.Bytes()
}

// errUnreadable is all that is said about a letter that cannot be read: anything more could repeat it.
var errUnreadable = errors.New("its content is not a letter")

func unpack(packed []byte) (Letter, error) {
	var l Letter
	if err := json.Unmarshal(packed, &l); err != nil {
		return Letter{}, fmt.Errorf("unpack letter: %w", errUnreadable)
	}
	if _, known := kinds[l.Kind]; !known && l.Kind != nothing {
		return Letter{}, fmt.Errorf("unpack letter: %w", errUnreadable)
	}
	return l, nil
}

// newID returns at least 128 random bits in letters alone: then no digits but those of a code stand out in
// a mail that is read as it lies in the outbox.
func newID() string {
	return strings.Map(func(r rune) rune {
		if '2' <= r && r <= '7' {
			return r - '2' + 'a'
		}
		return r
	}, rand.Text())
}
