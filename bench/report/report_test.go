package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"caesar/bench/proc"
	"caesar/bench/stat"
)

// add adds a sample of a second.
func add(r *Results, c Case, system string, connections, round, requests int, cpu time.Duration) *Sample {
	s := &Sample{
		Case: c, System: system, Connections: connections, Round: round, Requests: requests, Elapsed: time.Second,
		Server: cpu, Client: cpu / 2, Noise: 0.05, Peak: 50 << 20,
	}
	for range requests {
		s.Latency.Add(time.Second / time.Duration(requests))
	}
	r.Add(s)
	return s
}

func measured() *Results {
	r := &Results{
		Machine: proc.Machine{Processor: "Abacus", Cores: 2, Memory: 8 << 30, System: "Debian", Kernel: "6.1"},
		Command: "go run ./bench", Commit: "0123456789ab", Began: time.Unix(1_800_000_000, 0), Took: 25 * time.Minute,
		Notes:    []string{"nginx is not installed"},
		Versions: []Version{{Caesar, "v1", 17_200_000}, {"Go", "go1.26", 0}},
		Idle:     map[string][]float64{Caesar: {15 << 20, 16 << 20, 16 << 20}, PocketBase: {30 << 20}},
		Limits:   []Limit{{"SHA-256", "MiB/s", stat.Over([]float64{1800})}},
	}
	list := Case{Name: List}
	for round, rates := range [][2]int{{6000, 1000}, {3000, 600}, {8000, 1600}} {
		add(r, list, Caesar, 16, round, rates[0], time.Second)
		add(r, list, PocketBase, 16, round, rates[1], time.Second)
	}
	add(r, Case{Upload, GiB}, Caesar, 1, 0, 1, time.Second).Peak = 28 << 20
	add(r, Case{Upload, GiB}, Caesar, 16, 0, 16, time.Second).Peak = 49 << 20
	add(r, Case{List + OfAll, 100_000}, Caesar, 1, 0, 1000, time.Second)
	add(r, Case{List + OfAll, 1_000_000}, Caesar, 1, 0, 500, time.Second)
	return r
}

func goal(t *testing.T, r *Results, path, against string) Goal {
	t.Helper()
	for _, g := range r.Goals() {
		if strings.HasPrefix(g.Path, path) && strings.HasPrefix(g.Against, against) {
			return g
		}
	}
	t.Fatalf("there is no goal %q against %q", path, against)
	return Goal{}
}

func TestRoundsAreComparedWithTheRoundsNextToThem(t *testing.T) {
	t.Parallel()
	g := goal(t, measured(), "list of 20", PocketBase)
	// 6, 5 and 5: the ratio of the medians would be 6.
	if g.Got != (stat.Figure{Median: 5, Least: 5, Most: 6}) || g.Verdict() != Met {
		t.Errorf("%+v is %v", g, g.Verdict())
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	got := func(v float64) stat.Figure { return stat.Over([]float64{v}) }
	for _, c := range []struct {
		goal Goal
		want Verdict
	}{
		{Goal{Got: got(4), AtLeast: 4, Aim: 6}, Met},
		{Goal{Got: got(3.99), AtLeast: 4, Aim: 6}, Missed},
		{Goal{Got: got(6), AtLeast: 4, Aim: 6}, AimMet},
		{Goal{Got: got(15), AtLeast: 25, Aim: 15, Most: true}, AimMet},
		{Goal{Got: got(25), AtLeast: 25, Aim: 15, Most: true}, Met},
		{Goal{Got: got(26), AtLeast: 25, Aim: 15, Most: true}, Missed},
		{Goal{Got: got(9), Aim: 8, Most: true}, Missed},
		{Goal{Got: stat.Unknown, AtLeast: 1, Most: true}, NotMeasured},
		{Goal{Got: stat.Unknown, AtLeast: 1}, NotMeasured},
	} {
		if v := c.goal.Verdict(); v != c.want {
			t.Errorf("%+v is %v, not %v", c.goal, v, c.want)
		}
	}
}

func TestWhatWasNotMeasuredIsNoGoalMet(t *testing.T) {
	t.Parallel()
	for _, g := range (&Results{}).Goals() {
		if g.Verdict() != NotMeasured {
			t.Errorf("%s against %s is %v with %+v", g.Path, g.Against, g.Verdict(), g.Got)
		}
	}
}

func TestMemoryAndGrowthAreComparedWithCaesarItself(t *testing.T) {
	t.Parallel()
	r := measured()
	if g := goal(t, r, "memory, idle", ""); g.Got.Median != 16 || g.Verdict() != Met {
		t.Errorf("%+v", g)
	}
	if g := goal(t, r, "memory, most under", ""); g.Got.Median != 50 || g.Verdict() != AimMet {
		t.Errorf("%+v", g)
	}
	if g := goal(t, r, "memory, most during", ""); g.Got.Median != 12 || g.Got.Most != 13 || g.Verdict() != Met {
		t.Errorf("%+v", g)
	}
	if g := goal(t, r, "size", ""); math.Abs(g.Got.Median-17.2) > 1e-9 || g.Verdict() != Met {
		t.Errorf("%+v", g)
	}
	if g := goal(t, r, "list at 1M", "itself"); g.Got.Median != 2 || g.Verdict() != Missed {
		t.Errorf("%+v", g)
	}
}

func TestTheGoalsComeFirstAndInTheirOrder(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := measured().WriteMarkdown(&b, []string{"list-latency.svg"}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	at := 0
	for _, want := range []string{
		"`go run ./bench` at 0123456789ab on 15 January 2027, in 25m0s", "- nginx is not installed",
		"| list of 20 with count, random page, c16 | PocketBase | 5.00x (5.00–6.00) | ≥ 4x | ≥ 6x | yes |",
		"| search in 1,000 rows, c1 | PocketBase | – | ≥ 6x | ≥ 8x | not measured |",
		"| memory, idle | a bound; PocketBase: 30.0 MiB | 16.0 MiB (15.0–16.0) | ≤ 25 MiB | ≤ 15 MiB | yes |",
		"| list at 1M items of all users, time | itself at 100k | 2.00x | ≤ 1.3x | ≤ 1.05x | **no** |",
		"![list latency](plots/list-latency.svg)",
		"### List\n",
		"|  | 16 | Caesar | 6,000 (3,000–8,000) |", "| 50 MiB | 5 % | 3 |",
		"### Upload", "| 1 GiB | 1 | Caesar |",
		"### List, of all people", "| 100k | 1 | Caesar | 1,000 | 1.", "| 1M | 1 | Caesar | 500 |",
		"| SHA-256 | 1,800 MiB/s |", "| processor | Abacus, 2 cores |", "| Caesar | v1, a program of 17.2 MB |", "| Go | go1.26 |",
	} {
		next := strings.Index(text[at:], want)
		if next < 0 {
			t.Fatalf("%q is missing, or too early, in\n%s", want, text)
		}
		at += next
	}
	if strings.Contains(text, "NaN") {
		t.Errorf("what is not known is written as a number:\n%s", text)
	}
}

func TestSizesAndTimesAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		sized(Case{Upload, 1 << 10}): "1 KiB", sized(Case{Download, 256 << 20}): "256 MiB", sized(Case{Upload, GiB}): "1 GiB", sized(Case{Upload, 1000}): "1000 B",
		sized(Case{Name: List}): "", sized(Case{List + OfOne, 10_000}): "10k", sized(Case{List + OfOne, 1500}): "1500",
		digits(0.1234): "0.12", digits(12.34): "12.3", digits(123.4): "123", digits(1234): "1,234", digits(1234567): "1,234,567", digits(999.7): "1000",
		lasting(2): "2.00 s", lasting(0.0123): "12.3 ms", lasting(0.000456): "456 µs",
		ranged(stat.Unknown, "x"): "–", ranged(stat.Over([]float64{2}), "x"): "2.00x", ranged(stat.Over([]float64{2, 4}), "x"): "3.00x (2.00–4.00)",
	} {
		if got != want {
			t.Errorf("%q, and not %q", got, want)
		}
	}
}

func TestWhatWasMeasuredIsDrawn(t *testing.T) {
	t.Parallel()
	drawn := measured().Plots()
	var files []string
	for _, d := range drawn {
		files = append(files, d.File)
	}
	if strings.Join(files, " ") != "list-latency.svg list-growth.svg" {
		t.Fatalf("%v", files)
	}
	if load := drawn[0]; len(load.Lines) != 4 || load.Lines[0].Name != Caesar || load.Lines[0].Points[0].X != 16 || load.Lines[0].Points[0].Y <= 0 {
		t.Errorf("%+v", load)
	}
	if grown := drawn[1]; len(grown.Lines) != 1 || len(grown.Lines[0].Points) != 2 || grown.Lines[0].Points[1].Y != 2 || !grown.Lines[0].Dashed {
		t.Errorf("%+v", grown)
	}
}
