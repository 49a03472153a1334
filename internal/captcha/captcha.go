// Package captcha asks for the five digits of an image before it lets a stranger go on.
//
// Drawing one stores nothing: the answer travels in the captcha's id, sealed under the root key, so that any
// replica can check what any other drew, and an image that nobody looks at costs no memory. Each captcha can
// be tried once, right or wrong, and for three minutes; only the serials of those that were tried are kept,
// until they would have expired.
package captcha

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"caesar/internal/captcha/digits"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
)

// Life is how long a captcha may be answered.
const Life = 3 * time.Minute

// The parts of what is sealed in an id: the serial, the end of life in Unix milliseconds, big-endian, and the
// answer in ASCII.
const (
	serialSize = 16
	expirySize = 8
	answerSize = 5
)

// errWrong is the one answer to every captcha that does not pass, whatever the reason.
var errWrong = fault.New(fault.Invalid, "captcha_wrong", phrase.CaptchaWrong).On("captcha")

// Captcha draws captchas and checks answers. It is safe for concurrent use.
type Captcha struct {
	sealer *rootkey.Sealer
	store  Store
	on     bool
	now    func() time.Time
}

// New returns the captchas of a server. Where they are not on, Check lets everyone pass; Draw draws all the
// same, for the clients that show the image anyway.
func New(root *rootkey.Ring, store Store, on bool, now func() time.Time) *Captcha {
	return &Captcha{sealer: root.Sealer("captcha"), store: store, on: on, now: now}
}

// Draw returns a new captcha: its id, in the alphabet of base64url, and its image, a data URI (RFC 2397) that
// holds a PNG.
func (c *Captcha) Draw() (id, image string, err error) {
	number, err := rand.Int(rand.Reader, big.NewInt(100_000))
	if err != nil {
		return "", "", fmt.Errorf("choose captcha: %w", err)
	}
	answer := fmt.Sprintf("%0*d", answerSize, number)
	secret := make([]byte, serialSize, serialSize+expirySize+answerSize)
	rand.Read(secret)
	secret = binary.BigEndian.AppendUint64(secret, uint64(c.now().Add(Life).UnixMilli()))
	secret = append(secret, answer...)
	id = base64.RawURLEncoding.EncodeToString(c.sealer.Seal(secret))
	image = "data:image/png;base64," + base64.StdEncoding.EncodeToString(digits.Draw(answer))
	return id, image, nil
}

// Check returns nil for the right answer to a captcha that nobody tried before, and else the fault
// captcha_wrong, which never tells why. It spends the captcha either way: of any number of calls with one
// id, exactly one has the chance to pass. An id that is none, or has expired, is refused without asking the
// store. Spaces in the answer and the width of its digits do not matter. Any other error is the store's,
// and then the captcha may be spent or not.
func (c *Captcha) Check(ctx context.Context, id, answer string) error {
	if !c.on {
		return nil
	}
	serial, expiry, want, ok := c.open(id)
	if !ok || !c.now().Before(expiry) {
		return errWrong
	}
	first, err := c.store.SpendCaptcha(ctx, serial, expiry)
	if err != nil {
		return fmt.Errorf("spend captcha: %w", err)
	}
	if !first || subtle.ConstantTimeCompare(fold(answer), want) != 1 {
		return errWrong
	}
	return nil
}

// maxID is more than any id is long: what is longer is not even decoded.
const maxID = 256

func (c *Captcha) open(id string) (serial []byte, expiry time.Time, answer []byte, ok bool) {
	if len(id) > maxID || strings.ContainsAny(id, "\r\n") { // the decoder would pass over line breaks
		return nil, time.Time{}, nil, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil {
		return nil, time.Time{}, nil, false
	}
	secret, err := c.sealer.Open(sealed)
	if err != nil || len(secret) != serialSize+expirySize+answerSize {
		return nil, time.Time{}, nil, false
	}
	serial, rest := secret[:serialSize], secret[serialSize:]
	expiry = time.UnixMilli(int64(binary.BigEndian.Uint64(rest)))
	return serial, expiry, rest[expirySize:], true
}

// maxAnswer is more than five digits with spaces around each of them take in UTF-8.
const maxAnswer = 128

// fold makes digits of any width ASCII and drops spaces.
func fold(answer string) []byte {
	if len(answer) > maxAnswer {
		return nil
	}
	return []byte(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, norm.NFKC.String(answer)))
}
