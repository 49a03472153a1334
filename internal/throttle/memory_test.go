package throttle_test

import (
	"context"
	"sync"
	"time"

	"caesar/internal/throttle"
)

// memory is a Store for these tests.
type memory struct {
	mu      sync.Mutex
	buckets map[string]time.Time
	marks   map[string]time.Time
	asked   int   // how often the store was asked
	err     error // what every call answers, if not nil
}

func newMemory() *memory {
	return &memory{buckets: map[string]time.Time{}, marks: map[string]time.Time{}}
}

func (m *memory) TakeAll(_ context.Context, q throttle.Question, now time.Time) (bool, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.err != nil {
		return false, 0, m.err
	}
	marked := q.Mark != nil && m.marks[string(q.Mark)].After(now)
	takes := q.Otherwise
	if marked {
		takes = q.IfMarked
	}
	var longest time.Duration
	next := make([]time.Time, len(takes))
	for i, take := range takes {
		var wait time.Duration
		next[i], wait = take.From(m.buckets[string(take.Key)], now)
		longest = max(longest, wait)
	}
	if longest == 0 {
		for i, take := range takes {
			m.buckets[string(take.Key)] = next[i]
		}
	}
	return marked, longest, nil
}

func (m *memory) Refund(_ context.Context, takes []throttle.Take, mark throttle.Mark, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	for _, take := range takes {
		key := string(take.Key)
		if stored, there := m.buckets[key]; there {
			m.buckets[key] = take.Back(stored)
			if !m.buckets[key].After(now) {
				delete(m.buckets, key)
			}
		}
	}
	m.marks[string(mark.Key)] = mark.Until
	return nil
}
