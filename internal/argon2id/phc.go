package argon2id

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	saltSize = 16 // of a hash made here, in bytes
	hashSize = 32
	maxPart  = 64 // of a salt or a hash that is read
)

// ErrFormat means that a text is no Argon2id hash in the PHC string format.
var ErrFormat = errors.New("argon2id: not a hash in the PHC string format")

// Hash returns the hash of a password with a salt of its own, in the PHC string format:
//
//	$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>
//
// with 16 bytes of salt and 32 of hash in base64 without padding
// (https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md).
func (h *Hasher) Hash(ctx context.Context, password string, p Params) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails: crypto/rand ends the process instead
	key, err := h.keyOf(ctx, password, salt, p, hashSize)
	if err != nil {
		return "", err
	}
	return encoded{p, salt, key}.String(), nil
}

// Unmatched returns a hash that was made from no password: to verify one against it costs what it costs
// against any other, and fails.
func Unmatched(p Params) string {
	salt, hash := make([]byte, saltSize), make([]byte, hashSize)
	rand.Read(salt)
	rand.Read(hash)
	return encoded{p, salt, hash}.String()
}

// Verify tells whether a hash was made from a password, in constant time for hashes of equal costs. A
// hash that cannot be read is ErrFormat, one whose costs are out of bounds ErrParameters.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (bool, error) {
	e, err := parse(phc)
	if err != nil {
		return false, err
	}
	key, err := h.keyOf(ctx, password, e.salt, e.params, uint32(len(e.hash)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, e.hash) == 1, nil
}

// Parameters returns the costs of a hash, to see whether it is due to be made anew. It fails as Verify
// does.
func Parameters(phc string) (Params, error) {
	e, err := parse(phc)
	return e.params, err
}

func (h *Hasher) keyOf(ctx context.Context, password string, salt []byte, p Params, keyLen uint32) ([]byte, error) {
	secret := []byte(password)
	defer clear(secret)
	return h.Key(ctx, secret, salt, p, keyLen)
}

// encoded is a PHC string taken apart.
type encoded struct {
	params     Params
	salt, hash []byte
}

var b64 = base64.RawStdEncoding.Strict()

func (e encoded) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", version,
		e.params.MemoryKiB, e.params.Passes, e.params.Lanes, b64.EncodeToString(e.salt), b64.EncodeToString(e.hash))
}

// parse reads the one spelling of a hash that String writes.
func parse(phc string) (encoded, error) {
	part := strings.Split(phc, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v="+strconv.Itoa(version) {
		return encoded{}, ErrFormat
	}
	params, err := parseParams(part[3])
	if err != nil {
		return encoded{}, err
	}
	salt, saltErr := parsePart(part[4])
	hash, hashErr := parsePart(part[5])
	if saltErr != nil || hashErr != nil {
		return encoded{}, ErrFormat
	}
	if len(salt) < minSalt || len(hash) < minKey {
		return encoded{}, ErrParameters
	}
	return encoded{params, salt, hash}, nil
}

func parseParams(text string) (Params, error) {
	costs := strings.Split(text, ",")
	if len(costs) != 3 {
		return Params{}, ErrFormat
	}
	var value [3]uint32
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(costs[i], name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || strconv.FormatUint(n, 10) != digits {
			return Params{}, ErrFormat
		}
		value[i] = uint32(n)
	}
	if value[2] > maxLanes {
		return Params{}, ErrParameters
	}
	p := Params{MemoryKiB: value[0], Passes: value[1], Lanes: uint8(value[2])}
	return p, p.check()
}

func parsePart(text string) ([]byte, error) {
	// The decoder of encoding/base64 passes over line ends.
	if len(text) > b64.EncodedLen(maxPart) || strings.ContainsAny(text, "\r\n") {
		return nil, ErrFormat
	}
	return b64.DecodeString(text)
}
