package backup

import (
	"errors"
	"io"
	"runtime"
)

const (
	// ageChunk is what age seals at once (https://age-encryption.org/v1, Payload), in bytes.
	ageChunk = 64 << 10
	// pieceSize is what is decrypted ahead at once: whole chunks, so that none is decrypted twice.
	pieceSize = 4 * ageChunk
	// mostAhead bounds the pieces that all downloads together have room for ahead.
	mostAhead = 32
)

// depth is how many pieces of one download are under way: one is being sent while each processor
// decrypts another.
func depth() int { return min(runtime.GOMAXPROCS(0), 4) + 1 }

// budget holds a token for each buffer of pieceSize that some download has. One that gets none goes on
// without decrypting ahead.
type budget chan struct{}

func newBudget() budget { return make(budget, mostAhead) }

// window is the pieces of a file from where it is being read, in order and without a gap.
type window struct {
	budget budget
	from   io.ReaderAt
	size   int64

	pieces []*piece
	own    []byte   // of ageChunk: for the piece that is waited for
	spare  [][]byte // of pieceSize, not in use now
	taken  int      // tokens of the budget
}

// piece is a part of a file, once done is closed.
type piece struct {
	off   int64
	buf   []byte
	err   error
	done  chan struct{}
	ahead bool
}

func (p *piece) end() int64 { return p.off + int64(len(p.buf)) }

// read fills the piece.
func (p *piece) read(from io.ReaderAt) {
	defer close(p.done)
	n, err := from.ReadAt(p.buf, p.off)
	switch {
	case n == len(p.buf):
	case err == nil || errors.Is(err, io.EOF):
		p.err = io.ErrUnexpectedEOF
	default:
		p.err = err
	}
}

// at returns what is at pos, which is before the file's end, and some of what follows. It stays as it is
// until the next call. Meanwhile what lies before end is decrypted ahead.
func (w *window) at(pos, end int64) ([]byte, error) {
	for len(w.pieces) > 0 && pos >= w.pieces[0].end() {
		w.shift()
	}
	if len(w.pieces) > 0 && pos < w.pieces[0].off {
		w.drop()
	}
	var first *piece
	if len(w.pieces) == 0 {
		if w.own == nil {
			w.own = make([]byte, min(ageChunk, w.size))
		}
		first = w.add(pos/ageChunk*ageChunk, w.own)
	}
	w.run(end)
	if first != nil {
		first.read(w.from)
	}
	p := w.pieces[0]
	<-p.done
	if p.err != nil {
		return nil, p.err
	}
	return p.buf[pos-p.off:], nil
}

// run begins to decrypt ahead up to end, as far as there are buffers.
func (w *window) run(end int64) {
	for {
		from := w.pieces[len(w.pieces)-1].end()
		if from >= min(end, w.size) || len(w.pieces) >= depth() {
			return
		}
		buf := w.buffer()
		if buf == nil {
			return
		}
		p := w.add(from, buf)
		p.ahead = true
		go p.read(w.from)
	}
}

// buffer returns a buffer of pieceSize; nil where the budget is spent.
func (w *window) buffer() []byte {
	if n := len(w.spare); n > 0 {
		buf := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return buf
	}
	select {
	case w.budget <- struct{}{}:
		w.taken++
		return make([]byte, pieceSize)
	default:
		return nil
	}
}

// add appends a piece that is still to be read.
func (w *window) add(off int64, buf []byte) *piece {
	p := &piece{off: off, buf: buf[:min(int64(len(buf)), w.size-off)], done: make(chan struct{})}
	w.pieces = append(w.pieces, p)
	return p
}

// shift lets go of the first piece.
func (w *window) shift() {
	p := w.pieces[0]
	<-p.done
	if p.ahead {
		w.spare = append(w.spare, p.buf[:cap(p.buf)])
	}
	w.pieces = append(w.pieces[:0], w.pieces[1:]...)
}

// drop lets go of all pieces.
func (w *window) drop() {
	for len(w.pieces) > 0 {
		w.shift()
	}
}

// close gives back what was taken of the budget. The window must not be used after.
func (w *window) close() {
	w.drop()
	for ; w.taken > 0; w.taken-- {
		<-w.budget
	}
}
