//go:build linux

package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/bench/fill"
	"caesar/bench/load"
	"caesar/bench/side"
	"caesar/bench/stat"
)

// What is measured: so many people with so many items each, of whom the first few are asked for theirs.
var (
	scaled = fill.Size{People: 1000, Items: 100}
	asking = fill.Size{People: 64, Items: 100}
)

const (
	scalingRounds = 5
	scalingFor    = 800 * time.Millisecond // each round
	lockedViews   = 40                     // in each round, shared by the replicas
)

// The figures of docs/scaling.md. It takes minutes, and both cores of a machine of two:
//
//	go test -run '^$' -bench WhatScalingCosts -benchtime 1x -timeout 30m ./e2e
func BenchmarkWhatScalingCosts(b *testing.B) {
	l := newScaleLab(b)
	b.Run("requests", l.requests)
	b.Run("exchanges", l.exchanges)
	b.Run("blobs", l.blobs)
	b.Run("rows", l.rows) // the last two, as they write what no request did
	b.Run("log", l.log)
}

// asked is a kind of request.
type asked struct {
	name string
	ask  side.Kind
}

// kinds are the requests that are measured, in the order of the tables.
var kinds = []asked{
	{"list", side.List},
	{"search", side.Search},
	{"log", side.Log},
	{"view", side.View},
	{"create", side.Create},
	{"login", side.Login},
	{locked, side.ColdView},
	{"mixed", side.Mixed},
}

// locked is a view in a session that has not shown the main password.
const locked = "view, locked"

// prepare has a side ready for a kind of request.
func prepare(b *testing.B, one *side.Side, kind string, connections int) {
	b.Helper()
	var err error
	if kind == locked {
		err = one.Refresh(b.Context(), connections)
	} else {
		err = one.Unlock(b.Context()) // what is unlocked is forgotten after five minutes
	}
	if err != nil {
		b.Fatal(err)
	}
}

// requests measures each kind on SQLite, on one replica and on three, by turns.
func (l *scaleLab) requests(b *testing.B) {
	setups := []*setup{
		l.open(b, "SQLite", "", 1), l.open(b, "one replica", l.server.URL(), 1), l.open(b, "three replicas", l.server.URL(), 3),
	}
	for _, connections := range []int{1, 15} {
		fmt.Fprintf(os.Stdout, "\n%d connections, median of %d rounds of %v\n", connections, scalingRounds, scalingFor)
		fmt.Fprintln(os.Stdout, "| request | on | req/s (least–most) | p50 ms | p99 ms | Caesar CPU ms | PostgreSQL CPU ms | WAL bytes | asker CPU ms | cores busy with others |")
		for _, kind := range kinds {
			sums := make([]sums, len(setups))
			for round := range scalingRounds {
				for i, s := range setups {
					if connections < len(s.sides) {
						continue
					}
					sums[i].add(l.measure(b, s, kind, connections, round))
				}
			}
			for i, s := range setups {
				if sums[i].rate != nil {
					fmt.Fprintf(os.Stdout, "| %s | %s | %s |\n", kind.name, s.name, &sums[i])
				}
			}
		}
	}
}

// cost is what one round came to; times and bytes are of one request.
type cost struct {
	rate, p50, p99, caesar, postgres, wal, asker, others float64
}

// sums are the rounds of one row.
type sums struct {
	rate, p50, p99, caesar, postgres, wal, asker, others []float64
}

func (s *sums) add(m cost) {
	s.rate, s.p50, s.p99 = append(s.rate, m.rate), append(s.p50, m.p50), append(s.p99, m.p99)
	s.caesar, s.postgres, s.wal = append(s.caesar, m.caesar), append(s.postgres, m.postgres), append(s.wal, m.wal)
	s.asker, s.others = append(s.asker, m.asker), append(s.others, m.others)
}

// String is the row of the medians.
func (s *sums) String() string {
	median := func(values []float64) float64 { return stat.Over(values).Median }
	rate := stat.Over(s.rate)
	return fmt.Sprintf("%.0f (%.0f–%.0f) | %.2f | %.2f | %.3f | %.3f | %.0f | %.3f | %.2f",
		rate.Median, rate.Least, rate.Most, median(s.p50), median(s.p99), median(s.caesar), median(s.postgres), median(s.wal),
		median(s.asker), median(s.others))
}

// measure asks all servers of a setup at once, each on its part of the connections.
func (l *scaleLab) measure(b *testing.B, s *setup, kind asked, connections, round int) cost {
	b.Helper()
	for _, one := range s.sides {
		prepare(b, one, kind.name, lockedViews/len(s.sides))
	}
	var before, after used
	results := make([]load.Result, len(s.sides))
	errs := make([]error, len(s.sides))
	var all sync.WaitGroup
	for i, one := range s.sides {
		begin, end := func() error { return nil }, func() error { return nil }
		if i == 0 {
			begin = func() (err error) { before, err = l.used(b.Context(), s); return err }
			end = func() (err error) { after, err = l.used(b.Context(), s); return err }
		}
		all.Go(func() {
			results[i], errs[i] = load.Run(b.Context(), load.Plan{
				Address: one.Address, Askers: side.Askers(one, kind.ask, connections/len(s.sides), round), Warm: 150 * time.Millisecond,
				Measure: scalingFor, Limit: time.Minute, Every: 100, Begin: begin, End: end,
			})
		})
	}
	all.Wait()
	var latency stat.Histogram
	m := cost{}
	for i := range results {
		if errs[i] != nil {
			b.Fatalf("%s: %v", s.name, errs[i])
		}
		latency.Merge(&results[i].Latency)
		m.rate += float64(results[i].Requests) / results[i].Elapsed.Seconds()
	}
	n := m.rate * after.at.Sub(before.at).Seconds()
	each := func(d time.Duration) float64 { return d.Seconds() * 1000 / n }
	m.p50, m.p99 = latency.Quantile(0.5).Seconds()*1000, latency.Quantile(0.99).Seconds()*1000
	m.caesar, m.postgres, m.asker = each(after.caesar-before.caesar), each(after.postgres-before.postgres), each(after.asker-before.asker)
	m.wal = float64(after.wal-before.wal) / n
	ours := after.caesar - before.caesar + after.postgres - before.postgres + after.asker - before.asker
	m.others = (after.busy - before.busy - ours).Seconds() / after.at.Sub(before.at).Seconds()
	return m
}

// exchanges counts what goes between a client, a replica and PostgreSQL for one request.
func (l *scaleLab) exchanges(b *testing.B) {
	database, behind := relay(b, l.server.URL())
	s := l.open(b, "counted", database, 1)
	one := s.sides[0]
	front, ahead := relay(b, "http://"+one.Address)
	one.Address = strings.TrimPrefix(front, "http://")
	fmt.Fprintln(os.Stdout, "\n| request | exchanges with PostgreSQL | bytes to it | bytes from it | request bytes | answer bytes |")
	for _, kind := range kinds[:len(kinds)-1] {
		prepare(b, one, kind.name, lockedViews)
		var before, after [2]traffic
		asker := side.Askers(one, kind.ask, 1, 99)[0]
		_, err := load.Transfer(b.Context(), load.Transfers{
			Address: one.Address, Connections: 1, Count: lockedViews, Limit: time.Minute,
			Do: func(c *load.Conn, _ int) error {
				answer, err := c.Do(asker.Next())
				if err == nil {
					err = answer.Err()
				}
				return err
			},
			Begin: func() error { before = [...]traffic{behind(), ahead()}; return nil },
			End:   func() error { after = [...]traffic{behind(), ahead()}; return nil },
		})
		if err != nil {
			b.Fatal(err)
		}
		each := func(after, before int64) float64 { return float64(after-before) / lockedViews }
		fmt.Fprintf(os.Stdout, "| %s | %.2f | %.0f | %.0f | %.0f | %.0f |\n", kind.name, each(after[0].turns, before[0].turns),
			each(after[0].there, before[0].there), each(after[0].back, before[0].back),
			each(after[1].there, before[1].there), each(after[1].back, before[1].back))
	}
}

// used is what was used until a moment.
type used struct {
	at                            time.Time
	caesar, postgres, asker, busy time.Duration
	wal                           int64
}
