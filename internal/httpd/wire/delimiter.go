package wire

import "bytes"

// finder finds a delimiter in content. bytes.Index stops at each byte that is its first one, in noise at
// one of 256. But a delimiter can't stand where two neighbouring bytes are no neighbours in it: one pair
// of each stretch that it would cover is enough to pass over nearly all that is none.
type finder struct {
	text  []byte
	pairs *[1 << 12]bool // by pairOf; nil for a text too short to be worth it
}

func newFinder(text []byte) finder {
	if len(text) < 24 {
		return finder{text: text}
	}
	f := finder{text, new([1 << 12]bool)}
	for i := range len(text) - 1 {
		f.pairs[pairOf(text[i], text[i+1])] = true
	}
	return f
}

// pairOf tells pairs of bytes apart, most of them.
func pairOf(a, b byte) uint { return uint(a)<<4 ^ uint(b) }

// index returns where the text stands first, or -1.
func (f finder) index(in []byte) int {
	if f.pairs == nil {
		return bytes.Index(in, f.text)
	}
	stride := len(f.text) - 1 // so many pairs begin in the text: one of them is looked at
	for at := stride - 1; at+1 < len(in); at += stride {
		if !f.pairs[pairOf(in[at], in[at+1])] {
			continue
		}
		from := at - stride + 1
		if i := bytes.Index(in[from:min(at+len(f.text), len(in))], f.text); i >= 0 {
			return from + i
		}
	}
	return -1
}
