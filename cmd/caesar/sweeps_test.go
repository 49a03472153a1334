package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"caesar/internal/sqlstore"
)

// swept has some servers of one database do a chore for a time, started a while after one another, and
// returns how often it was done by all of them.
func swept(t *testing.T, c chore, servers int, apart, during time.Duration) int64 {
	t.Helper()
	return sweptBy(t, c, func(context.Context) error { return nil }, servers, apart, during)
}

func sweptBy(t *testing.T, c chore, work func(context.Context) error, servers int, apart, during time.Duration) int64 {
	t.Helper()
	var done atomic.Int64
	c.do = func(ctx context.Context) error { done.Add(1); return work(ctx) }
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "caesar.db"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), during)
		defer stop()
		var running sync.WaitGroup
		for i := range servers {
			running.Go(func() {
				time.Sleep(time.Duration(i) * apart)
				if err := c.run(ctx, store, slog.New(slog.DiscardHandler)); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return done.Load()
}

func TestOneServerDoesItsChoresEachTime(t *testing.T) {
	t.Parallel()
	if n := swept(t, sweep(nil, nil), 1, 0, 10*time.Minute-time.Second); n != 10 {
		t.Errorf("it swept %d times in ten minutes", n)
	}
}

func TestOfThreeReplicasOneSweepsAtATime(t *testing.T) {
	t.Parallel()
	// Each at its start, and then one a minute.
	if n := swept(t, sweep(nil, nil), 3, 7*time.Second, 10*time.Minute-time.Second); n != 12 {
		t.Errorf("they swept %d times in ten minutes", n)
	}
}

func TestABucketIsListedOnceADayAndAFolderOfOnesOwnEachHour(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shared bool
		want   int64
	}{{true, 3}, {false, 3*72 - 1}} {
		if n := swept(t, sweepBackups(nil, c.shared), 3, 25*time.Minute, 71*time.Hour+30*time.Minute); n != c.want {
			t.Errorf("shared %v: swept %d times in three days by three", c.shared, n)
		}
	}
}

func TestASweepOfABucketThatFailsIsTriedAgainInAnHourByOneOfAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fails, want int64 }{{3, 3 + 2}, {1000, 30}} {
		var done atomic.Int64
		work := func(context.Context) error {
			if done.Add(1) <= c.fails {
				return errors.New("the store is away")
			}
			return nil
		}
		// A day and six hours: what failed is tried by one each hour, and what was done a day later.
		if n := sweptBy(t, sweepBackups(nil, true), work, 3, 0, 30*time.Hour-time.Minute); n != c.want {
			t.Errorf("of a sweep that fails %d times: done %d times", c.fails, n)
		}
	}
}

func TestASweepThatTakesLongerThanItIsLentForCountsForAllWhenItIsDone(t *testing.T) {
	t.Parallel()
	work := func(ctx context.Context) error {
		select {
		case <-time.After(100 * time.Minute):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	// The first begins at once, and the second an hour later, while it is at it.
	if n := sweptBy(t, sweepBackups(nil, true), work, 2, time.Hour, 20*time.Hour); n != 2 {
		t.Errorf("done %d times", n)
	}
}
