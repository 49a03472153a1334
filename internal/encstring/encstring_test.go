package encstring_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"caesar/internal/encstring"
)

func key(t testing.TB, raw []byte) *encstring.Key {
	t.Helper()
	k, err := encstring.NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func counting() []byte {
	raw := make([]byte, encstring.KeySize)
	for i := range raw {
		raw[i] = byte(i)
	}
	return raw
}

func TestValuesMadeByBitwardenOpen(t *testing.T) {
	t.Parallel()
	// From the tests of github.com/bitwarden/sdk-internal: crates/bitwarden-vault/src/cipher/cipher.rs
	// (test_decrypt_cipher_list_view) and crates/bitwarden-sm (test_access_token_login).
	for _, v := range []struct{ key, sealed, want string }{
		{
			"w2LO+nwV4oxwswVYCxlOfRUseXfvU03VzvKQHrqeklPgiMZrspUe6sOBToCnDn9Ay0tuCBn8ykVVRb7PWhub2Q==",
			"2.d3rzo0P8rxV9Hs1m1BmAjw==|JOwna6i0zs+K7ZghwrZRuw==|SJqKreLag1ID+g6H1OdmQr0T5zTrVWKzD6hGy3fDqB0=",
			"My test login",
		},
		{
			"w2LO+nwV4oxwswVYCxlOfRUseXfvU03VzvKQHrqeklPgiMZrspUe6sOBToCnDn9Ay0tuCBn8ykVVRb7PWhub2Q==",
			"2.M7ZJ7EuFDXCq66gDTIyRIg==|B1V+jroo6+m/dpHx6g8DxA==|PIXPBCwyJ1ady36a7jbcLg346pm/7N/06W4UZxc1TUo=",
			"test_password",
		},
		{
			"k/6PcwG7Hm/eZfvvOvP6EqGx1JKgbzYrWwpOIHsxbJHQMpIMg5Ud94AQHduSR+XMMaFiSB+nszbO4JPXj04YwA==",
			"2.pMS6/icTQABtulw52pq2lg==|XXbxKxDTh+mWiN1HjH2N1w==|Q6PkuT+KX/axrgN9ubD5Ajk2YNwxQkgs3WJM0S0wtG8=",
			"TEST",
		},
	} {
		raw, err := base64.StdEncoding.DecodeString(v.key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := key(t, raw).Open(v.sealed); err != nil || string(got) != v.want {
			t.Errorf("Open(%s) = %q, %v", v.sealed, got, err)
		}
		if !encstring.Valid(v.sealed) {
			t.Errorf("Valid(%s) = false", v.sealed)
		}
	}
}

func TestWhatWasSealedOpensOnlyUnderItsKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		bytes64 := rapid.SliceOfN(rapid.Byte(), encstring.KeySize, encstring.KeySize)
		raw, other := bytes64.Draw(rt, "key"), bytes64.Draw(rt, "other")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(rt, "plaintext")
		k := key(t, raw)
		sealed := k.Seal(plaintext)
		if !encstring.Valid(sealed) {
			rt.Fatalf("%s is not valid", sealed)
		}
		if got, err := k.Open(sealed); err != nil || !bytes.Equal(got, plaintext) {
			rt.Fatalf("Open = %x, %v", got, err)
		}
		if _, err := key(t, other).Open(sealed); !bytes.Equal(raw, other) && !errors.Is(err, encstring.ErrMAC) {
			rt.Fatalf("Open under another key: %v", err)
		}
	})
}

func TestEveryAlteredByteIsNoticed(t *testing.T) {
	t.Parallel()
	k := key(t, counting())
	sealed := k.Seal([]byte("hunter2"))
	for i := range sealed {
		for _, b := range []byte("A/=|.2\n\x00") {
			altered := []byte(sealed)
			if altered[i] == b {
				continue
			}
			altered[i] = b
			_, err := k.Open(string(altered))
			if !errors.Is(err, encstring.ErrMAC) && !errors.Is(err, encstring.ErrFormat) {
				t.Errorf("byte %d set to %q: %v", i, b, err)
			}
		}
	}
}

func TestWrongMACIsRefusedBeforeThePaddingIsLookedAt(t *testing.T) {
	t.Parallel()
	k := key(t, counting())
	part := strings.Split(strings.TrimPrefix(k.Seal(make([]byte, 32)), "2."), "|")
	// A ciphertext whose last block now decrypts to something without padding.
	ct, _ := base64.StdEncoding.DecodeString(part[1])
	for b := range 256 {
		ct[len(ct)-17] = byte(b)
		text := "2." + part[0] + "|" + base64.StdEncoding.EncodeToString(ct) + "|" + part[2]
		if _, err := k.Open(text); err != nil && !errors.Is(err, encstring.ErrMAC) {
			t.Fatalf("Open tells of the padding: %v", err)
		}
	}
}

func TestOnlyTheCanonicalSpellingIsValid(t *testing.T) {
	t.Parallel()
	k := key(t, counting())
	iv, ct, mac := strings.Repeat("A", 22)+"==", strings.Repeat("A", 22)+"==", strings.Repeat("A", 43)+"="
	if !encstring.Valid("2." + iv + "|" + ct + "|" + mac) {
		t.Fatal("the pattern itself is not valid")
	}
	for name, text := range map[string]string{
		"empty":              "",
		"prefix alone":       "2.",
		"type 0":             "0." + iv + "|" + ct,
		"type 1":             "1." + iv + "|" + ct + "|" + mac,
		"no type":            iv + "|" + ct + "|" + mac,
		"no mac":             "2." + iv + "|" + ct,
		"four parts":         "2." + iv + "|" + ct + "|" + mac + "|" + mac,
		"empty ciphertext":   "2." + iv + "||" + mac,
		"empty parts":        "2.||",
		"half a block":       "2." + iv + "|AAAAAAAAAAA=|" + mac,
		"short iv":           "2.AAAA|" + ct + "|" + mac,
		"long iv":            "2." + strings.Repeat("A", 24) + "|" + ct + "|" + mac,
		"short mac":          "2." + iv + "|" + ct + "|" + strings.Repeat("A", 42) + "==",
		"long mac":           "2." + iv + "|" + ct + "|" + strings.Repeat("A", 44),
		"no padding":         "2." + iv + "|" + ct[:22] + "|" + mac,
		"url alphabet":       "2." + iv + "|" + "_" + ct[1:] + "|" + mac,
		"trailing bits":      "2." + iv + "|" + ct[:21] + "B==|" + mac,
		"line end":           "2." + iv + "|" + ct + "|" + mac + "\n",
		"line ends in place": "2." + iv[:20] + "\r\n\r\n|" + ct + "|" + mac,
		"blank before":       " 2." + iv + "|" + ct + "|" + mac,
		"concatenated":       "2." + iv + "|" + ct + ct + "|" + mac,
	} {
		if encstring.Valid(text) {
			t.Errorf("%s: valid", name)
		}
		if _, err := k.Open(text); !errors.Is(err, encstring.ErrFormat) {
			t.Errorf("%s: Open = %v", name, err)
		}
	}
}

func TestAKeyHas64BytesAndIsCopied(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 32, 63, 65} {
		if _, err := encstring.NewKey(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
	}
	raw := counting()
	k := key(t, raw)
	clear(raw)
	clear(k.Bytes())
	if !bytes.Equal(k.Bytes(), counting()) {
		t.Error("the key changed with the caller's bytes")
	}
}

func TestManyMayUseOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	k := key(t, counting())
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			plaintext := bytes.Repeat([]byte{byte(n)}, 10*n)
			for range 200 {
				if got, err := k.Open(k.Seal(plaintext)); err != nil || !bytes.Equal(got, plaintext) {
					t.Errorf("Open = %x, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzOpen(f *testing.F) {
	k := key(f, counting())
	f.Add("2.pMS6/icTQABtulw52pq2lg==|XXbxKxDTh+mWiN1HjH2N1w==|Q6PkuT+KX/axrgN9ubD5Ajk2YNwxQkgs3WJM0S0wtG8=")
	f.Add("2.||")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := k.Open(text)
		switch {
		case errors.Is(err, encstring.ErrMAC) != encstring.Valid(text) && err != nil:
			t.Errorf("Valid = %v, but Open = %v", encstring.Valid(text), err)
		case encstring.Valid(text) && respell(text) != text:
			t.Errorf("%q is not the canonical spelling", text)
		}
	})
}

// respell decodes and encodes the parts of an EncString again.
func respell(text string) string {
	parts := strings.Split(strings.TrimPrefix(text, "2."), "|")
	for i, part := range parts {
		raw, _ := base64.StdEncoding.DecodeString(part)
		parts[i] = base64.StdEncoding.EncodeToString(raw)
	}
	return "2." + strings.Join(parts, "|")
}

func BenchmarkSeal(b *testing.B) {
	k, plaintext := key(b, counting()), []byte("correct horse battery staple")
	b.ReportAllocs()
	for b.Loop() {
		k.Seal(plaintext)
	}
}

func BenchmarkOpen(b *testing.B) {
	k := key(b, counting())
	sealed := k.Seal([]byte("correct horse battery staple"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValid(b *testing.B) {
	sealed := key(b, counting()).Seal([]byte("correct horse battery staple"))
	b.ReportAllocs()
	for b.Loop() {
		if !encstring.Valid(sealed) {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkNewKey(b *testing.B) {
	raw := counting()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encstring.NewKey(raw); err != nil {
			b.Fatal(err)
		}
	}
}
