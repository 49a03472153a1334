package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"caesar/bench/stat"
)

// Transfers is a run over things that are large, or that have to be counted: so many in all, shared by the
// connections.
type Transfers struct {
	Address     string // host:port
	Connections int
	Count       int // in all
	Limit       time.Duration
	// Do transfers the nth of them, from 0.
	Do func(c *Conn, n int) error
	// Begin and End are called before the first and after the last.
	Begin, End func() error
}

// Transfer has everything transferred, and counts from the first to the end of the last.
func Transfer(ctx context.Context, t Transfers) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	deadline := time.Now().Add(t.Limit)
	conns := make([]*Conn, t.Connections)
	latencies := make([]stat.Histogram, t.Connections)
	for i := range conns {
		conn, err := Dial(ctx, t.Address, deadline)
		if err != nil {
			return Result{}, err
		}
		defer conn.Close()
		conns[i] = conn
	}
	stop := context.AfterFunc(ctx, func() {
		for _, conn := range conns {
			conn.Close()
		}
	})
	defer stop()
	if err := t.Begin(); err != nil {
		return Result{}, err
	}
	begun := time.Now()
	var next atomic.Int64
	failed := make(chan error, t.Connections)
	var all sync.WaitGroup
	for i, conn := range conns {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < t.Count; n = int(next.Add(1)) - 1 {
				one := time.Now()
				if err := t.Do(conn, n); err != nil {
					failed <- err
					cancel()
					return
				}
				latencies[i].Add(time.Since(one))
			}
		})
	}
	all.Wait()
	r := Result{Elapsed: time.Since(begun)}
	for i := range latencies {
		r.Latency.Merge(&latencies[i])
	}
	r.Requests = r.Latency.Count()
	select {
	case err := <-failed: // the first to fail is the cause of the others
		return r, errors.Join(err, t.End())
	default:
		return r, t.End()
	}
}
