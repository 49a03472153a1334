package sample_test

import (
	"bytes"
	"io"
	"testing"

	"caesar/bench/sample"
)

func content(t *testing.T, f sample.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := f.WriteTo(&b); err != nil || n != f.Size || int64(b.Len()) != f.Size {
		t.Fatalf("%d bytes of %d, %v", n, f.Size, err)
	}
	return b.Bytes()
}

// take has a checker compare a content in pieces of a size.
func take(f sample.File, whole bool, content []byte, size int) error {
	c := f.Checker(whole)
	for len(content) > 0 {
		n := min(size, len(content))
		if err := c.Take(content[:n]); err != nil {
			return err
		}
		content = content[n:]
	}
	return c.Done()
}

func TestAFileIsItselfInPiecesOfAnySize(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, 1000, 1 << 20, 3<<20 + 7} {
		f := sample.File{Size: size}
		all := content(t, f)
		for _, piece := range []int{100, 4096, 65_537, 5 << 20} {
			for _, whole := range []bool{true, false} {
				if err := take(f, whole, all, piece); err != nil {
					t.Errorf("%d bytes in pieces of %d: %v", size, piece, err)
				}
			}
		}
	}
}

func TestWhatIsNotTheFileIsNoticed(t *testing.T) {
	t.Parallel()
	f := sample.File{Size: 3<<20 + 7}
	all := content(t, f)
	for name, other := range map[string][]byte{
		"cut":             all[:len(all)-1],
		"too long":        append(bytes.Clone(all), 0),
		"a block twice":   append(append(bytes.Clone(all[:1<<20]), all[:1<<20]...), all[2<<20:]...),
		"one bit at last": append(bytes.Clone(all[:len(all)-1]), all[len(all)-1]^1),
	} {
		if take(f, true, other, 1<<16) == nil || take(f, false, other, 1<<16) == nil {
			t.Errorf("%s: it passes", name)
		}
	}
	other := bytes.Clone(all)
	other[1<<20+30_000] ^= 1
	if take(f, true, other, 1<<16) == nil {
		t.Error("one bit in the middle passes")
	}
}

func TestAFileEndsWhereItsReaderHasHadEnough(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	go func() { _, _ = io.CopyN(io.Discard, r, 1000); r.Close() }()
	if n, err := (sample.File{Size: 1 << 30}).WriteTo(w); err == nil || n > 1<<20 {
		t.Errorf("%d bytes were written, %v", n, err)
	}
}
