package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/bench/report"
)

func parsed(t *testing.T, args ...string) plan {
	t.Helper()
	p, err := parsePlan(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWithoutFlagsEverythingIsMeasured(t *testing.T) {
	t.Parallel()
	p := parsed(t)
	if !slices.Equal(p.scenarios, scenarios()) || !slices.Equal(p.connections, []int{1, 16, 64}) || p.target("root") != filepath.Join("root", "bench") {
		t.Errorf("%+v", p)
	}
	if p.command != "go run ./bench" {
		t.Errorf("%q", p.command)
	}
}

func TestFlagsChooseWhatIsMeasured(t *testing.T) {
	t.Parallel()
	p := parsed(t, "--scenario", "list,cold", "--concurrency", "1,4", "--duration", "3s", "--rounds", "7")
	if !p.runs(report.List) || p.runs(report.View) || !p.runs("cold") || p.measure != 3*time.Second || p.rounds != 7 || !slices.Equal(p.connections, []int{1, 4}) {
		t.Errorf("%+v", p)
	}
	if !strings.Contains(p.command, "--scenario list,cold") {
		t.Errorf("%q", p.command)
	}
	for _, partial := range [][]string{{"--quick"}, {"--scenario", "list"}, {"--concurrency", "1"}, {"--rounds", "1"}, {"--duration", "1s"}} {
		if p := parsed(t, partial...); p.target("root") != filepath.Join("root", "build", "bench", "results") {
			t.Errorf("%v would replace the published results in %s", partial, p.target("root"))
		}
	}
	if p := parsed(t, "--quick", "--out", "elsewhere"); p.target("root") != "elsewhere" {
		t.Errorf("%s", p.target("root"))
	}
}

func TestWhatCannotBeMeasuredIsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--scenario", "sort"},
		{"--concurrency", "0"},
		{"--concurrency", "x"},
		{"--concurrency", "9999"},
		{"--duration", "-1s"},
		{"--rounds", "-1"},
		{"list"},
		{"--nonsense"},
	} {
		if p, err := parsePlan(args, io.Discard); err == nil {
			t.Errorf("%v is %+v", args, p)
		}
	}
}

func TestAShortRunGoesThroughEveryScenarioOfAWholeOne(t *testing.T) {
	t.Parallel()
	whole, short := full(), quick()
	if !slices.Equal(whole.scenarios, short.scenarios) {
		t.Errorf("%v", short.scenarios)
	}
	for _, one := range vaultScenarios() {
		if !slices.Contains(scenarios(), one.name) {
			t.Errorf("%s can't be asked for", one.name)
		}
		for _, system := range one.systems {
			if !slices.Contains(vaultSystems, system) {
				t.Errorf("%s is never started for %s", system, one.name)
			}
		}
	}
	for _, p := range []plan{whole, short} {
		for _, items := range p.growth {
			if items%each != 0 {
				t.Errorf("%d items are not so many people's", items)
			}
		}
		if p.size.People < 4 || p.size.Items%100 != 0 {
			t.Errorf("%+v can't be parted", p.size)
		}
		// Caesar lets ten guess at one person's password at once, and a quarter of the people log in.
		if most := slices.Max(p.connections); most > 10*(p.size.People/4) {
			t.Errorf("%d connections can't log in by turns as %d people", most, p.size.People/4)
		}
	}
}

// measures says whether a plan measures what a goal is made of.
func (p *plan) measures(k report.Key) bool {
	name, growing := k.Name, false
	for _, way := range []string{report.OfOne, report.OfAll} {
		if before, found := strings.CutSuffix(name, way); found {
			name, growing = before, true
		}
	}
	switch {
	case growing:
		known := slices.Contains([]string{report.List, report.Search, report.Create, report.Start}, name)
		return p.runs(growth) && known && k.Connections == 1 && slices.Contains(p.growth, int(k.Size)) && k.System != report.Postgres
	case name == report.Upload:
		return p.runs(files) && slices.Contains(p.files, k.Size) && k.System != report.Nginx
	case name == report.Download:
		return p.runs(files) && slices.Contains(p.files, k.Size) && k.System != report.Plain
	case name == report.Start:
		return p.runs(starts) && k.Connections == 1
	}
	return slices.ContainsFunc(vaultScenarios(), func(one scenario) bool {
		return one.of == name && p.runs(one.name) && slices.Contains(one.systems, k.System) &&
			slices.Contains(p.connections, k.Connections) && (!one.hashes || k.Connections <= p.hashing)
	})
}

func TestAWholeRunMeasuresWhatEveryGoalIsMadeOf(t *testing.T) {
	t.Parallel()
	p := full()
	made := 0
	for _, g := range (&report.Results{}).Goals() {
		for _, k := range g.Of {
			made++
			if !p.measures(k) {
				t.Errorf("%q is made of %+v, which is not measured", g.Path, k)
			}
		}
	}
	if made < 30 {
		t.Errorf("all goals are made of %d things", made)
	}
}

func TestOnlyWhatIsMeasuredIsBuiltOrLookedFor(t *testing.T) {
	t.Parallel()
	for chosen, want := range map[string][]string{
		"limits":  nil,
		"captcha": {report.Caesar, report.Plain},
		"log":     {report.Caesar, report.Plain, report.Postgres},
		"search":  {report.Caesar, report.PocketBase, report.Postgres},
		"start":   {report.Caesar, report.PocketBase, report.Postgres},
		"files":   {report.Caesar, report.PocketBase, report.Plain, report.Nginx},
		"growth":  {report.Caesar, report.PocketBase},
	} {
		p := parsed(t, "--scenario", chosen)
		for _, system := range []string{report.Caesar, report.PocketBase, report.Postgres, report.Plain, report.Nginx} {
			if p.needs(system) != slices.Contains(want, system) {
				t.Errorf("%s needs %s: %v", chosen, system, p.needs(system))
			}
		}
	}
}
