package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"caesar/bench/stat"
)

// WriteMarkdown writes the results for people: the ratios first, then all that they come from. The plots are
// linked as they are called.
func (r *Results) WriteMarkdown(w io.Writer, plots []string) error {
	var b strings.Builder
	r.writeHead(&b)
	r.writeGoals(&b)
	r.writePlots(&b, plots)
	r.writeCases(&b)
	r.writeIdle(&b)
	r.writeLimits(&b)
	r.writeMachine(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Results) writeHead(b *strings.Builder) {
	fmt.Fprintf(b, "# Measured\n\n`%s` at %s on %s, in %v: Caesar next to what people would pick instead, and to the limits of the machine.\n"+
		"Every system ran on this machine (%d cores), over the loopback interface, with the client beside it; they were measured by turns, round after round, "+
		"and each ratio is the median of those of its rounds, with the least and the most behind it. How it is done is in [README.md](README.md).\n\n",
		r.Command, r.Commit, r.Began.UTC().Format("2 January 2006"), r.Took.Round(time.Second), r.Machine.Cores)
	for _, note := range r.Notes {
		fmt.Fprintf(b, "- %s\n", note)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
}

var verdicts = map[Verdict]string{NotMeasured: "not measured", Missed: "**no**", Met: "yes", AimMet: "yes, and the aim"}

func (r *Results) writeGoals(b *strings.Builder) {
	b.WriteString("## Ratios, against the goals\n\n| path | against | measured | goal | aim | met |\n|---|---|---|---|---|---|\n")
	for _, g := range r.Goals() {
		relation := "≥ "
		if g.Most {
			relation = "≤ "
		}
		bound := func(v float64) string {
			if v == 0 {
				return ""
			}
			return fmt.Sprintf("%s%g%s", relation, v, g.Unit)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", g.Path, g.Against, ranged(g.Got, g.Unit), bound(g.AtLeast), bound(g.Aim), verdicts[g.Verdict()])
	}
	b.WriteByte('\n')
}

func (r *Results) writePlots(b *strings.Builder, plots []string) {
	if len(plots) == 0 {
		return
	}
	b.WriteString("## Plots\n\n")
	for _, name := range plots {
		fmt.Fprintf(b, "![%s](plots/%s)\n", strings.TrimSuffix(strings.ReplaceAll(name, "-", " "), ".svg"), name)
	}
	b.WriteByte('\n')
}

// writeCases writes a table for every case. All latencies of all rounds are one distribution.
func (r *Results) writeCases(b *strings.Builder) {
	b.WriteString("## In detail\n\nRequests a second: the median of the rounds, with the least and the most. p50 and p99: of all rounds together. CPU: what a request cost the system's own " +
		"processes, and, behind it, the client that asked. Noise: the part of the processors' time that neither used. Memory: the most that the process held while it was measured.\n")
	var names []string
	for _, c := range r.cases() {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	for _, name := range names {
		fmt.Fprintf(b, "\n### %s%s\n\n", strings.ToUpper(name[:1]), name[1:])
		b.WriteString("| size | connections | system | a second | p50 | p99 | CPU | client | memory | noise | rounds |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
		for _, c := range r.cases() {
			for _, k := range r.keys(c) {
				if c.Name == name {
					r.writeRow(b, k)
				}
			}
		}
	}
	b.WriteByte('\n')
}

func (r *Results) writeRow(b *strings.Builder, k Key) {
	latency := r.Latency(k)
	server := r.Over(k, (*Sample).CPU)
	client := r.Over(k, func(s *Sample) float64 { return s.Client.Seconds() / float64(max(1, s.Requests)) })
	noise := r.Over(k, func(s *Sample) float64 { return s.Noise })
	memory := scaled(r.Over(k, func(s *Sample) float64 { return float64(s.Peak) }), 1.0/(1<<20))
	held := ""
	if memory.Median > 0 {
		held = fmt.Sprintf("%.0f MiB", memory.Median)
	}
	fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %.0f %% | %d |\n", sized(k.Case), k.Connections, k.System,
		ranged(r.Over(k, (*Sample).Rate), ""), lasting(latency.Quantile(0.5).Seconds()), lasting(latency.Quantile(0.99).Seconds()),
		lasting(server.Median), lasting(client.Median), held, 100*noise.Median, len(r.of(k)))
}

func (r *Results) writeIdle(b *strings.Builder) {
	if len(r.Idle) == 0 {
		return
	}
	b.WriteString("### Idle\n\n| system | memory |\n|---|---|\n")
	for _, system := range []string{Caesar, Postgres, PocketBase} {
		if values := r.Idle[system]; len(values) > 0 {
			fmt.Fprintf(b, "| %s | %s |\n", system, ranged(scaled(stat.Over(values), 1.0/(1<<20)), mib))
		}
	}
	b.WriteByte('\n')
}

func (r *Results) writeLimits(b *strings.Builder) {
	if len(r.Limits) == 0 {
		return
	}
	b.WriteString("### Limits of the machine\n\nOne thing alone, on one core.\n\n| what | measured |\n|---|---|\n")
	for _, l := range r.Limits {
		fmt.Fprintf(b, "| %s | %s |\n", l.Name, ranged(l.Value, " "+l.Unit))
	}
	b.WriteByte('\n')
}

func (r *Results) writeMachine(b *strings.Builder) {
	b.WriteString("## What was measured on\n\n| | |\n|---|---|\n")
	row := func(name, value string) { fmt.Fprintf(b, "| %s | %s |\n", name, value) }
	row("command", "`"+r.Command+"`")
	row("commit", r.Commit)
	row("processor", fmt.Sprintf("%s, %d cores", r.Machine.Processor, r.Machine.Cores))
	row("memory", fmt.Sprintf("%.0f GiB", float64(r.Machine.Memory)/(1<<30)))
	row("system", r.Machine.System+", Linux "+r.Machine.Kernel)
	for _, v := range r.Versions {
		text := v.Version
		if v.Size > 0 {
			text += fmt.Sprintf(", a program of %.1f MB", float64(v.Size)/1e6)
		}
		row(v.Name, text)
	}
}

// sized writes the size of a case.
func sized(c Case) string {
	units := []string{"", "k", "M"}
	step := int64(1000)
	if c.Name == Upload || c.Name == Download {
		units, step = []string{" B", " KiB", " MiB", " GiB"}, 1024
	}
	if c.Size == 0 {
		return ""
	}
	size, unit := c.Size, 0
	for size%step == 0 && unit < len(units)-1 {
		size /= step
		unit++
	}
	return fmt.Sprintf("%d%s", size, units[unit])
}

// ranged writes a figure with its ends, where there are several rounds.
func ranged(f stat.Figure, unit string) string {
	if !f.Known() {
		return "–"
	}
	text := digits(f.Median) + unit
	if f.Least != f.Most {
		text += fmt.Sprintf(" (%s–%s)", digits(f.Least), digits(f.Most))
	}
	return text
}

// digits writes a number with three digits that count.
func digits(v float64) string {
	switch {
	case v >= 1000:
		whole := fmt.Sprintf("%.0f", v)
		for at := len(whole) - 3; at > 0; at -= 3 {
			whole = whole[:at] + "," + whole[at:]
		}
		return whole
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// lasting writes seconds with three digits that count.
func lasting(seconds float64) string {
	switch {
	case seconds >= 1:
		return digits(seconds) + " s"
	case seconds >= 1e-3:
		return digits(seconds*1e3) + " ms"
	default:
		return digits(seconds*1e6) + " µs"
	}
}
