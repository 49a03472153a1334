package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/testbed"
)

// create begins a blob of some content.
func create(t testing.TB, ctx context.Context, b backup.Blobs, content []byte) backup.BlobWriter { //nolint:revive // as all helpers here begin
	t.Helper()
	w, err := b.Create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAnUploadThatIsNotCommittedLeavesNeitherPartsNorAnObject(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, w backup.BlobWriter, cancel func()){
		"closed": func(*testing.T, backup.BlobWriter, func()) {},
		"given up": func(t *testing.T, w backup.BlobWriter, cancel func()) {
			t.Helper()
			cancel()
			if _, err := w.Write(noise(part)); !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
		},
		"given up before the commit": func(t *testing.T, w backup.BlobWriter, cancel func()) {
			t.Helper()
			cancel()
			if _, err := w.Commit(context.Background()); !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
		},
	} {
		for _, size := range []int{100, part + 1, 3*part + 1} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				place := testbed.S3(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := create(t, ctx, openS3(t, place), noise(size))
				if uploads := lookAt(t, place).uploads(); len(uploads) != min(1, size/part) {
					t.Errorf("%d bytes began the uploads %v", size, uploads)
				}
				end(t, w, cancel)
				if err := w.Close(); err != nil {
					t.Error(err)
				}
				lookAt(t, place).nothing()
			})
		}
	}
}

func TestWhatIsBeingSentWhenOneGivesUpLandsBeforeItIsDropped(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, part + 1} {
		r := newRelay(t, testbed.S3(t))
		s := openS3(t, r.place)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r.with(func(_ http.ResponseWriter, request *http.Request) bool {
			if request.Method == http.MethodPut {
				body, err := io.ReadAll(request.Body)
				if err != nil {
					t.Error(err)
				}
				request.Body = io.NopCloser(bytes.NewReader(body))
				cancel()
				time.Sleep(200 * time.Millisecond) // as long as a store may take
			}
			return false
		})
		w := create(t, ctx, s, noise(size))
		if _, err := w.Commit(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		} else if err == nil && size > part {
			t.Error("parts were joined for one who had given up")
		} else if err == nil {
			continue // it was whole by then
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		lookAt(t, r.place).nothing()
	}
}

func TestOneWhoGivesUpDoesNotWaitForASilentStore(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	s, err := blob.OpenS3Within(t.Context(), r.place, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.with(func(_ http.ResponseWriter, request *http.Request) bool {
		if !request.URL.Query().Has("partNumber") {
			return false
		}
		_, _ = io.Copy(io.Discard, request.Body)
		cancel()
		<-request.Context().Done()
		return true
	})
	w := create(t, ctx, s, noise(part+1))
	soon(t, func() {
		if _, err := w.Commit(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	lookAt(t, r.place).nothing()
}

func TestACommitWhoseAnswerIsLostIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, part + 1} {
		r := newRelay(t, testbed.S3(t))
		s := openS3(t, r.place)
		w := create(t, t.Context(), s, noise(size))
		var lost atomic.Int32
		r.with(func(w http.ResponseWriter, request *http.Request) bool {
			ends := request.Method == http.MethodPost || (request.Method == http.MethodPut && request.URL.RawQuery == "")
			if !ends || lost.Add(1) > 1 {
				return false
			}
			r.pass.ServeHTTP(forgetful{w}, request)
			panic(http.ErrAbortHandler)
		})
		name, err := w.Commit(t.Context())
		if err != nil || lost.Load() == 0 {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		same(t, get(t, s, name), noise(size))
		if objects, uploads := lookAt(t, r.place).objects(), lookAt(t, r.place).uploads(); len(objects) != 1 || len(uploads) > 0 {
			t.Errorf("what is there: objects %v, uploads %v", objects, uploads)
		}
	}
}

// forgetful loses an answer.
type forgetful struct{ http.ResponseWriter }

func (forgetful) Header() http.Header         { return http.Header{} }
func (forgetful) WriteHeader(int)             {}
func (forgetful) Write(b []byte) (int, error) { return len(b), nil }

func TestACommitThatFailsLeavesNeitherPartsNorAnObject(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, part + 1} {
		r := newRelay(t, testbed.S3(t))
		s := openS3(t, r.place)
		w := create(t, t.Context(), s, noise(size))
		r.with(func(_ http.ResponseWriter, request *http.Request) bool {
			if request.Method == http.MethodPost || request.Method == http.MethodPut {
				panic(http.ErrAbortHandler)
			}
			return false
		})
		_, err := w.Commit(t.Context())
		away(t, r.place, "Commit", err)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		lookAt(t, r.place).nothing()
	}
}

func TestWhatIsAlteredOnItsWayIsNotKept(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, part + 1} {
		r := newRelay(t, testbed.S3(t))
		s := openS3(t, r.place)
		r.with(func(_ http.ResponseWriter, request *http.Request) bool {
			if request.Method == http.MethodPut {
				request.Body = &altered{request.Body}
			}
			return false
		})
		w, err := s.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(noise(size))
		if err == nil {
			_, err = w.Commit(t.Context())
		}
		if err == nil {
			t.Errorf("%d bytes that were altered are kept", size)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		lookAt(t, r.place).nothing()
	}
}

// altered is a body of which a bit is not as it was.
type altered struct{ io.ReadCloser }

func (a *altered) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if n > 0 {
		p[0] ^= 1
	}
	return n, err
}

func TestUploadsWaitInTurnForTheBuffersAndAreToldToComeAgain(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	s := openS3(t, place).WithParts(part, 10, 2, 300*time.Millisecond)
	first, second := create(t, t.Context(), s, noise(2<<20)), create(t, t.Context(), s, noise(2<<20))
	w, err := s.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_, err = w.Write(noise(2 << 20))
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("the error is %v, want one of the kind Unavailable", err)
	}
	put(t, s, noise(1<<20)) // which takes none

	waiting := openS3(t, place).WithParts(part, 10, 1, time.Minute)
	holds := create(t, t.Context(), waiting, noise(2<<20))
	served := make(chan string, 1)
	go func() {
		name, err := waiting.Create(t.Context())
		if err == nil {
			_, err = name.Write(noise(2 << 20))
		}
		if err != nil {
			t.Error(err)
			served <- ""
			return
		}
		defer name.Close()
		committed, err := name.Commit(t.Context())
		if err != nil {
			t.Error(err)
		}
		served <- committed
	}()
	if _, err := holds.Write(noise(3 * part)); err != nil { // it goes on with the one that it has
		t.Error(err)
	}
	if err := holds.Close(); err != nil {
		t.Error(err)
	}
	same(t, get(t, s, <-served), noise(2<<20))
	for _, w := range []backup.BlobWriter{first, second} {
		if _, err := w.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// heap is what lives on it, and what the collector has not taken yet.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

func TestALongBlobGoesAndComesInLittleMemoryAndGivesItBack(t *testing.T) {
	s := openS3(t, testbed.S3(t)) // alone, as others would be counted too
	const size = 256 << 20
	chunk := noise(1 << 20)
	runtime.GC()
	before := heap()
	var most int64
	w := create(t, t.Context(), s, nil)
	for range size / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
		most = max(most, heap()-before)
	}
	name, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if most > 64<<20 { // two buffers, and what is collected late
		t.Errorf("sending it took %d MiB", most>>20)
	}
	most = 0
	b := get(t, s, name)
	stretch := stretchOf(t, b, 0, size)
	got := make([]byte, len(chunk))
	for range size / len(chunk) {
		if _, err := io.ReadFull(stretch, got); err != nil || !slices.Equal(got, chunk) {
			t.Fatalf("something else came back, or %v", err)
		}
		most = max(most, heap()-before)
	}
	if most > 64<<20 {
		t.Errorf("reading it took %d MiB", most>>20)
	}
	runtime.GC()
	runtime.GC() // what a pool keeps outlives one collection
	if left := heap() - before; left > 2<<20 {
		t.Errorf("%d KiB are still held", left>>10)
	}
}
