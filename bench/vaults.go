package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"caesar/bench/load"
	"caesar/bench/peer"
	"caesar/bench/proc"
	"caesar/bench/report"
	"caesar/bench/side"
)

// scenario is one kind of request, to several systems.
type scenario struct {
	name    string // of the flag
	of      string // of the case
	kind    side.Kind
	systems []string
	plain   side.Kind // what the plain server is asked in its place; nil for an answer of the same size
	prepare func(context.Context, *side.Side, int) error
	hashes  bool // whether each request hashes a main password
}

func vaultScenarios() []scenario {
	all := []string{report.Caesar, report.PocketBase, report.Postgres}
	own := []string{report.Caesar, report.Plain, report.Postgres}
	unlock := func(ctx context.Context, s *side.Side, _ int) error { return s.Unlock(ctx) }
	refresh := func(ctx context.Context, s *side.Side, connections int) error {
		if s.Vault == nil {
			return nil
		}
		return s.Refresh(ctx, 4*connections+10)
	}
	return []scenario{
		{name: report.List, of: report.List, kind: side.List, systems: append(slices.Clone(all), report.Plain)},
		{name: report.Search, of: report.Search, kind: side.Search, systems: all},
		{name: report.View, of: report.View, kind: side.View, systems: all, prepare: unlock},
		{name: report.Create, of: report.Create, kind: side.Create, systems: all, prepare: unlock},
		{name: report.Log, of: report.Log, kind: side.Log, systems: own},
		{name: report.Captcha, of: report.Captcha, kind: side.Captcha, systems: own[:2]},
		{name: report.Mixed, of: report.Mixed, kind: side.Mixed, systems: all, prepare: unlock},
		{name: report.Login, of: report.Login, kind: side.Login, systems: all},
		{name: "cold", of: report.ColdView, kind: side.ColdView, systems: own, plain: side.Argon2id, prepare: refresh, hashes: true},
	}
}

// measureVaults measures what both keep for people: starts, and then each scenario over all systems.
func (s *stage) measureVaults(ctx context.Context) error {
	wanted := slices.DeleteFunc(vaultScenarios(), func(one scenario) bool { return !s.runs(one.name) })
	if len(wanted) == 0 && !s.runs(starts) {
		return nil
	}
	if err := s.fillVaults(ctx); err != nil {
		return err
	}
	if s.runs(starts) {
		if err := s.measureStarts(ctx); err != nil {
			return err
		}
	}
	if len(wanted) == 0 {
		return s.stopAll()
	}
	sides, err := s.vaultSides(ctx)
	if err != nil {
		return err
	}
	for _, one := range wanted {
		if err := s.measureScenario(ctx, one, sides); err != nil {
			return err
		}
	}
	return s.stopAll()
}

// vaultSystems are those that keep people's items, and the plain server beside them.
var vaultSystems = []string{report.Caesar, report.PocketBase, report.Postgres, report.Plain}

// fillVaults gives all systems the data of most scenarios.
func (s *stage) fillVaults(ctx context.Context) error {
	if err := s.fillCaesar(ctx, "caesar", s.size); err != nil {
		return err
	}
	if s.has(report.PocketBase) {
		if err := s.fillPocketBase(ctx, "pocketbase", s.size); err != nil {
			return err
		}
	}
	if s.has(report.Postgres) {
		return s.fillPostgres(ctx, s.size)
	}
	return nil
}

// startVault starts a system on the data of most scenarios.
func (s *stage) startVault(ctx context.Context, system string) (*peer.Process, error) {
	switch system {
	case report.Caesar:
		return s.startCaesar(ctx, "caesar")
	case report.PocketBase:
		return s.startPocketBase(ctx, "pocketbase")
	case report.Postgres:
		return s.startOnPostgres(ctx)
	default:
		return s.startPlain(ctx)
	}
}

// vaultSides starts all systems that are needed.
func (s *stage) vaultSides(ctx context.Context) (map[string]*side.Side, error) {
	sides := map[string]*side.Side{}
	for _, system := range vaultSystems {
		if !s.has(system) {
			continue
		}
		p, err := s.startVault(ctx, system)
		if err != nil {
			return nil, err
		}
		if sides[system], err = sideOf(ctx, system, p, s.size); err != nil {
			return nil, err
		}
		if system == report.Postgres {
			sides[system].Others = []int{s.postgres.pid}
		}
	}
	return sides, nil
}

// startPlain starts the plain server on a folder of its own.
func (s *stage) startPlain(ctx context.Context) (*peer.Process, error) {
	if err := os.MkdirAll(s.path("plain"), 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	return s.begun(peer.StartPlain(ctx, s.path("plain")))
}

// measureScenario has all sides of a scenario their turns.
func (s *stage) measureScenario(ctx context.Context, one scenario, sides map[string]*side.Side) error {
	var turns []turn
	for _, system := range one.systems {
		t := turn{side: sides[system], kind: one.kind, prepare: one.prepare}
		if t.side == nil {
			continue
		}
		if system == report.Plain {
			t.prepare, t.kind = nil, one.plain
			if t.kind == nil {
				size, err := answerSize(ctx, sides[report.Caesar], one.kind)
				if err != nil {
					return err
				}
				t.kind = side.Answer(size)
			}
		}
		turns = append(turns, t)
	}
	connections := slices.Clone(s.connections)
	if one.hashes {
		connections = slices.DeleteFunc(connections, func(n int) bool { return n > s.hashing })
	}
	return s.byTurns(ctx, report.Case{Name: one.of}, connections, s.rounds, turns)
}

// answerSize returns how long an answer of one kind is.
func answerSize(ctx context.Context, one *side.Side, kind side.Kind) (int, error) {
	c, err := load.Dial(ctx, one.Address, time.Now().Add(time.Minute))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	a, err := c.Do(side.Askers(one, kind, 1, 0)[0].Next())
	if err == nil {
		err = a.Err()
	}
	return len(a.Body), err
}

// idles is after how long a server that was started counts as idle.
const idles = 2 * time.Second

// measureStarts starts all systems by turns, and looks at the last few when they are idle.
func (s *stage) measureStarts(ctx context.Context) error {
	for round := range s.starts {
		for _, system := range vaultSystems {
			if system == report.Plain || !s.has(system) {
				continue
			}
			begin := func() (*peer.Process, error) { return s.startVault(ctx, system) }
			if err := s.measureStart(ctx, system, report.Case{Name: report.Start}, round, begin); err != nil {
				return err
			}
		}
	}
	s.say("started each %d times", s.starts)
	return nil
}

// measureStart measures one start, and ends what was started.
func (s *stage) measureStart(ctx context.Context, system string, c report.Case, round int, begin func() (*peer.Process, error)) error {
	p, err := begin()
	if err != nil {
		return err
	}
	used, err := proc.CPU(p.PID)
	if err != nil {
		return err
	}
	sample := &report.Sample{Case: c, System: system, Connections: 1, Round: round, Requests: 1, Elapsed: p.Took, Server: used}
	sample.Latency.Add(p.Took)
	s.results.Add(sample)
	if c.Size == 0 && round >= s.starts-(s.starts+4)/5 { // the last fifth
		select {
		case <-time.After(idles):
		case <-ctx.Done():
			return ctx.Err()
		}
		memory, err := proc.Read(p.PID)
		if err != nil {
			return err
		}
		s.results.Idle[system] = append(s.results.Idle[system], float64(memory.Resident))
	}
	return s.stop(p)
}
