package blob_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"testing"

	"caesar/internal/backup"
	"caesar/internal/fault"
)

// named is what can tell the names of its blobs.
type named interface {
	Names(ctx context.Context, each func(name string, size int64) error) error
}

func names(t testing.TB, n named) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	if err := n.Names(t.Context(), func(name string, size int64) error { found[name] = size; return nil }); err != nil {
		t.Fatal(err)
	}
	return found
}

func equal(a, b map[string]int64) bool { return maps.Equal(a, b) }

// reading reads on and on.
type reading struct {
	from io.ReaderAt
	at   int64
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.from.ReadAt(p, r.at)
	r.at += int64(n)
	return n, err
}

// stretchOf begins to read a part of a blob of a bucket.
func stretchOf(t testing.TB, b backup.Blob, off, end int64) io.ReadCloser {
	t.Helper()
	remote, ok := b.(backup.Remote)
	if !ok {
		t.Fatal("a blob of a bucket has no stretches")
	}
	stretch, err := remote.Stretch(off, end)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stretch.Close() })
	return stretch
}

func kind(err error) fault.Kind {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Kind
	}
	return 0
}

func isTooLarge(err error) bool { return kind(err) == fault.TooLarge }
