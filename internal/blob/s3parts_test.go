package blob_test

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/testbed"
)

func TestUploadsOfWhichHardlyAnythingComesMakeRoomForOthers(t *testing.T) {
	t.Parallel()
	const buffers = 16
	s := openS3(t, testbed.S3(t)).WithParts(part, 10, buffers, time.Minute).SlowFor(300 * time.Millisecond)
	var slow []backup.BlobWriter
	for range buffers {
		slow = append(slow, create(t, t.Context(), s, noise(part-100)))
	}
	over := make(chan struct{})
	ended := make(chan int)
	go func() { // a byte now and then, of all of them
		gone := 0
		for len(slow) > 0 {
			slow = slices.DeleteFunc(slow, func(w backup.BlobWriter) bool {
				_, err := w.Write([]byte{1})
				if err == nil {
					return false
				}
				if kind(err) != fault.Unavailable {
					t.Errorf("the error is %v, want one of the kind Unavailable", err)
				}
				gone++
				return true
			})
			select {
			case <-over:
				ended <- gone
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
		ended <- gone
	}()
	time.Sleep(400 * time.Millisecond) // all are slow by then
	begun := time.Now()
	content := noise(3 << 20)
	same(t, get(t, s, put(t, s, content)), content)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("another upload took %v", took)
	}
	close(over)
	if gone := <-ended; gone < 1 || gone > 2 { // 2: who waited was not woken at once
		t.Errorf("%d uploads had to make room for one", gone)
	}
	for _, w := range slow { // the others lost nothing
		if _, err := w.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAnUploadOfWhichEnoughComesKeepsItsBufferWhileOthersWait(t *testing.T) {
	t.Parallel()
	s := openS3(t, testbed.S3(t)).WithParts(part, 10, 1, 6*time.Second).SlowFor(4 * time.Second)
	w := create(t, t.Context(), s, noise(2<<20))
	var waited atomic.Bool
	go func() {
		defer waited.Store(true)
		other, err := s.Create(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		defer other.Close()
		if _, err := other.Write(noise(2 << 20)); kind(err) != fault.Unavailable {
			t.Errorf("the error is %v, want one of the kind Unavailable", err)
		}
	}()
	content, more := noise(2<<20), noise(32<<10)
	for !waited.Load() {
		if _, err := w.Write(more); err != nil {
			t.Fatal(err)
		}
		content = append(content, more...)
		time.Sleep(100 * time.Millisecond)
	}
	name, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, get(t, s, name), content)
}

func TestAnUploadThatHadToMakeRoomIsNeverKept(t *testing.T) {
	t.Parallel()
	for _, size := range []int{part - 100, part, 2*part + 100} {
		place := testbed.S3(t)
		s := openS3(t, place).WithParts(part, 10, 1, time.Minute).SlowFor(100 * time.Millisecond)
		w := create(t, t.Context(), s, noise(size))
		other := put(t, s, noise(2<<20))
		if name, err := w.Commit(t.Context()); kind(err) != fault.Unavailable || name != "" {
			t.Errorf("%d bytes: it is kept as %q, and the error is %v", size, name, err)
		}
		if _, err := w.Write([]byte{1}); kind(err) != fault.Unavailable {
			t.Errorf("%d bytes: writing on, the error is %v", size, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		there := lookAt(t, place)
		if objects, uploads := there.objects(), there.uploads(); !slices.Equal(objects, []string{other + ".age"}) || len(uploads) > 0 {
			t.Errorf("%d bytes: what is there: objects %v, uploads %v", size, objects, uploads)
		}
		same(t, get(t, s, other), noise(2<<20))
		same(t, get(t, s, put(t, s, noise(part+1))), noise(part+1)) // the buffer came back
	}
}

func TestABufferThatIsBeingSentIsNotTakenAwayHoweverSlowTheStoreIs(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	s := openS3(t, r.place).WithParts(part, 10, 1, 2*time.Second).SlowFor(100 * time.Millisecond)
	other, err := s.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var waited sync.Once
	r.with(func(_ http.ResponseWriter, request *http.Request) bool {
		if request.Method == http.MethodPut {
			waited.Do(func() {
				if _, err := other.Write(noise(2 << 20)); kind(err) != fault.Unavailable {
					t.Errorf("the error is %v, want one of the kind Unavailable", err)
				}
			})
		}
		return false
	})
	same(t, get(t, s, put(t, s, noise(2*part+1))), noise(2*part+1))
}

func TestAnUploadIsWholeOrFailsWhoeverIsGivenItsBuffer(t *testing.T) {
	t.Parallel()
	const uploads, chunks = 12, 3
	s := openS3(t, testbed.S3(t)).WithParts(part, 10, 4, time.Minute).SlowFor(50 * time.Millisecond)
	var kept, gone atomic.Int32
	var group sync.WaitGroup
	for i := range uploads {
		group.Go(func() {
			w, err := s.Create(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer w.Close()
			content := noise(chunks*(part/2) + i)
			for from := 0; from < len(content) && err == nil; from += part / 2 {
				_, err = w.Write(content[from:min(from+part/2, len(content))])
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			}
			name := ""
			if err == nil {
				name, err = w.Commit(t.Context())
			}
			switch {
			case err == nil:
				kept.Add(1)
				same(t, get(t, s, name), content)
			case kind(err) == fault.Unavailable:
				gone.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if kept.Load() == 0 || gone.Load() == 0 {
		t.Errorf("%d uploads were kept, %d had to make room", kept.Load(), gone.Load())
	}
}
