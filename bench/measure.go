package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"caesar/bench/load"
	"caesar/bench/proc"
	"caesar/bench/report"
	"caesar/bench/side"
)

const (
	// oneIn is of how many answers one is checked.
	oneIn = 100
	// runLimit bounds one measurement, which goes on until each connection has had answers.
	runLimit = 2 * time.Minute
)

// turn is what one side does when its turn comes.
type turn struct {
	side    *side.Side
	kind    side.Kind
	prepare func(context.Context, *side.Side, int) error // before each turn, for a number of connections; nil for nothing
}

// usage is what the processors have done.
type usage struct{ busy, server, client time.Duration }

// use reads what was used so far. To look is this process's own work: it looks at itself first, so that
// the look at the end is on nobody's account.
func use(one *side.Side) (u usage, err error) {
	if u.client, err = proc.Self(); err != nil {
		return u, err
	}
	if u.busy, err = proc.Busy(); err != nil {
		return u, err
	}
	for _, pid := range one.PIDs() {
		used, err := proc.CPU(pid)
		if err != nil {
			return u, err
		}
		u.server += used
	}
	return u, nil
}

// meter measures what a side uses between begin and end, into a sample.
type meter struct {
	stage  *stage
	side   *side.Side
	sample *report.Sample
	before usage
}

func (m *meter) begin() (err error) {
	if err := proc.ResetPeak(m.side.PID); err != nil {
		return err
	}
	if m.before, err = use(m.side); err != nil {
		return err
	}
	m.before.client, err = proc.Self() // to look for the server's is not the client's work
	return err
}

func (m *meter) end() error {
	after, err := use(m.side)
	if err != nil {
		return err
	}
	memory, err := proc.Read(m.side.PID)
	m.sample.Server, m.sample.Client = after.server-m.before.server, after.client-m.before.client
	m.sample.Noise = (after.busy - m.before.busy - m.sample.Server - m.sample.Client).Seconds()
	m.sample.Peak = memory.Peak
	return err
}

// keep keeps a sample that was measured.
func (m *meter) keep(r load.Result) {
	m.sample.Requests, m.sample.Elapsed, m.sample.Latency = r.Requests, r.Elapsed, r.Latency
	whole := r.Elapsed.Seconds() * float64(m.stage.results.Machine.Cores)
	m.sample.Noise = max(0, m.sample.Noise/whole)
	m.stage.results.Add(m.sample)
}

// byTurns gives every side its turn, round after round, for each number of connections.
func (s *stage) byTurns(ctx context.Context, c report.Case, connections []int, rounds int, turns []turn) error {
	for _, n := range connections {
		for round := range rounds {
			var said []string
			for _, t := range turns {
				rate, err := s.once(ctx, c, t, n, round)
				if err != nil {
					return fmt.Errorf("%s of %s at %d connections: %w", c.Name, t.side.Name, n, err)
				}
				said = append(said, fmt.Sprintf("%s %.4g/s", t.side.Name, rate))
			}
			s.say("%s, %d connections, round %d of %d: %s", c.Name, n, round+1, rounds, strings.Join(said, ", "))
		}
	}
	return nil
}

// once measures one turn.
func (s *stage) once(ctx context.Context, c report.Case, t turn, connections, round int) (rate float64, err error) {
	if t.prepare != nil {
		if err := t.prepare(ctx, t.side, connections); err != nil {
			return 0, err
		}
	}
	m := &meter{stage: s, side: t.side, sample: &report.Sample{Case: c, System: t.side.Name, Connections: connections, Round: round}}
	r, err := load.Run(ctx, load.Plan{
		Address: t.side.Address, Askers: side.Askers(t.side, t.kind, connections, round), Warm: s.warm, Measure: s.measure,
		Limit: runLimit, Every: oneIn, Begin: m.begin, End: m.end,
	})
	if err != nil {
		return 0, err
	}
	m.keep(r)
	return m.sample.Rate(), nil
}
