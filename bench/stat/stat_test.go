package stat_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"caesar/bench/stat"
)

func TestAQuantileIsNeverBelowTheTrueOneAndAtMostA64thAbove(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var h stat.Histogram
	var all []time.Duration
	for range 20_000 {
		// From nanoseconds to minutes, each power of ten as often as any.
		d := time.Duration(math.Pow(10, random.Float64()*11))
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	if h.Count() != len(all) {
		t.Fatalf("%d are counted of %d", h.Count(), len(all))
	}
	for _, q := range []float64{0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.9999, 1} {
		want := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
		if got := h.Quantile(q); got < want || float64(got) > float64(want)*(1+1.0/64) {
			t.Errorf("quantile %v is %v, where it is %v", q, got, want)
		}
	}
}

func TestWhatIsBeyondTheHistogramCountsAsItsEnds(t *testing.T) {
	t.Parallel()
	var h stat.Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	h.Add(-time.Second)
	if got := h.Quantile(1); got != 0 {
		t.Errorf("a negative duration is %v", got)
	}
	h.Add(24 * time.Hour)
	if got := h.Quantile(1); got < 15*time.Minute || got > time.Hour {
		t.Errorf("a day is counted as %v", got)
	}
}

func TestMergedHistogramsAreOneOfAll(t *testing.T) {
	t.Parallel()
	var a, b, both stat.Histogram
	for i := range 1000 {
		d := time.Duration(i) * time.Microsecond
		both.Add(d)
		if i%3 == 0 {
			a.Add(d)
		} else {
			b.Add(d)
		}
	}
	a.Merge(&b)
	for _, q := range []float64{0.01, 0.5, 0.99} {
		if a.Count() != both.Count() || a.Quantile(q) != both.Quantile(q) {
			t.Errorf("at %v: %d with %v, and not %d with %v", q, a.Count(), a.Quantile(q), both.Count(), both.Quantile(q))
		}
	}
}

func TestAFigureIsTheMedianOfItsRoundsWithTheirEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   stat.Figure
		spread float64
	}{
		{[]float64{3}, stat.Figure{Median: 3, Least: 3, Most: 3}, 0},
		{[]float64{5, 1, 4}, stat.Figure{Median: 4, Least: 1, Most: 5}, 1},
		{[]float64{4, 1, 2, 9}, stat.Figure{Median: 3, Least: 1, Most: 9}, 8.0 / 3},
		{[]float64{0, 0}, stat.Figure{}, 0},
	} {
		before := slices.Clone(c.values)
		got := stat.Over(c.values)
		if got != c.want || got.Spread() != c.spread || !got.Known() {
			t.Errorf("%v gives %+v with a spread of %v, and not %+v with %v", c.values, got, got.Spread(), c.want, c.spread)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("%v was changed to %v", before, c.values)
		}
	}
	if stat.Over(nil).Known() {
		t.Error("a figure of no round is known")
	}
}

func TestRatiosAreOfRoundsThatWereMeasuredSideBySide(t *testing.T) {
	t.Parallel()
	got := stat.Ratios([]float64{10, 20, 30, 40}, []float64{5, 0, 10})
	if !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("%v", got)
	}
}
