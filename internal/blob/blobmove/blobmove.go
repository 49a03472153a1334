// Package blobmove copies blobs from one place to another, under the names that they have.
//
// What always holds: a blob counts as moved when all of it was read back from where it went, and has the
// SHA-256 of what was read where it came from; what is there already is read and compared too, not sent
// again; and of a blob no more is held than buffers.
package blobmove

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"sync/atomic"

	"caesar/internal/backup"
)

// Source is where blobs come from.
type Source interface {
	// Open returns a blob, or backup.ErrNoBlob.
	Open(ctx context.Context, name string) (backup.Blob, error)
}

// Target is where blobs go. Its methods may be called by many at once.
type Target interface {
	Source
	// Import keeps what r holds, size bytes, under a name; when it returns, that is durable. It may leave
	// alone what is there under the name in the same size.
	Import(ctx context.Context, name string, size int64, r io.Reader) error
	// Delete deletes a blob. One that is absent is no error.
	Delete(ctx context.Context, name string) error
}

// Long is the length of the longest short blob, in bytes.
const Long = 1 << 20

// Mover moves blobs.
type Mover struct {
	From Source
	To   Target
	// AtOnce is how many blobs are moved side by side, and LongAtOnce how many of them may be longer than
	// Long. Short ones take memory for themselves only, and wait for the target most of the time.
	AtOnce, LongAtOnce int
	// Read is told each time how many more bytes were read: of a blob all of them twice, once on either
	// side. Found is told of each blob that is no longer where it should come from and lies where it goes,
	// from where all of it could be read. Lost is told of each other that can't be read where it should come
	// from, and why. Each may be called by several goroutines at once.
	Read  func(bytes int)
	Found func(name string)
	Lost  func(name string, why error)
}

// Move moves the blobs of those names, and returns how many it moved, and their bytes together. Those that
// were found or are lost are left out; any other error ends it.
func (m *Mover) Move(ctx context.Context, names iter.Seq2[string, error]) (blobs, size int64, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan string)
	long := make(chan struct{}, m.LongAtOnce)
	var count, sum atomic.Int64
	var working sync.WaitGroup
	for range m.AtOnce {
		working.Go(func() {
			for name := range next {
				size, err := m.move(ctx, name, long)
				if err != nil {
					stop(err) // the first error counts
				}
				if size >= 0 {
					count.Add(1)
					sum.Add(size)
				}
			}
		})
	}
	err = hand(ctx, names, next)
	close(next)
	working.Wait()
	return count.Load(), sum.Load(), errors.Join(err, context.Cause(ctx))
}

// hand passes names on until the context is done.
func hand(ctx context.Context, names iter.Seq2[string, error], next chan<- string) error {
	for name, err := range names {
		if err != nil {
			return err
		}
		select {
		case next <- name:
		case <-ctx.Done():
			return nil // its cause tells
		}
	}
	return nil
}

// nothing is the size of what was not moved.
const nothing = -1

// move moves a blob, unless it is found or lost, and returns its size. Long has room for those that are long.
func (m *Mover) move(ctx context.Context, name string, long chan struct{}) (size int64, err error) {
	size, lost, err := m.bring(ctx, name, long)
	found := false
	if errors.Is(lost, backup.ErrNoBlob) {
		found, err = m.find(ctx, name, long)
	}
	if ended := context.Cause(ctx); ended != nil {
		return nothing, ended // whatever it broke
	}
	if err != nil {
		return nothing, fmt.Errorf("move blob %s: %w", name, err)
	}
	switch {
	case found:
		m.Found(name)
		return nothing, nil
	case lost != nil:
		m.Lost(name, lost)
		return nothing, nil
	}
	return size, nil
}

// find reads a blob where blobs go that is not where it should come from, and says whether it is there. It may
// have come there since an earlier move, or by that.
func (m *Mover) find(ctx context.Context, name string, long chan struct{}) (found bool, err error) {
	blob, err := m.To.Open(ctx, name)
	if errors.Is(err, backup.ErrNoBlob) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = blob.Close() }() // it was read only
	leave, err := enter(ctx, blob.Size(), long)
	if err != nil {
		return false, err
	}
	defer leave()
	whole := m.hashing(blob)
	whole.count = func(int) {} // it is no part of what is to be moved
	if err := whole.drain(); err != nil {
		return false, fmt.Errorf("read where it goes: %w", err)
	}
	return true, nil
}

// enter waits for room for a blob of a size, where that is long.
func enter(ctx context.Context, size int64, long chan struct{}) (leave func(), err error) {
	if size <= Long {
		return func() {}, nil
	}
	select {
	case long <- struct{}{}:
		return func() { <-long }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bring moves a blob. Lost is what is wrong with the source's, err what else went wrong.
func (m *Mover) bring(ctx context.Context, name string, long chan struct{}) (size int64, lost, err error) {
	from, err := m.From.Open(ctx, name)
	if err != nil {
		return 0, err, nil
	}
	defer func() { _ = from.Close() }() // it was read only
	size = from.Size()
	leave, err := enter(ctx, size, long)
	if err != nil {
		return 0, nil, err
	}
	defer leave()
	source := m.hashing(from)
	there, err := m.there(ctx, name, size)
	if err != nil {
		return 0, nil, err
	}
	if there != nil {
		if err := source.drain(); err != nil {
			return 0, err, nil
		}
		if *there == source.sum() {
			return size, nil, nil
		}
		if err := m.To.Delete(ctx, name); err != nil { // Import would leave it
			return 0, nil, err
		}
		source = m.hashing(from)
	}
	err = m.To.Import(ctx, name, size, source)
	if source.failed != nil {
		return 0, source.failed, nil
	}
	if err != nil {
		return 0, nil, err
	}
	there, err = m.there(ctx, name, size)
	if err == nil && (there == nil || *there != source.sum()) {
		err = errors.New("what comes back is not what was sent")
	}
	return size, nil, err
}

// there returns the hash of what the target has under a name, nil where it has nothing of that size.
func (m *Mover) there(ctx context.Context, name string, size int64) (*[sha256.Size]byte, error) {
	blob, err := m.To.Open(ctx, name)
	if errors.Is(err, backup.ErrNoBlob) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = blob.Close() }() // it was read only
	if blob.Size() != size {
		return nil, nil
	}
	whole := m.hashing(blob)
	if err := whole.drain(); err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	sum := whole.sum()
	return &sum, nil
}

// Survey returns how many bytes the blobs of those names have together, but for those that are lost.
func Survey(ctx context.Context, from Source, names iter.Seq2[string, error]) (size int64, err error) {
	for name, err := range names {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return 0, err
		}
		if blob, err := from.Open(ctx, name); err == nil {
			size += blob.Size()
			_ = blob.Close() // nothing was read
		}
	}
	return size, nil
}
