package blob

import (
	"context"
	"sync"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

const (
	// partSize is the length of the parts in which an upload is sent, in bytes; S3 takes none below 5 MiB
	// but the last.
	partSize = 8 << 20
	// mostParts is how many parts S3 takes of one upload.
	mostParts = 10_000
	// S3BlobMax is the length of the longest blob that an S3 store keeps, in bytes: 78 GiB and a little.
	S3BlobMax = int64(partSize) * mostParts

	// mostBuffers is how many parts are held in memory at once, of all uploads: 128 MiB, beside which each
	// upload has smallSize of its own at most. An upload keeps its buffer to its end, so it is also how many
	// longer ones there are at once.
	mostBuffers = 16
	// bufferWithin is how long an upload waits for a buffer.
	bufferWithin = 30 * time.Second
	// leastRate is how fast a buffer has to be filled, in bytes a second, while others wait for one, and
	// slowFor for how long less may come. Else those who send hardly anything would hold all of them.
	leastRate = 64 << 10
	slowFor   = 10 * time.Second
	// lookEvery is how often one who waits looks for a buffer that is filled too slowly.
	lookEvery = 500 * time.Millisecond
)

// errBusy says that others have all the buffers, or were given this one.
var errBusy = fault.New(fault.Unavailable, "unavailable", phrase.BackupUploadsBusy).After(2 * awayFor)

// budget is the buffers of all uploads. The memory of one that is not in use is the garbage collector's.
type budget struct {
	size    int
	tokens  chan struct{} // one for each buffer in use
	spare   sync.Pool
	within  time.Duration
	slowFor time.Duration

	mu   sync.Mutex
	lent map[*buffer]struct{}
}

// buffer is a part that fills. It is its writer's until that gives it back; but while others wait, one that
// is filled too slowly is taken away, unless it is being sent. Its writer finds that out when it next fills
// or holds it, and fails: of a blob that lost its buffer nothing is kept.
type buffer struct {
	filled int // bytes; of the writer alone

	// These are under mu of the budget.
	memory *[]byte   // nil: taken away, or given back
	until  time.Time // from when on it is filled too slowly, unless more comes
	sent   bool      // whether it is being sent, or that has failed
}

func newBudget(size, most int) *budget {
	return &budget{
		size: size, tokens: make(chan struct{}, most), within: bufferWithin, slowFor: slowFor,
		spare: sync.Pool{New: func() any { b := make([]byte, size); return &b }},
		lent:  map[*buffer]struct{}{},
	}
}

// take returns a buffer; who came first is served first.
func (b *budget) take(ctx context.Context) (*buffer, error) {
	timer := time.NewTimer(b.within)
	defer timer.Stop()
	served := make(chan struct{})
	defer close(served)
	go b.press(served) // by another, as one who looks away loses the place in the queue
	select {
	case b.tokens <- struct{}{}:
		return b.lend(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, errBusy
	}
}

// press looks for a buffer to take away, for one who waits until served is closed.
func (b *budget) press(served <-chan struct{}) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-served:
			return
		case <-look.C:
		}
		select {
		case <-served: // meanwhile
			return
		default:
			b.takeAway()
		}
	}
}

// takeAway takes the buffer away that is filled too slowly for the longest, if any is.
func (b *budget) takeAway() {
	b.mu.Lock()
	defer b.mu.Unlock()
	var slowest *buffer
	since := time.Now()
	for buf := range b.lent {
		if !buf.sent && buf.until.Before(since) {
			slowest, since = buf, buf.until
		}
	}
	if slowest != nil {
		b.end(slowest)
	}
}

// second returns a buffer for one who has one, or nil: half of them are kept for those who have none.
func (b *budget) second() *buffer {
	if len(b.tokens) >= cap(b.tokens)/2 {
		return nil
	}
	select {
	case b.tokens <- struct{}{}:
		return b.lend()
	default:
		return nil
	}
}

// lend makes a buffer of a token.
func (b *budget) lend() *buffer {
	memory := b.spare.Get().(*[]byte) //nolint:errcheck,forcetypeassert // nothing else is put in
	buf := &buffer{memory: memory, until: time.Now().Add(b.slowFor)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lent[buf] = struct{}{}
	return buf
}

// give takes a buffer back, if it was not taken away.
func (b *budget) give(buf *buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if buf.memory != nil {
		b.end(buf)
	}
}

// end ends the use of a buffer, under mu. The memory of one whose sending failed may still be read by the
// request that was broken off, and is not used again.
func (b *budget) end(buf *buffer) {
	delete(b.lent, buf)
	if !buf.sent {
		b.spare.Put(buf.memory)
	}
	buf.memory = nil
	<-b.tokens
}

// fill takes what there is room for.
func (b *budget) fill(buf *buffer, p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if buf.memory == nil {
		return 0, errBusy
	}
	n := copy((*buf.memory)[buf.filled:], p)
	buf.filled += n
	now := time.Now()
	if buf.until.Before(now) {
		buf.until = now
	}
	buf.until = buf.until.Add(time.Duration(n) * time.Second / leastRate)
	// What came fast in the beginning is no excuse for what does not come later.
	if most := now.Add(b.slowFor); buf.until.After(most) {
		buf.until = most
	}
	return n, nil
}

// hold returns what is in a buffer, which nobody takes away from then on.
func (b *budget) hold(buf *buffer) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if buf.memory == nil {
		return nil, errBusy
	}
	buf.sent = true
	return (*buf.memory)[:buf.filled], nil
}

// again has a buffer fill again whose sending has ended well.
func (b *budget) again(buf *buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	buf.filled, buf.sent, buf.until = 0, false, time.Now().Add(b.slowFor)
}
