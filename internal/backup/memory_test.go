package backup_test

import (
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
