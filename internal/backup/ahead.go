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
	// mostAhead bounds the pieces that all downloads together have room for ahead: 8 MiB, and as much
	// again where what is decrypted has to be fetched.
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
	remote *fetcher // brings what from reads; nil where that is at hand
	size   int64

	pieces []*piece
	own    *buffer   // of ageChunk: for the piece that is waited for
	spare  []*buffer // of pieceSize, not in use now
	taken  int       // tokens of the budget
}

// buffer is the memory of a piece.
type buffer struct {
	plain  []byte
	sealed []byte // of what is fetched
}

// piece is a part of a file, once done is closed.
type piece struct {
	off   int64
	buf   []byte
	err   error
	done  chan struct{}
	of    *buffer
	ahead bool

	// Of what has to be fetched:
	until   int64         // how far it will be read on
	turn    chan struct{} // closed once the piece before has what it needs; nil: there is none
	fetched chan struct{} // closed once this one has
	from    int64         // where in the blob
	sealed  []byte
}

func (p *piece) end() int64 { return p.off + int64(len(p.buf)) }

// read fills the piece.
func (p *piece) read(w *window) {
	defer close(p.done)
	if w.remote != nil {
		if p.err = w.remote.fetch(p); p.err != nil {
			return
		}
		defer w.remote.letGo(p)
	}
	n, err := w.from.ReadAt(p.buf, p.off)
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
			w.own = w.room(min(ageChunk, w.size))
		}
		first = w.add(pos/ageChunk*ageChunk, w.own, end)
	}
	w.run(end)
	if first != nil {
		first.read(w)
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
		p := w.add(from, buf, end)
		p.ahead = true
		go p.read(w)
	}
}

// room makes a buffer for so many bytes of the file.
func (w *window) room(n int64) *buffer {
	b := &buffer{plain: make([]byte, n)}
	if w.remote != nil {
		from, to := w.remote.sealed(0, n)
		b.sealed = make([]byte, to-from)
	}
	return b
}

// buffer returns a buffer of pieceSize; nil where the budget is spent.
func (w *window) buffer() *buffer {
	if n := len(w.spare); n > 0 {
		buf := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return buf
	}
	select {
	case w.budget <- struct{}{}:
		w.taken++
		return w.room(pieceSize)
	default:
		return nil
	}
}

// add appends a piece that is still to be read, with no chunk in it that begins at end or beyond.
func (w *window) add(off int64, of *buffer, end int64) *piece {
	wanted := (end - off + ageChunk - 1) / ageChunk * ageChunk
	p := &piece{off: off, of: of, buf: of.plain[:min(int64(len(of.plain)), wanted, w.size-off)], done: make(chan struct{})}
	if w.remote != nil {
		p.until, p.fetched, p.sealed = min(end, w.size), make(chan struct{}), of.sealed
		if n := len(w.pieces); n > 0 {
			p.turn = w.pieces[n-1].fetched
		}
	}
	w.pieces = append(w.pieces, p)
	return p
}

// shift lets go of the first piece.
func (w *window) shift() {
	p := w.pieces[0]
	<-p.done
	if p.ahead {
		w.spare = append(w.spare, p.of)
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
func (w *window) close() error {
	w.drop()
	for ; w.taken > 0; w.taken-- {
		<-w.budget
	}
	if w.remote == nil {
		return nil
	}
	return w.remote.close()
}
