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

	// mostBuffers is how many parts are held in memory at once, of all uploads: 128 MiB.
	mostBuffers = 16
	// bufferWithin is how long an upload waits for a buffer.
	bufferWithin = 30 * time.Second
)

// errBusy says that others have all the buffers.
var errBusy = fault.New(fault.Unavailable, "unavailable", phrase.BackupUploadsBusy).After(2 * awayFor)

// budget is the buffers of all uploads. One that is not in use is the garbage collector's.
type budget struct {
	tokens chan struct{} // one for each buffer in use
	spare  sync.Pool
	within time.Duration
}

func newBudget(size, most int) *budget {
	return &budget{
		tokens: make(chan struct{}, most), within: bufferWithin,
		spare: sync.Pool{New: func() any { b := make([]byte, size); return &b }},
	}
}

// take returns a buffer; who came first is served first.
func (b *budget) take(ctx context.Context) (*[]byte, error) {
	timer := time.NewTimer(b.within)
	defer timer.Stop()
	select {
	case b.tokens <- struct{}{}:
		return b.get(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, errBusy
	}
}

// second returns a buffer for one who has one, or nil: half of them are kept for those who have none.
func (b *budget) second() *[]byte {
	if len(b.tokens) >= cap(b.tokens)/2 {
		return nil
	}
	select {
	case b.tokens <- struct{}{}:
		return b.get()
	default:
		return nil
	}
}

func (b *budget) get() *[]byte {
	return b.spare.Get().(*[]byte) //nolint:errcheck,forcetypeassert // nothing else is put in
}

// give takes a buffer back.
func (b *budget) give(buf *[]byte) {
	b.spare.Put(buf)
	<-b.tokens
}
