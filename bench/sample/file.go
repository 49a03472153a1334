package sample

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
)

// File is a file that is not compressible, and made up as it is read: of one size there is one.
type File struct{ Size int64 }

// A file is one random block again and again, each time with its number before it.
const blockSize = 1 << 20

var random = sync.OnceValue(func() []byte {
	block := make([]byte, blockSize)
	source := rand.NewChaCha8([32]byte([]byte("Caesar's benchmark, seed of data")))
	_, _ = source.Read(block) // never fails
	return block
})

// Name is what the file is called.
func (f File) Name() string { return fmt.Sprintf("file-%d.bin", f.Size) }

// WriteTo implements io.WriterTo.
func (f File) WriteTo(w io.Writer) (written int64, err error) {
	block := bytes.Clone(random())
	for number := uint64(1); written < f.Size; number++ {
		binary.LittleEndian.PutUint64(block, number)
		for piece := range pieces(block[:min(blockSize, f.Size-written)]) {
			n, err := w.Write(piece)
			written += int64(n)
			if err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// pieces cuts a block into what is written at once.
func pieces(block []byte) func(yield func([]byte) bool) {
	const size = 256 << 10
	return func(yield func([]byte) bool) {
		for len(block) > 0 {
			n := min(size, len(block))
			if !yield(block[:n]) {
				return
			}
			block = block[n:]
		}
	}
}

// Checker compares what comes with a file.
type Checker struct {
	file  File
	whole bool
	at    int64
	block []byte
}

// Checker returns what compares the whole of a file, or the two ends of each piece in which it comes.
func (f File) Checker(whole bool) *Checker {
	return &Checker{file: f, whole: whole, block: bytes.Clone(random())}
}

// atEnds is how much is compared at each end of a piece.
const atEnds = 64

// Take compares the next piece.
func (c *Checker) Take(piece []byte) error {
	if c.at+int64(len(piece)) > c.file.Size {
		return fmt.Errorf("there is more of it than %d bytes", c.file.Size)
	}
	at := c.at
	c.at += int64(len(piece))
	if c.whole || len(piece) <= 2*atEnds {
		return c.compare(at, piece)
	}
	if err := c.compare(at, piece[:atEnds]); err != nil {
		return err
	}
	return c.compare(c.at-atEnds, piece[len(piece)-atEnds:])
}

// Done says whether all has come.
func (c *Checker) Done() error {
	if c.at != c.file.Size {
		return fmt.Errorf("it ends after %d bytes of %d", c.at, c.file.Size)
	}
	return nil
}

// compare compares what should stand at a place of the file.
func (c *Checker) compare(at int64, part []byte) error {
	for len(part) > 0 {
		binary.LittleEndian.PutUint64(c.block, uint64(at/blockSize)+1)
		want := c.block[at%blockSize:]
		n := min(len(want), len(part))
		if !bytes.Equal(want[:n], part[:n]) {
			return fmt.Errorf("it is another one at byte %d or after", at)
		}
		at += int64(n)
		part = part[n:]
	}
	return nil
}
