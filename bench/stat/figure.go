package stat

import (
	"math"
	"slices"
)

// Figure is one quantity over several rounds.
type Figure struct {
	Median, Least, Most float64
}

// Unknown is a figure that was not measured.
var Unknown = Figure{math.NaN(), math.NaN(), math.NaN()}

// Over sums up the values of several rounds; Unknown where there are none.
func Over(values []float64) Figure {
	if len(values) == 0 {
		return Unknown
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Figure{Median: median, Least: sorted[0], Most: sorted[len(sorted)-1]}
}

// Ratios divides round by round: the nth value of one by the nth of the other, which was measured next to
// it. What has no counterpart, and what would be divided by nothing, is left out.
func Ratios(of, by []float64) []float64 {
	var ratios []float64
	for i := range min(len(of), len(by)) {
		if by[i] != 0 {
			ratios = append(ratios, of[i]/by[i])
		}
	}
	return ratios
}

// Known says whether the figure was measured.
func (f Figure) Known() bool { return !math.IsNaN(f.Median) }

// Spread is how far the rounds lie apart, as a part of the median: (most − least) / median.
func (f Figure) Spread() float64 {
	if f.Median == 0 {
		return 0
	}
	return (f.Most - f.Least) / f.Median
}
