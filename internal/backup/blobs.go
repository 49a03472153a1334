package backup

import (
	"context"
	"errors"
	"io"
)

// ErrNoBlob says that there is no blob of a name.
var ErrNoBlob = errors.New("no such blob")

// Blobs keeps sealed files under names of its own making. A blob never changes. Methods may be called
// by many at once, also of several processes over the same blobs. Where there is no room left, the error
// is a fault of the kind fault.Full; where the blobs are elsewhere and can't be reached, one of the kind
// fault.Unavailable, within a minute unless it is a long blob that is committed.
type Blobs interface {
	// Create begins a blob, which is written under ctx.
	Create(ctx context.Context) (BlobWriter, error)
	// Open returns a blob, which is read under ctx, or ErrNoBlob. A blob that is deleted while it is
	// open may be read on, or reading what was not read yet is an error.
	Open(ctx context.Context, name string) (Blob, error)
	// Delete deletes a blob. One that is absent is no error.
	Delete(ctx context.Context, name string) error
	// Sweep deletes what writers left that ended without Close, and the blobs that nobody uses. What
	// the writers that live hold is spared, and so is all else that stands in the same place. Where it
	// can't be told whether a writer lives, what is less than a day old is spared. Of a blob it asks twice
	// whether it is used, the second time right before it deletes it. It goes on past what fails, and
	// returns those errors joined; but ten of them end it, or one of the kind fault.Unavailable.
	Sweep(ctx context.Context, used func(ctx context.Context, name string) (bool, error)) error
}

// BlobWriter writes one blob. It serves one goroutine at a time.
type BlobWriter interface {
	io.Writer
	// Commit ends the blob and returns its name. The blob survives a power cut from then on; until
	// then there is nothing to Open.
	Commit(ctx context.Context) (name string, err error)
	// Close must be called in the end. Before Commit, or after one that failed, it drops what was
	// written. After Commit it only lets go of the blob, which no Sweep takes until then: so call it
	// once the blob's name is stored, at once. To call it again does nothing.
	Close() error
}

// Blob is a blob that was opened. ReadAt may be called by many at once.
type Blob interface {
	io.ReaderAt
	io.Closer
	// Size returns the length in bytes.
	Size() int64
}

// Remote is a Blob of which each ReadAt costs a request to another machine. Who reads on is better off
// with a Stretch.
type Remote interface {
	Blob
	// Stretch returns what lies from off up to end, by one request for all of it, made when it is first
	// read from. It serves one goroutine, and must be closed.
	Stretch(off, end int64) (io.ReadCloser, error)
}
