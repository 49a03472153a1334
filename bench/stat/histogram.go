// Package stat sums up what was measured: how long requests took, and figures of several rounds.
//
// What always holds: a quantile is never below the true one, and at most a 64th above it; a figure that
// was not measured is NaN, never 0.
package stat

import (
	"math/bits"
	"time"
)

// Every power of two of nanoseconds is cut into so many buckets of one width.
const (
	subBits = 6
	subs    = 1 << subBits
	// buckets reach to 2^40 ns, 18 minutes; what takes longer counts as that.
	buckets = (40 - subBits + 1) * subs
)

// Histogram counts durations in buckets whose width is a 64th of what they hold. The zero value is empty.
// It is for one goroutine at a time.
type Histogram struct {
	counts [buckets]uint32
	total  uint64
}

// Add counts a duration.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
}

// Merge adds what another one counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Count returns how many durations were added.
func (h *Histogram) Count() int { return int(h.total) }

// Quantile returns the duration that a part q (0 to 1) of all did not exceed; 0 where there is none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := min(h.total, max(1, uint64(q*float64(h.total)+0.9999999)))
	var seen uint64
	for i, n := range h.counts {
		if seen += uint64(n); seen >= rank {
			return most(i)
		}
	}
	return most(buckets - 1)
}

// bucket returns where a duration is counted. Those below subs nanoseconds have one each; above, the
// leading one and the subBits after it choose.
func bucket(d time.Duration) int {
	n := uint64(max(0, d))
	if n < subs {
		return int(n)
	}
	shift := bits.Len64(n) - subBits - 1
	return min(buckets-1, (shift+1)<<subBits+int(n>>shift)&(subs-1))
}

// most returns the longest duration of a bucket.
func most(i int) time.Duration {
	if i < subs {
		return time.Duration(i)
	}
	shift := i>>subBits - 1
	return time.Duration(uint64(subs+i&(subs-1)+1)<<shift - 1)
}
