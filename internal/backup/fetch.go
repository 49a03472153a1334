package backup

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// sealedChunk is what a chunk takes in an age file, in bytes.
const sealedChunk = ageChunk + 16

// fetcher lies between age, which asks for a chunk at a time, and a Remote, of which a request is better
// made for much: what pieces are made of is fetched for them, in their order, out of one stretch for all
// that will be read on. It is held while the piece is decrypted.
type fetcher struct {
	Remote

	header int64 // where the first chunk begins

	mu   sync.Mutex
	held []*piece

	// The piece whose turn it is has these.
	stretch  io.ReadCloser // nil: there is none
	pos, end int64
	err      error // what ended it for good
}

// sealed returns where a part of the file lies that begins with a chunk and ends with one, or with the file.
func (f *fetcher) sealed(off, end int64) (from, to int64) {
	from = f.header + off/ageChunk*sealedChunk
	return from, min(f.header+(end+ageChunk-1)/ageChunk*sealedChunk, f.Size())
}

// fetch fetches what a piece is made of, once the piece before it has what it needs. The piece must be let
// go of.
func (f *fetcher) fetch(p *piece) error {
	defer close(p.fetched)
	if p.turn != nil {
		<-p.turn
	}
	if f.err == nil {
		f.err = f.read(p)
	}
	if f.err != nil {
		return f.err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = append(f.held, p)
	return nil
}

func (f *fetcher) read(p *piece) (err error) {
	from, to := f.sealed(p.off, p.end())
	if f.stretch == nil || f.pos != from || to > f.end { // it may have been begun for one who wanted less
		_, end := f.sealed(p.off, p.until)
		if err := f.close(); err != nil {
			return err
		}
		if f.stretch, err = f.Stretch(from, end); err != nil {
			return err
		}
		f.pos, f.end = from, end
	}
	p.from, p.sealed = from, p.sealed[:to-from]
	n, err := io.ReadFull(f.stretch, p.sealed)
	f.pos += int64(n)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// letGo ends what fetch began.
func (f *fetcher) letGo(p *piece) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = slices.DeleteFunc(f.held, func(held *piece) bool { return held == p })
}

// ReadAt implements io.ReaderAt for age.
func (f *fetcher) ReadAt(b []byte, off int64) (int, error) {
	if sealed := f.find(off, len(b)); sealed != nil {
		return copy(b, sealed), nil
	}
	return f.Remote.ReadAt(b, off)
}

func (f *fetcher) find(off int64, n int) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.held {
		if at := off - p.from; at >= 0 && at+int64(n) <= int64(len(p.sealed)) {
			return p.sealed[at:]
		}
	}
	return nil
}

// close ends the stretch.
func (f *fetcher) close() error {
	if f.stretch == nil {
		return nil
	}
	err := f.stretch.Close()
	f.stretch = nil
	return err
}
