package rootkey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"caesar/internal/rootkey"
)

// ring returns a ring of the given 32-byte keys, each told by its first byte.
func ring(t testing.TB, firsts ...byte) *rootkey.Ring {
	t.Helper()
	var text []byte
	for _, first := range firsts {
		text = base64.StdEncoding.AppendEncode(text, secret(first))
		text = append(text, '\n')
	}
	path := filepath.Join(t.TempDir(), "root.key")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := rootkey.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func secret(first byte) []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = first + byte(i)
	}
	return key
}

var boundParts = [][]byte{[]byte("42"), nil, []byte("凯撒")}

func TestValuesMadeByAnotherProgramAreRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/vectors.json") // written by testdata/vectors.py
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Sealed, MAC, Key string }
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	r := ring(t, 0)
	sealed, _ := hex.DecodeString(want.Sealed)
	plaintext, err := r.Sealer("test").Open(sealed, boundParts...)
	if err != nil || string(plaintext) != "veni, vidi, vici" {
		t.Errorf("Open = %q, %v", plaintext, err)
	}
	if got := hex.EncodeToString(r.MAC("test").Sum(boundParts...)); got != want.MAC {
		t.Errorf("Sum = %s, want %s", got, want.MAC)
	}
	if got := hex.EncodeToString(r.MAC("test").Key(boundParts...)); got != want.Key {
		t.Errorf("Key = %s, want %s", got, want.Key)
	}
}

func parts(t *rapid.T, label string) [][]byte {
	return rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 0, 5).Draw(t, label)
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func TestWhatWasSealedOpensOnlyWithTheSameParts(t *testing.T) {
	t.Parallel()
	sealer := ring(t, 7).Sealer("test")
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		bound, others := parts(t, "bound"), parts(t, "others")
		sealed := sealer.Seal(plaintext, bound...)
		if got, err := sealer.Open(sealed, bound...); err != nil || !bytes.Equal(got, plaintext) {
			t.Fatalf("Open = %x, %v", got, err)
		}
		if _, err := sealer.Open(sealed, others...); (err == nil) != equal(bound, others) {
			t.Fatalf("Open with %x instead of %x: %v", others, bound, err)
		}
	})
}

func TestAMACHoldsOnlyForTheSameParts(t *testing.T) {
	t.Parallel()
	mac := ring(t, 7).MAC("test")
	rapid.Check(t, func(t *rapid.T) {
		these, others := parts(t, "these"), parts(t, "others")
		sum := mac.Sum(these...)
		if !mac.Verify(sum, these...) {
			t.Fatal("a fresh MAC is refused")
		}
		if mac.Verify(sum, others...) != equal(these, others) {
			t.Fatalf("MAC of %x over %x", these, others)
		}
		if bytes.Equal(mac.Key(these...), mac.Key(others...)) != equal(these, others) {
			t.Fatalf("Key of %x and of %x", these, others)
		}
	})
}

func TestEveryAlteredBitIsNoticed(t *testing.T) {
	t.Parallel()
	r := ring(t, 7)
	sealer, mac := r.Sealer("test"), r.MAC("test")
	sealed, sum := sealer.Seal([]byte("secret"), []byte("7")), mac.Sum([]byte("7"))
	for i := range len(sealed) * 8 {
		altered := bytes.Clone(sealed)
		altered[i/8] ^= 1 << (i % 8)
		if _, err := sealer.Open(altered, []byte("7")); !errors.Is(err, rootkey.ErrBroken) {
			t.Errorf("bit %d of the sealed value: %v", i, err)
		}
	}
	for i := range len(sum) * 8 {
		altered := bytes.Clone(sum)
		altered[i/8] ^= 1 << (i % 8)
		if mac.Verify(altered, []byte("7")) {
			t.Errorf("bit %d of the MAC was not noticed", i)
		}
	}
	for n := range sealed {
		if _, err := sealer.Open(sealed[:n], []byte("7")); !errors.Is(err, rootkey.ErrBroken) {
			t.Errorf("sealed value cut to %d bytes: %v", n, err)
		}
	}
	for n := range sum {
		if mac.Verify(sum[:n], []byte("7")) {
			t.Errorf("MAC cut to %d bytes holds", n)
		}
	}
}

func TestPurposesAndConstructionsDoNotMix(t *testing.T) {
	t.Parallel()
	r := ring(t, 7)
	if _, err := r.Sealer("b").Open(r.Sealer("a").Seal([]byte("x"))); !errors.Is(err, rootkey.ErrBroken) {
		t.Errorf("another purpose opened it: %v", err)
	}
	if r.MAC("b").Verify(r.MAC("a").Sum([]byte("x")), []byte("x")) {
		t.Error("another purpose verified it")
	}
	if sum := r.MAC("a").Sum([]byte("x")); bytes.Equal(sum[4:], r.MAC("a").Key([]byte("x"))) {
		t.Error("a published MAC gives the look-up key away")
	}
}

func TestTwoSealsOfTheSameValueDiffer(t *testing.T) {
	t.Parallel()
	sealer := ring(t, 7).Sealer("test")
	if bytes.Equal(sealer.Seal([]byte("x")), sealer.Seal([]byte("x"))) {
		t.Error("the nonce was used twice")
	}
}

func TestAnOlderKeyStillReadsButNoLongerWrites(t *testing.T) {
	t.Parallel()
	old, both, fresh := ring(t, 1), ring(t, 2, 1), ring(t, 2)
	sealed, sum := old.Sealer("test").Seal([]byte("x")), old.MAC("test").Sum([]byte("x"))
	if got, err := both.Sealer("test").Open(sealed); err != nil || string(got) != "x" {
		t.Errorf("Open under both keys = %q, %v", got, err)
	}
	if !both.MAC("test").Verify(sum, []byte("x")) {
		t.Error("a MAC of the older key is refused")
	}
	if _, err := fresh.Sealer("test").Open(sealed); !errors.Is(err, rootkey.ErrBroken) {
		t.Errorf("Open without the older key: %v", err)
	}
	if fresh.MAC("test").Verify(sum, []byte("x")) {
		t.Error("a MAC holds without its key")
	}
	if _, err := fresh.Sealer("test").Open(both.Sealer("test").Seal([]byte("y"))); err != nil {
		t.Errorf("the first key of the file does not make: %v", err)
	}
	if !bytes.Equal(both.MAC("test").Key([]byte("x")), fresh.MAC("test").Key([]byte("x"))) {
		t.Error("Key is not made under the current key")
	}
}

func TestManyMayUseOneMACAtOnce(t *testing.T) {
	t.Parallel()
	mac := ring(t, 7).MAC("test")
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			part := bytes.Repeat([]byte{byte(n)}, 10*n)
			want := mac.Sum(part)
			for range 200 {
				if !bytes.Equal(mac.Sum(part), want) || !mac.Verify(want, part) {
					t.Error("a MAC was disturbed by another")
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzOpen(f *testing.F) {
	sealer := ring(f, 7).Sealer("test")
	f.Add([]byte{}, []byte{})
	f.Add(ring(f, 7).Sealer("other").Seal([]byte("x"), []byte("1")), []byte("1"))
	f.Fuzz(func(t *testing.T, sealed, bound []byte) {
		if got, err := sealer.Open(sealed, bound); err == nil {
			t.Errorf("forged: %x", got)
		}
	})
}

func BenchmarkMACVerify(b *testing.B) {
	mac := ring(b, 7).MAC("test")
	row := bytes.Repeat([]byte("x"), 100)
	sum := mac.Sum(row, row, row, row, row, row)
	b.ReportAllocs()
	for b.Loop() {
		if !mac.Verify(sum, row, row, row, row, row, row) {
			b.Fatal("refused")
		}
	}
}

func BenchmarkMACSum(b *testing.B) {
	mac := ring(b, 7).MAC("test")
	row := bytes.Repeat([]byte("x"), 100)
	b.ReportAllocs()
	for b.Loop() {
		mac.Sum(row, row, row, row, row, row)
	}
}

func BenchmarkOpen(b *testing.B) {
	sealer := ring(b, 7).Sealer("test")
	sealed := sealer.Seal(make([]byte, 256), []byte("12345678"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sealer.Open(sealed, []byte("12345678")); err != nil {
			b.Fatal(err)
		}
	}
}
