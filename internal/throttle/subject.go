package throttle

import (
	"net/netip"
	"strconv"
)

// User names a user as a subject, under whatever name they were guessed at.
func User(id int64) string { return "user:" + strconv.FormatInt(id, 10) }

// Nobody names what was typed where a user was to be named, folded, and is nobody's. It is throttled as
// a user is, so that the throttle does not tell who is known.
func Nobody(handle string) string { return "nobody:" + handle }

// Client names an address as one who does things; see Guard.Allow.
func Client(from netip.Addr) string { return "client:" + network(from) }
