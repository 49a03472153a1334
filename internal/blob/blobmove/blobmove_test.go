package blobmove_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/blob/blobmove"
	"caesar/internal/testbed"
)

// sizes are those of blobs that are read in every way there is: from what comes with their opening, at
// once, in one stretch, and sent in several parts.
var sizes = []int{0, 1, 200, 16 << 10, 16<<10 + 1, 64 << 10, 64<<10 + 1, 3 << 20, 8 << 20, 17<<20 + 5}

// source is a folder with a blob of each size.
type source struct {
	*blob.Dir
	content map[string][]byte
}

func newSource(t *testing.T, sizes []int) *source {
	t.Helper()
	dir, err := blob.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &source{dir, map[string][]byte{}}
	for i, size := range sizes {
		content := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(content) // it never fails
		w, err := dir.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		name, err := w.Commit(t.Context())
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		s.content[name] = content
	}
	return s
}

// names yields the names of all blobs.
func (s *source) names() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.content)) {
			if !yield(name, nil) {
				return
			}
		}
	}
}

func (s *source) bytes() (n int64) {
	for content := range maps.Values(s.content) {
		n += int64(len(content))
	}
	return n
}

// target is another place, in memory, which tells how often anything was sent to it.
type target struct {
	mu    sync.Mutex
	blobs map[string][]byte
	sent  atomic.Int32

	alter func([]byte) []byte          // what is kept of what was sent; nil: that
	fails func(name string) error      // what sending fails of; nil: nothing
	meets func(context.Context) func() // called while a blob is sent, and again at its end
}

func newTarget() *target { return &target{blobs: map[string][]byte{}} }

func (m *target) Open(_ context.Context, name string) (backup.Blob, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := m.blobs[name]
	if !ok {
		return nil, backup.ErrNoBlob
	}
	return memory{bytes.NewReader(content)}, nil
}

func (m *target) Import(ctx context.Context, name string, size int64, r io.Reader) error {
	if m.meets != nil {
		defer m.meets(ctx)()
	}
	if m.fails != nil {
		if err := m.fails(name); err != nil {
			return err
		}
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("import blob: %w", err)
	}
	if int64(len(content)) != size {
		return fmt.Errorf("%d bytes are no %d", len(content), size)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if there, ok := m.blobs[name]; ok && len(there) == len(content) {
		return nil // as S3 does
	}
	m.sent.Add(1)
	if m.alter != nil {
		content = m.alter(content)
	}
	m.blobs[name] = content
	return nil
}

func (m *target) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.blobs, name)
	return nil
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// moved is what became of a move.
type moved struct {
	err  error
	read int64
	// blobs and size are what it says that it moved.
	blobs, size int64
	lost        map[string]error
	found       []string
}

func move(ctx context.Context, from *source, to blobmove.Target, names iter.Seq2[string, error]) moved {
	var read atomic.Int64
	var mu sync.Mutex
	m := moved{lost: map[string]error{}}
	mover := &blobmove.Mover{
		From: from, To: to, AtOnce: 3, LongAtOnce: 2,
		Read: func(n int) { read.Add(int64(n)) },
		Found: func(name string) {
			mu.Lock()
			defer mu.Unlock()
			m.found = append(m.found, name)
		},
		Lost: func(name string, why error) {
			mu.Lock()
			defer mu.Unlock()
			m.lost[name] = why
		},
	}
	m.blobs, m.size, m.err = mover.Move(ctx, names)
	m.read = read.Load()
	return m
}

// all demands that all was moved, and nothing lost.
func (m moved) all(t *testing.T) {
	t.Helper()
	if m.err != nil || len(m.lost) != 0 {
		t.Fatalf("it ends with %v, and %v are lost", m.err, m.lost)
	}
}

func TestBlobsAreMovedToAStoreUnderTheirNamesAndReadBack(t *testing.T) {
	t.Parallel()
	from := newSource(t, sizes)
	to, err := blob.OpenS3(t.Context(), testbed.S3(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing is sent, and all is read
		m := move(t.Context(), from, to, from.names())
		m.all(t)
		if m.read != 2*from.bytes() || m.size != from.bytes() || m.blobs != int64(len(sizes)) {
			t.Errorf("%d blobs of %d bytes were moved, %d bytes read of twice %d", m.blobs, m.size, m.read, from.bytes())
		}
	}
	for name, content := range from.content {
		b, err := to.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		there, err := io.ReadAll(io.NewSectionReader(b, 0, 1<<30))
		if err != nil || !bytes.Equal(there, content) {
			t.Errorf("a blob of %d bytes has %d others there: %v", len(content), len(there), err)
		}
		_ = b.Close()
	}
}

func TestWhatIsThereAlreadyIsReadAndNotSentAgain(t *testing.T) {
	t.Parallel()
	from, to := newSource(t, []int{10, 20, 100_000, 300_000}), newTarget()
	move(t.Context(), from, to, from.names()).all(t)
	if n := to.sent.Swap(0); n != 4 {
		t.Errorf("%d of 4 were sent", n)
	}
	move(t.Context(), from, to, from.names()).all(t)
	if n := to.sent.Swap(0); n != 0 {
		t.Errorf("%d were sent again", n)
	}
	// Of what is there, one is another in the same length, one is cut off, one has gone.
	names := slices.Sorted(maps.Keys(from.content))
	to.blobs[names[0]] = make([]byte, len(to.blobs[names[0]]))
	to.blobs[names[1]] = to.blobs[names[1]][1:]
	delete(to.blobs, names[2])
	move(t.Context(), from, to, from.names()).all(t)
	if n := to.sent.Load(); n != 3 {
		t.Errorf("%d of 3 were sent again", n)
	}
	for name, content := range from.content {
		if !bytes.Equal(to.blobs[name], content) {
			t.Errorf("a blob of %d bytes is another in the end", len(content))
		}
	}
}

func TestALostBlobIsToldAndTheOthersAreMoved(t *testing.T) {
	t.Parallel()
	from, to := newSource(t, []int{10, 20, 30}), newTarget()
	const absent = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	names := func(yield func(string, error) bool) {
		if yield(absent, nil) {
			from.names()(yield)
		}
	}
	m := move(t.Context(), from, to, names)
	if m.err != nil || len(m.lost) != 1 || !errors.Is(m.lost[absent], backup.ErrNoBlob) || m.blobs != 3 || m.size != 60 {
		t.Errorf("it ends with %v, %v are lost, %d of %d bytes moved", m.err, m.lost, m.blobs, m.size)
	}
	if len(to.blobs) != 3 {
		t.Errorf("%d of 3 are there", len(to.blobs))
	}
}

// It came there since an earlier move, or by that, before its file went.
func TestABlobThatIsOnlyWhereBlobsGoIsFoundAndNotLost(t *testing.T) {
	t.Parallel()
	from, to := newSource(t, []int{10, 20, blobmove.Long + 1}), newTarget()
	move(t.Context(), from, to, from.names()).all(t)
	names := slices.Sorted(maps.Keys(from.content))
	for _, name := range names[1:] {
		if err := from.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	delete(to.blobs, names[2])
	m := move(t.Context(), from, to, from.names())
	there := int64(len(from.content[names[0]]))
	if m.err != nil || m.blobs != 1 || m.size != there || m.read != 2*there || !slices.Equal(m.found, names[1:2]) {
		t.Errorf("it ends with %v, %d of %d bytes moved, %d read, %q found", m.err, m.blobs, m.size, m.read, m.found)
	}
	if len(m.lost) != 1 || !errors.Is(m.lost[names[2]], backup.ErrNoBlob) {
		t.Errorf("%v are lost", m.lost)
	}
}

// A store that can't be read now is no word on what it holds.
func TestABlobThatCanNotBeReadWhereBlobsGoIsNeitherFoundNorLost(t *testing.T) {
	t.Parallel()
	from, elsewhere := newSource(t, nil), newSource(t, []int{100})
	m := move(t.Context(), from, tornTarget{newTarget(), torn{elsewhere}}, elsewhere.names())
	if !errors.Is(m.err, errTorn) || len(m.lost) != 0 || len(m.found) != 0 {
		t.Errorf("it ends with %v, %v are lost, %q found", m.err, m.lost, m.found)
	}
}

// tornTarget is a place where what it holds breaks off.
type tornTarget struct {
	*target
	torn torn
}

func (t tornTarget) Open(ctx context.Context, name string) (backup.Blob, error) {
	return t.torn.Open(ctx, name)
}

// torn is a place whose blobs break off in the middle.
type torn struct{ *source }

type tornBlob struct{ backup.Blob }

var errTorn = errors.New("the disk is broken here")

func (s torn) Open(ctx context.Context, name string) (backup.Blob, error) {
	b, err := s.source.Open(ctx, name)
	if err == nil && b.Size() > 20 {
		b = tornBlob{b}
	}
	return b, err
}

func (b tornBlob) ReadAt(p []byte, off int64) (int, error) {
	if off > 0 {
		return 0, errTorn
	}
	return b.Blob.ReadAt(p[:min(len(p), 10)], off)
}

func TestABlobThatCanNotBeReadWhereItComesFromIsLost(t *testing.T) {
	t.Parallel()
	from, to := newSource(t, []int{10, 20, 30}), newTarget()
	var lost []error
	mover := &blobmove.Mover{From: torn{from}, To: to, AtOnce: 1, LongAtOnce: 1, Read: func(int) {}, Lost: func(_ string, why error) { lost = append(lost, why) }}
	if _, _, err := mover.Move(t.Context(), from.names()); err != nil {
		t.Fatal(err)
	}
	if len(lost) != 1 || !errors.Is(lost[0], errTorn) || len(to.blobs) != 2 {
		t.Errorf("lost are %v, and %d were moved", lost, len(to.blobs))
	}
	// So it is where the target has one of its length to compare.
	maps.Copy(to.blobs, from.content)
	if _, _, err := mover.Move(t.Context(), from.names()); err != nil || len(lost) != 2 {
		t.Errorf("it ends with %v, and lost are %v", err, lost)
	}
}

func TestATargetThatAltersABlobIsNoticed(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func([]byte) []byte{
		"a bit":      func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut off":    func(b []byte) []byte { return b[:len(b)-1] },
		"nothing":    func([]byte) []byte { return nil },
		"with twice": func(b []byte) []byte { return append(b, b...) },
	} {
		from, to := newSource(t, []int{1000}), newTarget()
		to.alter = alter
		m := move(t.Context(), from, to, from.names())
		if m.err == nil || !strings.Contains(m.err.Error(), "what comes back is not what was sent") {
			t.Errorf("%s: it ends with %v", name, m.err)
		}
	}
}

func TestAnErrorOfTheTargetEndsTheMoveAtOnce(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	from, to := newSource(t, slices.Repeat([]int{100}, 50)), newTarget()
	names := slices.Sorted(maps.Keys(from.content))
	failed := make(chan struct{})
	to.fails = func(name string) error {
		if name == names[10] {
			close(failed)
			return broken
		}
		return nil
	}
	to.meets = func(ctx context.Context) func() {
		select {
		case <-failed: // whatever is sent now is to be given up
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		default:
		}
		return func() {}
	}
	m := move(t.Context(), from, to, from.names())
	if !errors.Is(m.err, broken) || !strings.Contains(m.err.Error(), names[10]) || len(m.lost) != 0 {
		t.Errorf("it ends with %v, and %v are lost", m.err, m.lost)
	}
	if n := to.sent.Load(); n > 20 {
		t.Errorf("%d were sent", n)
	}
	listing := func(yield func(string, error) bool) { yield("", broken) }
	if m := move(t.Context(), from, to, listing); !errors.Is(m.err, broken) {
		t.Errorf("names that can't be listed end it with %v", m.err)
	}
}

func TestAMoveIsStopped(t *testing.T) {
	t.Parallel()
	from, to := newSource(t, slices.Repeat([]int{100}, 50)), newTarget()
	ctx, stop := context.WithCancel(t.Context())
	to.fails = func(string) error {
		if to.sent.Load() == 5 {
			stop()
		}
		return ctx.Err()
	}
	m := move(ctx, from, to, from.names())
	if !errors.Is(m.err, context.Canceled) || len(m.lost) != 0 || len(to.blobs) > 10 {
		t.Errorf("it ends with %v, %v are lost, %d moved", m.err, m.lost, len(to.blobs))
	}
}

func TestNoMoreBlobsAreMovedAtOnceThanIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ size, most int }{"short": {100, 3}, "long": {blobmove.Long + 1, 2}} {
		from, to := newSource(t, slices.Repeat([]int{c.size}, 20)), newTarget()
		var now, most, together atomic.Int32
		gathered := make(chan struct{})
		to.meets = func(ctx context.Context) func() {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if together.Add(1) == int32(c.most) {
				close(gathered)
			}
			select { // all of them are there once
			case <-gathered:
			case <-ctx.Done():
			}
			return func() { now.Add(-1) }
		}
		move(t.Context(), from, to, from.names()).all(t)
		if most.Load() != int32(c.most) {
			t.Errorf("of the %s ones %d were moved at once", name, most.Load())
		}
	}
}

func TestASurveyCountsWhatIsThere(t *testing.T) {
	t.Parallel()
	from := newSource(t, []int{10, 20, 30})
	names := func(yield func(string, error) bool) {
		if yield("aaaaaaaaaaaaaaaaaaaaaaaaaa", nil) {
			from.names()(yield)
		}
	}
	if size, err := blobmove.Survey(t.Context(), from, names); size != 60 || err != nil {
		t.Errorf("%d bytes, %v", size, err)
	}
}
