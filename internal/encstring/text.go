package encstring

import (
	"crypto/aes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

const prefix = "2."

// Lengths in base64 of the two parts whose size is fixed.
var (
	ivLen  = base64.StdEncoding.EncodedLen(aes.BlockSize)
	macLen = base64.StdEncoding.EncodedLen(sha256.Size)
)

var strict = base64.StdEncoding.Strict()

// Valid tells whether a text is an EncString of type 2 in its canonical spelling, which Open would take
// under the right key. It is for values that a client has sealed: only their form can be checked.
func Valid(s string) bool {
	_, err := split(s)
	return err == nil
}

// join writes iv and ciphertext, which lie behind one another in sealed, and the mac.
func join(sealed, mac []byte) string {
	iv, ct := sealed[:aes.BlockSize], sealed[aes.BlockSize:]
	text := make([]byte, 0, len(prefix)+ivLen+1+strict.EncodedLen(len(ct))+1+macLen)
	text = append(text, prefix...)
	text = strict.AppendEncode(text, iv)
	text = append(text, '|')
	text = strict.AppendEncode(text, ct)
	text = append(text, '|')
	text = strict.AppendEncode(text, mac)
	return string(text)
}

// split reads a text to iv || ciphertext || mac.
func split(s string) ([]byte, error) {
	iv, ct, mac, ok := parts(s)
	// The decoder of encoding/base64 passes over line ends.
	if !ok || len(iv) != ivLen || len(mac) != macLen || strings.ContainsAny(s, "\r\n") {
		return nil, ErrFormat
	}
	raw := make([]byte, 0, aes.BlockSize+strict.DecodedLen(len(ct))+strict.DecodedLen(macLen))
	for _, part := range []string{iv, ct, mac} {
		n, err := strict.Decode(raw[len(raw):cap(raw)], []byte(part))
		if err != nil {
			return nil, ErrFormat
		}
		raw = raw[:len(raw)+n]
		if len(raw)%aes.BlockSize != 0 || len(raw) < aes.BlockSize {
			return nil, ErrFormat
		}
	}
	if len(raw) < 2*aes.BlockSize+sha256.Size {
		return nil, ErrFormat
	}
	return raw, nil
}

// parts cuts a text at its two bars.
func parts(s string) (iv, ct, mac string, ok bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", "", "", false
	}
	iv, rest, _ = strings.Cut(rest, "|")
	ct, mac, ok = strings.Cut(rest, "|")
	return iv, ct, mac, ok
}
