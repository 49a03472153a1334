package throttle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"caesar/internal/throttle"
)

var start = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

func TestFullBucketGivesItsBurstAndThenOneEachTime(t *testing.T) {
	t.Parallel()
	take := throttle.Take{Burst: 3, Every: 10 * time.Second}
	var stored time.Time
	steps := []struct {
		at   time.Duration
		wait time.Duration
	}{
		{0, 0},
		{0, 0},
		{0, 0},
		{0, 10 * time.Second},
		{4 * time.Second, 6 * time.Second},
		{10 * time.Second, 0},
		{10 * time.Second, 10 * time.Second},
		{35 * time.Second, 0}, // two and a half grew back
		{35 * time.Second, 0},
		{35 * time.Second, 5 * time.Second},
		{time.Hour, 0}, // full again, and not fuller
		{time.Hour, 0},
		{time.Hour, 0},
		{time.Hour, 10 * time.Second},
	}
	for i, step := range steps {
		next, wait := take.From(stored, start.Add(step.at))
		if wait != step.wait {
			t.Fatalf("step %d at %v: wait is %v, want %v", i, step.at, wait, step.wait)
		}
		if wait > 0 && !next.Equal(stored) {
			t.Fatalf("step %d: a refusal moved the bucket", i)
		}
		stored = next
	}
}

func TestTokenGivenBackIsThereAgain(t *testing.T) {
	t.Parallel()
	take := throttle.Take{Burst: 1, Every: time.Minute}
	stored, _ := take.From(time.Time{}, start)
	if _, wait := take.From(stored, start); wait != time.Minute {
		t.Fatalf("an empty bucket asks to wait %v", wait)
	}
	if _, wait := take.From(take.Back(stored), start); wait != 0 {
		t.Fatalf("after giving back: wait %v", wait)
	}
}

// In no stretch of time does a bucket give more than its burst and what grows back meanwhile; the wait it
// names is exact; and nobody waits longer than one token takes.
func TestBucketKeepsItsLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		take := throttle.Take{
			Burst: rapid.IntRange(1, 20).Draw(t, "burst"),
			Every: time.Duration(rapid.IntRange(1, 100_000).Draw(t, "every")) * time.Millisecond,
		}
		var stored time.Time
		var given []time.Time
		now := start
		for range rapid.IntRange(1, 80).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(take.Every)*3/2).Draw(t, "pause")))
			next, wait := take.From(stored, now)
			switch {
			case wait == 0:
				given = append(given, now)
				stored = next
			case wait < 0 || wait > take.Every:
				t.Fatalf("wait %v of %v", wait, take.Every)
			default:
				if _, early := take.From(stored, now.Add(wait-1)); early != 1 {
					t.Fatalf("a moment before the wait is over, %v is left", early)
				}
				if _, over := take.From(stored, now.Add(wait)); over != 0 {
					t.Fatalf("after the wait, %v is left", over)
				}
			}
		}
		for i := range given {
			for j := i; j < len(given); j++ {
				most := take.Burst + int(given[j].Sub(given[i])/take.Every)
				if j-i+1 > most {
					t.Fatalf("%d tokens in %v", j-i+1, given[j].Sub(given[i]))
				}
			}
		}
	})
}
