package report

import "caesar/bench/stat"

// Goal is one comparison that was planned before anything was measured.
type Goal struct {
	Path, Against string
	Got           stat.Figure
	Unit          string
	AtLeast, Aim  float64 // 0 for none
	Most          bool    // whether AtLeast and Aim are the most that it may be
	Of            []Key   // what it is made of; none where no request is compared
}

// Verdict is how a goal came out.
type Verdict int

// The verdicts.
const (
	NotMeasured Verdict = iota
	Missed
	Met
	AimMet
)

// Verdict compares what was measured, in the median, with the goal.
func (g Goal) Verdict() Verdict {
	holds := func(bound float64) bool {
		if g.Most {
			return g.Got.Median <= bound
		}
		return g.Got.Median >= bound
	}
	switch {
	case !g.Got.Known():
		return NotMeasured
	case g.Aim != 0 && holds(g.Aim):
		return AimMet
	case g.AtLeast != 0 && holds(g.AtLeast), g.AtLeast == 0 && g.Aim == 0:
		return Met
	default:
		return Missed
	}
}

// GiB is the size of the largest file.
const GiB = 1 << 30

const (
	times = "x"
	mib   = " MiB"
	ms    = " ms"
	mb    = " MB"
)

// Goals returns all goals, in the order in which they were set.
func (r *Results) Goals() []Goal {
	var goals []Goal
	for _, some := range [][]Goal{r.vaultGoals(), r.secretGoals(), r.fileGoals(), r.programGoals(), r.growthGoals()} {
		goals = append(goals, some...)
	}
	return goals
}

// rates compares how many requests a second Caesar answers with another system.
func (r *Results) rates(path string, c Case, connections int, against, how string, atLeast, aim float64) Goal {
	of, by := Key{c, Caesar, connections}, Key{c, against, connections}
	return Goal{path, against + how, r.Ratio(of, by, (*Sample).Rate), times, atLeast, aim, false, []Key{of, by}}
}

func (r *Results) vaultGoals() []Goal {
	list, search, view, create := Case{Name: List}, Case{Name: Search}, Case{Name: View}, Case{Name: Create}
	const rows, kept, synced = "search in 1,000 rows, ", "create with its log row, fsync, ", " without fsync"
	return []Goal{
		r.rates("list of 20 with count, random page, c16", list, 16, PocketBase, "", 4, 6),
		r.floor(Key{list, Caesar, 16}),
		r.rates(rows+"c1", search, 1, PocketBase, "", 6, 8),
		r.rates(rows+"c16", search, 16, PocketBase, "", 15, 25),
		r.rates(rows+"c64", search, 64, PocketBase, "", 40, 80),
		r.crowd(Key{search, Caesar, 64}, Key{search, Caesar, 16}),
		r.rates("view of one item, unlocked, with its log row and fsync, c16", view, 16, PocketBase, "'s plain view", 0.7, 1.5),
		r.rates(kept+"c1", create, 1, PocketBase, synced, 1.5, 2),
		r.rates(kept+"c16", create, 16, PocketBase, synced, 3, 4),
		r.rates(kept+"c64", create, 64, PocketBase, synced, 3, 5),
	}
}

// floor compares what a request costs of the processors with what a prepared answer does.
func (r *Results) floor(of Key) Goal {
	by := Key{of.Case, Plain, of.Connections}
	return Goal{"the same, CPU a request", "the floor: a prepared answer of the same size", r.Ratio(of, by, (*Sample).CPU), times, 0, 8, true, []Key{of, by}}
}

// crowd compares a rate with that of fewer connections.
func (r *Results) crowd(of, by Key) Goal {
	return Goal{"search, rate at c64", "its rate at c16", r.Ratio(of, by, (*Sample).Rate), times, 0, 1, false, []Key{of, by}}
}

func (r *Results) secretGoals() []Goal {
	return []Goal{
		r.rates("login, c16", Case{Name: Login}, 16, PocketBase, ", bcrypt of cost 10", 2, 3),
		r.rates("cold view (Argon2id, 64 MiB, t=3, p=1), c1", Case{Name: ColdView}, 1, Plain, ": the bare Argon2id call", 0.9, 0.97),
	}
}

func (r *Results) fileGoals() []Goal {
	const up, down = "upload of 1 GiB, encrypted, hashed, fsynced", "download of 1 GiB, decrypted, authenticated"
	return []Goal{
		r.rates(up, Case{Upload, GiB}, 1, Plain, ": a copy with fsync", 0.7, 0.85),
		r.rates(up, Case{Upload, GiB}, 1, PocketBase, "", 2, 3),
		r.rates(down, Case{Download, GiB}, 1, Nginx, " sending the plain file", 0.5, 0.8),
	}
}

// scaled returns a figure in another unit.
func scaled(f stat.Figure, by float64) stat.Figure {
	return stat.Figure{Median: f.Median * by, Least: f.Least * by, Most: f.Most * by}
}

// programGoals are bounds, beside which PocketBase's figures stand.
func (r *Results) programGoals() []Goal {
	bound := func(path string, figure func(system string) stat.Figure, unit string, most, aim float64, of ...Key) Goal {
		against := "a bound"
		if theirs := figure(PocketBase); theirs.Known() {
			against += "; " + PocketBase + ": " + digits(theirs.Median) + unit
		}
		return Goal{path, against, figure(Caesar), unit, most, aim, true, of}
	}
	start := Case{Name: Start}
	return []Goal{
		bound("memory, idle", r.idle, mib, 25, 15),
		bound("memory, most under any load", func(system string) stat.Figure {
			return scaled(r.Peak(system, func(*Sample) bool { return true }), 1.0/(1<<20))
		}, mib, 150, 100),
		bound("memory, most during 1 GiB, beyond idle", r.beyond, mib, 16, 8, Key{Case{Upload, GiB}, Caesar, 1}, Key{Case{Download, GiB}, Caesar, 1}),
		bound("cold start", func(system string) stat.Figure {
			return scaled(r.Over(Key{start, system, 1}, func(s *Sample) float64 { return s.Elapsed.Seconds() }), 1000)
		}, ms, 15, 8, Key{start, Caesar, 1}, Key{start, PocketBase, 1}),
		bound("size of the program", r.size, mb, 25, 0),
	}
}

// idle is the memory that a system holds when nobody asks, in MiB.
func (r *Results) idle(system string) stat.Figure {
	return scaled(stat.Over(r.Idle[system]), 1.0/(1<<20))
}

// beyond is what a system holds at most during one transfer of 1 GiB, beyond what it does when idle, in MiB.
func (r *Results) beyond(system string) stat.Figure {
	idle := r.idle(system)
	most := scaled(r.Peak(system, func(s *Sample) bool { return s.Size == GiB && s.Connections == 1 }), 1.0/(1<<20))
	return stat.Figure{Median: most.Median - idle.Median, Least: most.Least - idle.Most, Most: most.Most - idle.Least}
}

// size is that of a system's program, in MB.
func (r *Results) size(system string) stat.Figure {
	for _, v := range r.Versions {
		if v.Name == system && v.Size > 0 {
			return stat.Over([]float64{float64(v.Size) / 1e6})
		}
	}
	return stat.Unknown
}

func (r *Results) growthGoals() []Goal {
	grown := func(name string) Goal {
		small, large := Key{Case{name + OfAll, 100_000}, Caesar, 1}, Key{Case{name + OfAll, 1_000_000}, Caesar, 1}
		return Goal{name + " at 1M items of all users, time", "itself at 100k", r.Ratio(small, large, (*Sample).Rate), times, 1.3, 1.05, true, []Key{small, large}}
	}
	return []Goal{grown(List), grown(Search)}
}
