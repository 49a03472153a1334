package vault

import (
	"context"
	"sync"
)

// turns has those who want the same thing take it one after another, in this process. It saves work
// that would be in vain; what must hold holds in the database, where other processes write too.
type turns struct {
	mu     sync.Mutex
	wanted map[string]*turn
}

// turn is at one thing. It is there as long as somebody has it or waits for it.
type turn struct {
	taken chan struct{} // holds a token while somebody has it
	by    int           // who have it or wait
}

func newTurns() *turns { return &turns{wanted: map[string]*turn{}} }

// take waits for its turn, or until ctx ends. Who has the turn calls done.
func (t *turns) take(ctx context.Context, thing string) (done func(), err error) {
	t.mu.Lock()
	mine, ok := t.wanted[thing]
	if !ok {
		mine = &turn{taken: make(chan struct{}, 1)}
		t.wanted[thing] = mine
	}
	mine.by++
	t.mu.Unlock()

	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.by--; mine.by == 0 {
			delete(t.wanted, thing)
		}
	}
	select {
	case mine.taken <- struct{}{}:
		return func() { <-mine.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
