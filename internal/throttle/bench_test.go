package throttle_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"caesar/internal/rootkey"
	"caesar/internal/throttle"
)

// free is a store that lets everybody through: what is left is the guard's own work.
type free struct{}

func (free) TakeAll(context.Context, throttle.Question, time.Time) (bool, time.Duration, error) {
	return true, 0, nil
}

func (free) Refund(context.Context, []throttle.Take, throttle.Mark, time.Time) error { return nil }

// What every check of a secret pays beside the secret and the database.
func BenchmarkAttempt(b *testing.B) {
	root, err := rootkey.LoadOrCreate(filepath.Join(b.TempDir(), "root.key"))
	if err != nil {
		b.Fatal(err)
	}
	guard := throttle.New(root, free{}, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		attempt, err := guard.Attempt(b.Context(), throttle.User(7), home)
		if err != nil {
			b.Fatal(err)
		}
		if err := attempt.Right(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
