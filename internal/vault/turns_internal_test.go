package vault

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestOfThoseWhoWantTheSameThingOneAtATimeHasIt(t *testing.T) {
	t.Parallel()
	turns := newTurns()
	had := map[string]int{} // without a lock: the turns are one
	var wanting sync.WaitGroup
	for range 50 {
		wanting.Go(func() {
			done, err := turns.take(t.Context(), "item")
			if err != nil {
				t.Error(err)
				return
			}
			had["item"]++
			done()
		})
	}
	wanting.Wait()
	if had["item"] != 50 || len(turns.wanted) != 0 {
		t.Errorf("%d had it, and %d things are still remembered", had["item"], len(turns.wanted))
	}
}

func TestWhoWaitsForATurnStopsWithTheRequestAndOthersAreNotHeldUp(t *testing.T) {
	t.Parallel()
	turns := newTurns()
	done, err := turns.take(t.Context(), "item")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.take(ctx, "item"); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	other, err := turns.take(t.Context(), "another item")
	if err != nil {
		t.Fatal(err)
	}
	other()
	done()
	if len(turns.wanted) != 0 {
		t.Errorf("%d things are still remembered", len(turns.wanted))
	}
}
