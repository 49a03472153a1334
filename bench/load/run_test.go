package load_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"caesar/bench/load"
)

// asker asks for one path until it is told to stop.
type asker struct {
	request []byte
	left    int // how often it asks; below 0 without end
	checked *atomic.Int64
	wrong   error
}

func (a *asker) Next() []byte {
	if a.left == 0 {
		return nil
	}
	a.left--
	return a.request
}

func (a *asker) Check([]byte) error {
	a.checked.Add(1)
	return a.wrong
}

// plan is a short run of so many connections.
func plan(address string, connections int, a asker) (p load.Plan, phases *atomic.Int64) {
	phases = new(atomic.Int64)
	a.checked = new(atomic.Int64)
	p = load.Plan{
		Address: address, Warm: 20 * time.Millisecond, Measure: 100 * time.Millisecond, Limit: 20 * time.Second, Every: 1000,
		Begin: func() error { phases.Add(1); return nil },
		End:   func() error { phases.Add(1); return nil },
	}
	for range connections {
		one := a
		p.Askers = append(p.Askers, &one)
	}
	return p, phases
}

func TestARunCountsWhatIsAnsweredInTheTimeThatIsMeasured(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		time.Sleep(5 * time.Millisecond)
	})
	p, phases := plan(address, 4, asker{request: get("/"), left: -1})
	r, err := load.Run(t.Context(), p)
	if err != nil || phases.Load() != 2 {
		t.Fatalf("%v after %d phases", err, phases.Load())
	}
	if r.Requests < 8 || int64(r.Requests) >= asked.Load() || r.Elapsed < p.Measure || r.Elapsed > 10*time.Second {
		t.Errorf("%d requests in %v, of %d that were asked", r.Requests, r.Elapsed, asked.Load())
	}
	if fastest := r.Latency.Quantile(0); fastest < 5*time.Millisecond {
		t.Errorf("the fastest took %v", fastest)
	}
}

func TestARunGoesOnUntilWhatComesInBurstsHasComeTwice(t *testing.T) {
	t.Parallel()
	var begun atomic.Int64
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {
		begun.Add(1)
		time.Sleep(150 * time.Millisecond)
	})
	p, _ := plan(address, 8, asker{request: get("/"), left: -1})
	p.Measure = time.Millisecond
	r, err := load.Run(t.Context(), p)
	if err != nil || r.Requests < 16 || r.Elapsed < 200*time.Millisecond || begun.Load() < 24 {
		t.Errorf("%d requests in %v of %d, %v", r.Requests, r.Elapsed, begun.Load(), err)
	}
}

func TestARunEndsWhereThereIsNothingLeftToAsk(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(5 * time.Millisecond) })
	p, phases := plan(address, 2, asker{request: get("/"), left: 12})
	p.Measure = time.Hour
	r, err := load.Run(t.Context(), p)
	if err != nil || r.Requests < 1 || r.Requests > 24 || phases.Load() != 2 {
		t.Errorf("%d requests, %d phases, %v", r.Requests, phases.Load(), err)
	}
	p, _ = plan(address, 2, asker{request: get("/"), left: 0})
	if _, err := load.Run(t.Context(), p); err == nil {
		t.Error("a run that never asked was measured")
	}
}

func TestAStatusOtherThanThatOfSuccessFailsTheRun(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 20 {
			http.Error(w, "too many", http.StatusTooManyRequests)
		}
	})
	p, _ := plan(address, 3, asker{request: get("/"), left: -1})
	p.Measure = time.Hour
	if _, err := load.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("the run ended with %v", err)
	}
}

func TestAWrongAnswerFailsTheRun(t *testing.T) {
	t.Parallel()
	wrong := errors.New("19 rows")
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	p, _ := plan(address, 1, asker{request: get("/"), left: -1, wrong: wrong})
	if _, err := load.Run(t.Context(), p); !errors.Is(err, wrong) {
		t.Errorf("the run ended with %v", err)
	}
}

func TestOneAnswerInSoManyIsChecked(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	p, _ := plan(address, 1, asker{})
	checked := new(atomic.Int64)
	p.Askers[0] = &asker{request: get("/"), left: 1001, checked: checked}
	p.Every, p.Warm, p.Measure = 100, 0, time.Hour
	if _, err := load.Run(t.Context(), p); err != nil || checked.Load() != 11 {
		t.Errorf("%d of 1001 were checked, %v", checked.Load(), err)
	}
}

func TestARunThatIsGivenUpEndsAtOnce(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) { <-held })
	t.Cleanup(func() { close(held) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	p, _ := plan(address, 2, asker{request: get("/"), left: -1})
	begun := time.Now()
	if _, err := load.Run(ctx, p); err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("it ended after %v with %v", time.Since(begun), err)
	}
	p.Limit = 50 * time.Millisecond
	if _, err := load.Run(t.Context(), p); err == nil {
		t.Error("a run outlived its limit")
	}
}

func TestTransfersAreSharedByTheConnections(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Millisecond) })
	var phases atomic.Int64
	seen := make([]atomic.Int64, 20)
	phase := func() error { phases.Add(1); return nil }
	plan := load.Transfers{
		Address: address, Connections: 3, Count: len(seen), Limit: 20 * time.Second, Begin: phase, End: phase,
		Do: func(c *load.Conn, n int) error {
			seen[n].Add(1)
			_, err := c.Do(get("/"))
			return err
		},
	}
	r, err := load.Transfer(t.Context(), plan)
	if err != nil || r.Requests != len(seen) || phases.Load() != 2 || r.Elapsed < 12*time.Millisecond {
		t.Fatalf("%d in %v, %d phases, %v", r.Requests, r.Elapsed, phases.Load(), err)
	}
	for n := range seen {
		if seen[n].Load() != 1 {
			t.Errorf("transfer %d was done %d times", n, seen[n].Load())
		}
	}
	broken := errors.New("broken")
	plan.Do = func(_ *load.Conn, n int) error {
		if n == 5 {
			return broken
		}
		return nil
	}
	if _, err := load.Transfer(t.Context(), plan); !errors.Is(err, broken) {
		t.Errorf("it ended with %v", err)
	}
}
