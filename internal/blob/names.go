package blob

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// whole ends the name under which a blob is kept, in a folder and in a bucket.
const whole = ".age"

// The names of blobs: 128 random bits in base32, lower case, as some file systems know no other.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const nameBytes = 16

func newName() string {
	var b [nameBytes]byte
	rand.Read(b[:])
	return encoding.EncodeToString(b[:])
}

// isName keeps what is no name of ours away from the file system and the store.
func isName(s string) bool {
	return len(s) == encoding.EncodedLen(nameBytes) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
