package argon2id_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"caesar/internal/argon2id"
	"caesar/internal/fault"
)

// small, large: the costs of hashes of which four and one fit in 1 MiB.
var (
	small = argon2id.Params{Passes: 1, MemoryKiB: 256, Lanes: 1}
	large = argon2id.Params{Passes: 1, MemoryKiB: 1024, Lanes: 1}
)

func key(ctx context.Context, hasher *argon2id.Hasher, p argon2id.Params) error {
	_, err := hasher.Key(ctx, nil, make([]byte, 16), p, 32)
	return err
}

func TestHashesOfAllSizesStayWithinTheMemory(t *testing.T) {
	t.Parallel()
	const budget = 1500
	hasher := argon2id.NewHasher(8, budget)
	stop := make(chan struct{})
	var watch sync.WaitGroup
	var most atomic.Int64
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				most.Store(max(most.Load(), int64(hasher.Held())))
			}
		}
	})
	var wg sync.WaitGroup
	for i := range 400 {
		p := argon2id.Params{Passes: 1, MemoryKiB: []uint32{8, 100, 256, 700, 1024, budget}[i%6], Lanes: 1}
		wg.Go(func() {
			if err := key(t.Context(), hasher, p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(stop)
	watch.Wait()
	if most.Load() > budget || hasher.Idle() > budget {
		t.Errorf("%d KiB were held at once and %d after all, of %d", most.Load(), hasher.Idle(), budget)
	}
	if waiting, running := hasher.Load(); waiting != 0 || running != 0 || hasher.Held() != hasher.Idle() {
		t.Errorf("Load = %d, %d after all is done, %d KiB held", waiting, running, hasher.Held())
	}
}

func TestSmallHashesAreNotKeptOutByArenasOfLargeOnes(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(4, 1024)
	if err := key(t.Context(), hasher, large); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		done := hasher.Hold(small.MemoryKiB) // fails the test by waiting for ever
		defer done()
	}
}

func TestALargeHashIsNotOvertakenBySmallOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := argon2id.NewHasher(4, 1024)
		release := hasher.Hold(small.MemoryKiB)
		var mu sync.Mutex
		var order []string
		begin := func(name string, kib uint32) {
			go func() {
				done := hasher.Hold(kib)
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				done()
			}()
			synctest.Wait()
		}
		begin("large", large.MemoryKiB)
		begin("small", small.MemoryKiB) // there is room for it, but it came later
		if waiting, _ := hasher.Load(); waiting != 2 {
			t.Errorf("%d wait, want both", waiting)
		}
		release()
		synctest.Wait()
		if !slices.Equal(order, []string{"large", "small"}) {
			t.Errorf("they began in the order %v", order)
		}
	})
}

func TestWhoGivesUpLetsInWhoWaitedBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := argon2id.NewHasher(4, 1024)
		defer hasher.Hold(small.MemoryKiB)()
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp, done := make(chan error), make(chan error)
		go func() { gaveUp <- key(ctx, hasher, large) }()
		synctest.Wait()
		go func() { done <- key(t.Context(), hasher, small) }()
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("Key = %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("the one behind: %v", err)
		}
	})
}

func TestAHashLargerThanAllMemoryIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(1, 1023)
	defer hasher.Hold(8)() // it would have to wait
	if err := key(t.Context(), hasher, large); !errors.Is(err, argon2id.ErrParameters) {
		t.Errorf("Key = %v", err)
	}
}

func TestBeyondAMinutesWorkNobodyIsLetWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := argon2id.NewHasher(1, 1024)
		release := hasher.Hold(8)
		var wg sync.WaitGroup
		for range argon2id.MostWaiting {
			wg.Go(func() {
				if err := key(t.Context(), hasher, small); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		err := key(t.Context(), hasher, small)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Unavailable || f.Slug != "unavailable" || f.RetryAfter <= 0 {
			t.Errorf("one more: %v", err)
		}
		release()
		wg.Wait() // all that were let wait are served
		if err := key(t.Context(), hasher, small); err != nil {
			t.Errorf("after that: %v", err)
		}
	})
}

func TestFiveHundredAtOnceAllSucceedOnOneCore(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(1, 1024)
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			if err := key(t.Context(), hasher, small); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
