package backup

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

const (
	blockSize  = 128 << 10 // bytes that go from hand to hand at once
	mostBlocks = 3         // of one upload: one being read, the others being written
)

// block is a piece of what is spread.
type block struct {
	buf  [blockSize]byte
	n    int          // how much of buf is filled
	left atomic.Int32 // how many are not done with it yet
}

var blocks = sync.Pool{New: func() any { return new(block) }}

// spread copies r to all of ws, each in a goroutine of its own, and returns how much it read. It ends
// with the first error, after which no more is read; when it returns, nothing is written any more. Where
// ws keep up with r it works with a single block.
func spread(r io.Reader, ws ...io.Writer) (read int64, err error) {
	s := &spreading{free: make(chan *block, mostBlocks), lanes: make([]chan *block, len(ws)), errs: make([]error, len(ws))}
	for i, w := range ws {
		s.lanes[i] = make(chan *block, mostBlocks)
		s.writers.Go(func() { s.write(i, w) })
	}
	defer func() {
		for _, lane := range s.lanes {
			close(lane)
		}
		s.writers.Wait()
		close(s.free)
		for b := range s.free { // all, unless a panic of r took one with it
			blocks.Put(b)
		}
		err = errors.Join(append(s.errs, err)...)
	}()
	for !s.failed.Load() {
		b := s.block()
		err = b.fill(r)
		read += int64(b.n)
		b.left.Store(int32(len(ws)))
		for _, lane := range s.lanes {
			lane <- b
		}
		if err == io.EOF { //nolint:errorlint // an error that only wraps it is no end
			return read, nil
		}
		if err != nil {
			return read, err
		}
	}
	return read, nil
}

// fill reads until the block is full, or to an error. It is not io.ReadFull, which can't tell the end of
// r from an r that reports to be cut short.
func (b *block) fill(r io.Reader) error {
	for b.n = 0; b.n < len(b.buf); {
		n, err := r.Read(b.buf[b.n:])
		b.n += n
		if err != nil {
			return err
		}
	}
	return nil
}

type spreading struct {
	free    chan *block
	lanes   []chan *block
	errs    []error
	failed  atomic.Bool
	made    int
	writers sync.WaitGroup
}

// block returns one that nobody needs any more; it makes another only where all are in use.
func (s *spreading) block() *block {
	select {
	case b := <-s.free:
		return b
	default:
	}
	if s.made == mostBlocks {
		return <-s.free
	}
	s.made++
	return blocks.Get().(*block) //nolint:errcheck,forcetypeassert // nothing else is put in
}

// write writes what comes along a lane, up to the first error.
func (s *spreading) write(i int, w io.Writer) {
	for b := range s.lanes[i] {
		if s.errs[i] == nil {
			if _, s.errs[i] = w.Write(b.buf[:b.n]); s.errs[i] != nil {
				s.failed.Store(true)
			}
		}
		if b.left.Add(-1) == 0 {
			s.free <- b
		}
	}
}
