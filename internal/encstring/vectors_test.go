package encstring

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestSealingWritesWhatOpenSSLWrites(t *testing.T) {
	t.Parallel()
	raw, iv := make([]byte, KeySize), make([]byte, 16)
	for i := range raw {
		raw[i] = byte(i)
	}
	for i := range iv {
		iv[i] = byte(0xf0 + i)
	}
	k, err := NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	// printf %s TEXT | openssl enc -aes-256-cbc -K 00..1f -iv f0..ff | (printf IV; cat) |
	// openssl dgst -sha256 -mac HMAC -macopt hexkey:20..3f
	for text, want := range map[string]string{
		"":                 "2.8PHy8/T19vf4+fr7/P3+/w==|7a+eV9BFrIV/Aj+dwjixTg==|fJN2IOgoHpsU7BUV/xGtgvWMAHx6fcw2yKR+4HhYkAY=",
		"veni, vidi, vici": "2.8PHy8/T19vf4+fr7/P3+/w==|WtJPDNVP2XOaERaMcnIrF3vTomfvicyGblJ0fSaUCS0=|sQri2+Reyn50uuVlhBL/JkssxPzsY2OkV/wQ7ifyHtU=",
		"凯撒密码":             "2.8PHy8/T19vf4+fr7/P3+/w==|95CSZLX7Pzi9ohmqfnsK5g==|jCozt13Kc0Il6lLLRsFadI8oV+5fVUbru7NMfJxRh4Q=",
	} {
		if got := k.seal([]byte(text), iv); got != want {
			t.Errorf("seal(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestAESInCBCModeMatchesNIST(t *testing.T) {
	t.Parallel()
	// NIST SP 800-38A, appendix F.2.5: CBC-AES256.Encrypt, first two blocks.
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key := append(unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"), make([]byte, 32)...)
	k, err := NewKey(key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := split(k.seal(
		unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"),
		unhex("000102030405060708090a0b0c0d0e0f")))
	if err != nil {
		t.Fatal(err)
	}
	want := unhex("f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d")
	if !bytes.HasPrefix(raw[16:], want) {
		t.Errorf("ciphertext = %x, want it to begin with %x", raw[16:], want)
	}
}

func TestPaddingThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, last := range []string{"\x00", "\x11", "\xff", "\x01\x02", "\x02\x03\x03"} {
		text := strings.Repeat("x", 16-len(last)) + last
		if got, err := unpad([]byte(text)); err == nil {
			t.Errorf("unpad(%q) = %q", text, got)
		}
	}
	if got, err := unpad(bytes.Repeat([]byte{16}, 16)); err != nil || len(got) != 0 {
		t.Errorf("a whole block of padding: %q, %v", got, err)
	}
}
