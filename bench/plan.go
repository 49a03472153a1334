package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"caesar/bench/fill"
	"caesar/bench/report"
)

// Scenarios that are more than one kind of request.
const (
	starts = "start" // cold start, and memory when idle
	files  = "files" // upload and download
	growth = "growth"
	limits = "limits" // what the machine does of one thing alone
)

// plan is what a run measures.
type plan struct {
	scenarios   []string
	connections []int
	warm        time.Duration // before each measurement
	measure     time.Duration // of each
	rounds      int
	limit       time.Duration // of the whole run
	remark      string        // that the results begin with
	out         string        // the folder for RESULTS.md and plots; empty for the usual one
	work        string        // the folder for programs and data; empty for the usual one
	whole       bool          // whether it is the run of no flags, which alone replaces the published results
	strict      bool          // whether a peer that is missing is an error

	size    fill.Size // of most scenarios
	growth  []int     // numbers of items
	files   []int64   // sizes
	starts  int       // how often each system is started
	hashing int       // the most connections where each request hashes a main password, which takes long
	command string    // by which it was asked for
}

// scenarios returns the names of all scenarios, in the order in which they are run.
func scenarios() []string {
	return []string{
		limits, starts, report.List, report.Search, report.View, report.Create, report.Log, report.Captcha, report.Mixed,
		report.Login, "cold", files, growth,
	}
}

// full is what make bench runs: for less than half an hour on two cores.
func full() plan {
	return plan{
		scenarios: scenarios(), connections: []int{1, 16, 64}, warm: 150 * time.Millisecond, measure: 600 * time.Millisecond, rounds: 5,
		limit: 45 * time.Minute, whole: true, size: fill.Size{People: 100, Items: 1000}, growth: []int{1_000, 10_000, 100_000, 1_000_000},
		files: []int64{1 << 10, 1 << 20, 256 << 20, 1 << 30}, starts: 15, hashing: 16,
	}
}

// quick is what make bench-quick runs: everything once, to see that it works.
func quick() plan {
	return plan{
		scenarios: scenarios(), connections: []int{1, 16}, warm: 50 * time.Millisecond, measure: 100 * time.Millisecond, rounds: 2,
		limit: 10 * time.Minute, size: fill.Size{People: 32, Items: 200}, growth: []int{1_000, 5_000},
		files: []int64{1 << 10, 1 << 20, 16 << 20}, starts: 2, hashing: 1,
		remark: "A short run over little data, to see that everything works: its figures mean nothing.",
	}
}

// parsePlan reads the arguments.
func parsePlan(args []string, usage io.Writer) (plan, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	short := flags.Bool("quick", false, "see in a few minutes that everything works; the times mean nothing")
	chosen := flags.String("scenario", "", "only these, separated by commas: "+strings.Join(scenarios(), ", "))
	connections := flags.String("concurrency", "", "numbers of connections, separated by commas (default 1,16,64; quick: 1,16)")
	duration := flags.Duration("duration", 0, "of each measurement (default 600ms; quick: 100ms)")
	rounds := flags.Int("rounds", 0, "how often each system has its turn (default 5; quick: 2)")
	out := flags.String("out", "", "the folder for RESULTS.md and plots (default: bench where no flag is given, or else build/bench/results)")
	if err := flags.Parse(args); err != nil {
		return plan{}, err
	}
	if flags.NArg() > 0 {
		return plan{}, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	p := full()
	if *short {
		p = quick()
	}
	p.command = strings.TrimSpace("go run ./bench " + strings.Join(args, " "))
	p.out = *out
	if *duration != 0 {
		p.measure, p.whole = *duration, false
	}
	if *rounds != 0 {
		p.rounds, p.whole = *rounds, false
	}
	if p.measure < 0 || p.rounds < 0 {
		return plan{}, errors.New("durations and rounds are positive")
	}
	return p, p.choose(*chosen, *connections)
}

// choose leaves out what was not asked for, where something was.
func (p *plan) choose(chosen, connections string) error {
	if chosen != "" {
		p.scenarios, p.whole = strings.Split(chosen, ","), false
		for _, name := range p.scenarios {
			if !slices.Contains(scenarios(), name) {
				return fmt.Errorf("%q is no scenario: they are %s", name, strings.Join(scenarios(), ", "))
			}
		}
	}
	if connections != "" {
		p.connections, p.whole = nil, false
		for text := range strings.SplitSeq(connections, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 1024 {
				return fmt.Errorf("%q is no number of connections", text)
			}
			p.connections = append(p.connections, n)
		}
	}
	return nil
}

// runs says whether a scenario was asked for.
func (p *plan) runs(name string) bool { return slices.Contains(p.scenarios, name) }

// needs says whether a system is measured, or measured against.
func (p *plan) needs(system string) bool {
	for _, one := range vaultScenarios() {
		if p.runs(one.name) && slices.Contains(one.systems, system) {
			return true
		}
	}
	switch system {
	case report.Caesar, report.PocketBase:
		return p.runs(starts) || p.runs(files) || p.runs(growth)
	case report.Postgres:
		return p.runs(starts)
	default:
		return p.runs(files)
	}
}

// fewer is how many rounds there are of what takes long: for files and growth.
func (p *plan) fewer() int { return min(3, p.rounds) }

// target returns where the results go. A quick run keeps to a folder of its own too.
func (p *plan) target(root string) string {
	switch {
	case p.out != "":
		return p.out
	case p.whole:
		return filepath.Join(root, "bench")
	default:
		return filepath.Join(root, "build", "bench", "results")
	}
}
