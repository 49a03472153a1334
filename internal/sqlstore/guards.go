package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"caesar/internal/throttle"
)

// SpendCaptcha implements captcha.Store.
func (s *Store) SpendCaptcha(ctx context.Context, serial []byte, until time.Time) (first bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		// Rounded up: the mark must not be forgotten while the captcha still holds.
		n, err := t.exec("INSERT INTO spent_captchas (serial, until) VALUES ($1, $2) ON CONFLICT DO NOTHING", serial, until.Unix()+1)
		first = n > 0
		return err
	})
	return first, err
}

// TakeAll implements throttle.Store.
func (s *Store) TakeAll(ctx context.Context, q throttle.Question, now time.Time) (marked bool, wait time.Duration, err error) {
	err = s.write(ctx, func(t *tx) error {
		marked, wait = false, 0
		takes := q.Otherwise
		if q.Mark != nil {
			until, err := throttled(t, q.Mark)
			if err != nil {
				return err
			}
			if marked = until.After(now); marked {
				takes = q.IfMarked
			}
		}
		if err := lockBuckets(t, takes); err != nil {
			return err
		}
		next := make([]time.Time, len(takes))
		for i, take := range takes {
			stored, err := throttled(t, take.Key)
			if err != nil {
				return err
			}
			var w time.Duration
			next[i], w = take.From(stored, now)
			wait = max(wait, w)
		}
		if wait > 0 {
			return nil
		}
		for i, take := range takes {
			if err := setThrottled(t, take.Key, next[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return marked, wait, err
}

// Refund implements throttle.Store.
func (s *Store) Refund(ctx context.Context, takes []throttle.Take, mark throttle.Mark, _ time.Time) error {
	return s.write(ctx, func(t *tx) error {
		if err := lockBuckets(t, takes); err != nil {
			return err
		}
		for _, take := range takes {
			stored, err := throttled(t, take.Key)
			if err != nil {
				return err
			}
			if stored.IsZero() {
				continue
			}
			if err := setThrottled(t, take.Key, take.Back(stored)); err != nil {
				return err
			}
		}
		return setThrottled(t, mark.Key, mark.Until)
	})
}

// lockBuckets keeps all others away from buckets until the transaction ends. All lock them in the same
// order, so that nobody waits for one who waits.
func lockBuckets(t *tx, takes []throttle.Take) error {
	if t.lockBucket == "" {
		return nil
	}
	keys := make([][]byte, len(takes))
	for i, take := range takes {
		keys[i] = take.Key
	}
	slices.SortFunc(keys, bytes.Compare)
	for _, key := range keys {
		if err := t.later(t.lockBucket, key); err != nil {
			return err
		}
	}
	return nil
}

// throttled returns the timestamp of a bucket or a mark; the zero time where there is none, or one that
// was only locked.
func throttled(t *tx, key []byte) (time.Time, error) {
	var ns int64
	err := t.row("SELECT until_ns FROM throttles WHERE key = $1", list(key), &ns)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && ns == 0) {
		return time.Time{}, nil
	}
	return time.Unix(0, ns), err
}

func setThrottled(t *tx, key []byte, until time.Time) error {
	return t.later("INSERT INTO throttles (key, until_ns) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET until_ns = excluded.until_ns",
		key, until.UnixNano())
}
