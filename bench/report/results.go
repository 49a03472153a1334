// Package report holds what was measured, compares it with the goals, and writes it down.
//
// What always holds: systems are compared round by round, each round of one with the round of the other that
// was measured next to it; what was not measured is said to be so, and is no goal met.
package report

import (
	"slices"
	"time"

	"caesar/bench/proc"
	"caesar/bench/stat"
)

// The systems.
const (
	Caesar     = "Caesar"
	Postgres   = "Caesar on PostgreSQL"
	PocketBase = "PocketBase"
	Nginx      = "nginx"
	Plain      = "plain Go"
)

// Case is what was measured: a name of the list below, and a size where there are several.
type Case struct {
	Name string
	Size int64 // bytes of a file, or items
}

// The names of cases.
const (
	List     = "list"
	Search   = "search"
	View     = "view"
	ColdView = "cold view"
	Create   = "create"
	Log      = "log"
	Captcha  = "captcha"
	Mixed    = "mixed"
	Login    = "login"
	Upload   = "upload"
	Download = "download"
	Start    = "start"
	// What follows Of is asked of one person who has all items, or of one of many with 1,000 each.
	OfOne = ", of one person"
	OfAll = ", of all people"
)

// Sample is one case on one system in one round.
type Sample struct {
	Case
	System      string
	Connections int
	Round       int // from 0
	Requests    int
	Elapsed     time.Duration
	Latency     stat.Histogram
	Server      time.Duration // of the processors, by the system's processes
	Client      time.Duration // by the one that asks
	Noise       float64       // part of the processors' time that neither used
	Peak        int64         // bytes of memory of the system's process; 0 where it was not looked at
}

// Rate is how many requests were answered a second.
func (s *Sample) Rate() float64 { return float64(s.Requests) / s.Elapsed.Seconds() }

// CPU is what a request cost the system of the processors, in seconds.
func (s *Sample) CPU() float64 { return s.Server.Seconds() / float64(max(1, s.Requests)) }

// Key names what has a sample for each round.
type Key struct {
	Case
	System      string
	Connections int
}

// Results is all that was measured.
type Results struct {
	Machine  proc.Machine
	Versions []Version
	Command  string
	Commit   string
	Began    time.Time
	Took     time.Duration
	Notes    []string // what was left out, and why

	Samples []*Sample
	Idle    map[string][]float64 // bytes of memory by system, a few seconds after its start
	Limits  []Limit
}

// Version is what was measured.
type Version struct {
	Name, Version string
	Size          int64 // bytes of the program; 0 where it was not built here
}

// Limit is what the machine does of one thing alone.
type Limit struct {
	Name, Unit string
	Value      stat.Figure
}

// Add keeps a sample.
func (r *Results) Add(s *Sample) { r.Samples = append(r.Samples, s) }

// of returns the samples of a key, the first round first.
func (r *Results) of(k Key) []*Sample {
	var all []*Sample
	for _, s := range r.Samples {
		if (Key{s.Case, s.System, s.Connections}) == k {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *Sample) int { return a.Round - b.Round })
	return all
}

// each returns a figure of every round.
func (r *Results) each(k Key, figure func(*Sample) float64) []float64 {
	var values []float64
	for _, s := range r.of(k) {
		values = append(values, figure(s))
	}
	return values
}

// Over returns a figure over all rounds.
func (r *Results) Over(k Key, figure func(*Sample) float64) stat.Figure {
	return stat.Over(r.each(k, figure))
}

// Ratio compares a figure of two keys, round by round.
func (r *Results) Ratio(of, by Key, figure func(*Sample) float64) stat.Figure {
	return stat.Over(stat.Ratios(r.each(of, figure), r.each(by, figure)))
}

// Latency returns what all rounds of a key took.
func (r *Results) Latency(k Key) *stat.Histogram {
	var all stat.Histogram
	for _, s := range r.of(k) {
		all.Merge(&s.Latency)
	}
	return &all
}

// Peak returns the most memory that a system held in any of the cases, in bytes; Unknown where it was
// not looked at.
func (r *Results) Peak(system string, in func(*Sample) bool) stat.Figure {
	var most float64
	for _, s := range r.Samples {
		if s.System == system && in(s) {
			most = max(most, float64(s.Peak))
		}
	}
	if most == 0 {
		return stat.Unknown
	}
	return stat.Over([]float64{most})
}

// keys returns every key of a case, in the order in which they were measured first.
func (r *Results) keys(c Case) []Key {
	var keys []Key
	for _, s := range r.Samples {
		k := Key{s.Case, s.System, s.Connections}
		if s.Case == c && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// cases returns every case, in the order in which they were measured first.
func (r *Results) cases() []Case {
	var cases []Case
	for _, s := range r.Samples {
		if !slices.Contains(cases, s.Case) {
			cases = append(cases, s.Case)
		}
	}
	return cases
}
