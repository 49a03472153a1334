package throttle

import (
	"net/netip"
	"strconv"
)

// User names a user as a subject, under whatever name they were guessed at.
func User(id int64) string { return "user:" + strconv.FormatInt(id, 10) }

// Inside names a user at the doors behind a live session: who has none can't use its guesses up.
func Inside(id int64) string { return "inside:" + strconv.FormatInt(id, 10) }

// Code names, at the doors that take a mailed code, whom User or Nobody named: guessing at a password does
// not shut them, so that a code is a way in when it is guessed at.
func Code(subject string) string { return "code:" + subject }

// Nobody names what was typed where a user was to be named, folded, and is nobody's. It is throttled as
// a user is, so that the throttle does not tell who is known.
func Nobody(handle string) string { return "nobody:" + handle }

// Client names an address as one who does things; see Guard.Allow.
func Client(from netip.Addr) string { return "client:" + network(from) }
