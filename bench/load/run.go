package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"caesar/bench/stat"
)

// Asker makes the requests of one connection and judges their answers. It is used by one goroutine.
type Asker interface {
	// Next returns the bytes of the next request, which are read before the next call; nil where there
	// is nothing left to ask.
	Next() []byte
	// Check says what is wrong with the answer to the request that Next returned last. It is asked of
	// some only.
	Check(body []byte) error
}

// Plan is one run.
type Plan struct {
	Address string  // host:port
	Askers  []Asker // one for each connection
	Warm    time.Duration
	Measure time.Duration
	Limit   time.Duration // after which a run that is still going on fails
	Every   int           // of how many answers of a connection one is checked, the first always
	// Begin and End are called when the time that is measured begins and ends.
	Begin, End func() error
}

// Result is what a run counted.
type Result struct {
	Requests int           // answered in the time that was measured
	Elapsed  time.Duration // that was measured
	Latency  stat.Histogram
}

// The phases of a run.
const (
	warming int32 = iota
	measuring
	done
)

// atLeast is how many answers a connection has had on average before the measuring ends: where they
// come in bursts, as of a server that works at all requests at once, less would count a burst or none.
const atLeast = 2

// run is a run under way.
type run struct {
	Plan
	phase    atomic.Int32
	lines    []*line
	dry      chan struct{} // gets a token where an asker has nothing left to ask
	failed   chan error
	measured Result
}

// line is one connection of a run.
type line struct {
	conn     *Conn
	asker    Asker
	answered atomic.Int64 // in the phase that is now
	latency  stat.Histogram
}

// Run asks on all connections at once: first for Warm, and until each has had an answer; then for Measure, and
// until each has had two on average, or an asker has nothing left. Requests that are under way then are
// waited for, so that the server is idle when Run returns.
func Run(ctx context.Context, p Plan) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{Plan: p, dry: make(chan struct{}, len(p.Askers)), failed: make(chan error, len(p.Askers))}
	deadline := time.Now().Add(p.Limit)
	for _, asker := range p.Askers {
		conn, err := Dial(ctx, p.Address, deadline)
		if err != nil {
			return Result{}, err
		}
		defer conn.Close()
		r.lines = append(r.lines, &line{conn: conn, asker: asker})
	}
	// Connections are closed when the run is given up: that ends what waits on them.
	stop := context.AfterFunc(ctx, func() {
		for _, l := range r.lines {
			l.conn.Close()
		}
	})
	defer stop()
	var all sync.WaitGroup
	for _, l := range r.lines {
		all.Go(func() {
			if err := r.ask(l); err != nil {
				r.failed <- err
			}
		})
	}
	err := r.conduct(ctx)
	r.phase.Store(done)
	if err != nil {
		cancel()
	}
	all.Wait()
	select {
	case late := <-r.failed:
		if err == nil {
			err = late
		}
	default:
	}
	for _, l := range r.lines {
		r.measured.Latency.Merge(&l.latency)
	}
	r.measured.Requests = r.measured.Latency.Count()
	return r.measured, err
}

// conduct takes the run through its phases.
func (r *run) conduct(ctx context.Context) error {
	dry, err := r.wait(ctx, r.Warm, func() bool { return r.least() > 0 })
	if err != nil {
		return err
	}
	if dry {
		return errors.New("there was nothing left to ask before the measuring began")
	}
	for _, l := range r.lines {
		l.answered.Store(0)
	}
	if err := r.Begin(); err != nil {
		return err
	}
	begun := time.Now()
	r.phase.Store(measuring)
	_, err = r.wait(ctx, r.Measure, func() bool { return r.sum() >= atLeast*len(r.lines) })
	r.phase.Store(done)
	r.measured.Elapsed = time.Since(begun)
	return errors.Join(err, r.End())
}

// wait waits for a time and then until enough holds, or an asker has nothing left.
func (r *run) wait(ctx context.Context, d time.Duration, enough func() bool) (dry bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-r.dry:
			return true, nil
		case err := <-r.failed:
			return false, err
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if enough() {
			return false, nil
		}
		timer.Reset(2 * time.Millisecond)
	}
}

// least returns how many answers the connection with the fewest has had in this phase.
func (r *run) least() int {
	least := r.lines[0].answered.Load()
	for _, l := range r.lines {
		least = min(least, l.answered.Load())
	}
	return int(least)
}

// sum returns how many answers all connections have had in this phase.
func (r *run) sum() int {
	sum := 0
	for _, l := range r.lines {
		sum += int(l.answered.Load())
	}
	return sum
}

// ask is the work of one connection.
func (r *run) ask(l *line) error {
	for n := 0; r.phase.Load() != done; n++ {
		request := l.asker.Next()
		if request == nil {
			r.dry <- struct{}{}
			return nil
		}
		begun := time.Now()
		answer, err := l.conn.Do(request)
		took := time.Since(begun)
		if err != nil {
			return err
		}
		if r.phase.Load() == measuring {
			l.latency.Add(took)
		}
		l.answered.Add(1)
		if err := answer.Err(); err != nil {
			return err
		}
		if n%r.Every == 0 {
			if err := l.asker.Check(answer.Body); err != nil {
				return fmt.Errorf("wrong answer: %w: %.300s", err, answer.Body)
			}
		}
	}
	return nil
}
