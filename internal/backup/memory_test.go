package backup_test

import (
	"io"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// peakHeap returns by how many bytes the heap, garbage included, was larger while run ran than before.
func peakHeap(t *testing.T, run func()) int64 {
	t.Helper()
	heap := func() int64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	runtime.GC()
	before := heap()
	over, peak := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		var most int64
		for {
			select {
			case <-tick.C:
				most = max(most, heap()-before)
			case <-over:
				peak <- most
				return
			}
		}
	}()
	run()
	close(over)
	return <-peak
}

func TestAnUploadTakesLittleMemoryWhateverItsSize(t *testing.T) {
	l := newLab(t) // alone, as others would be counted too
	s, ada := l.service(wide), l.person("ada")
	size := int64(64 << 20) // many times the bounds below
	peak := peakHeap(t, func() {
		if _, err := s.Upload(t.Context(), ada, "x", newStream(size)); err != nil {
			t.Error(err)
		}
	})
	if peak > 8<<20 {
		t.Errorf("an upload took %d KiB at most", peak>>10)
	}
	peak = peakHeap(t, func() {
		c, err := s.Open(t.Context(), ada, 0)
		l.must(err)
		defer c.Close()
		n, err := c.CopyTo(io.Discard, size)
		if n != size || err != nil {
			t.Errorf("%d bytes came back, and %v", n, err)
		}
	})
	if peak > 8<<20 {
		t.Errorf("a download took %d KiB at most", peak>>10)
	}
}
