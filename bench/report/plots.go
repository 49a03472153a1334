package report

import (
	"slices"

	"caesar/bench/plot"
)

// Drawn is a plot with the name of its file.
type Drawn struct {
	plot.Plot
	File string
}

// Plots draws latency against load for each kind of request, and cost against size. What was not measured is
// not drawn.
func (r *Results) Plots() []Drawn {
	var drawn []Drawn
	for _, name := range []string{List, Search, View, Create, Mixed, Login} {
		p := plot.Plot{Title: name + ": latency against load", X: "connections", Y: "ms (— p50, - - p99)"}
		r.drawLoad(&p, name)
		drawn = append(drawn, Drawn{p, name + "-latency.svg"})
	}
	for _, name := range []string{List, Search, Create, Start} {
		p := plot.Plot{Title: name + ": cost against size", X: "items", Y: "ms of one request (— of one person, - - of all people)"}
		r.drawGrowth(&p, name)
		drawn = append(drawn, Drawn{p, name + "-growth.svg"})
	}
	return slices.DeleteFunc(drawn, func(d Drawn) bool { return len(d.Lines) == 0 })
}

// colors are those of the systems, the same in all plots.
var colors = []string{Caesar, PocketBase, Postgres, Plain, Nginx}

// drawLoad draws p50 and p99 of every system over the numbers of connections.
func (r *Results) drawLoad(p *plot.Plot, name string) {
	for _, system := range colors {
		median := plot.Line{Name: system, Color: slices.Index(colors, system)}
		rare := plot.Line{Name: system + ", p99", Color: median.Color, Dashed: true}
		for _, k := range r.keys(Case{Name: name}) {
			if k.System != system {
				continue
			}
			x, latency := float64(k.Connections), r.Latency(k)
			median.Points = append(median.Points, plot.Point{X: x, Y: latency.Quantile(0.5).Seconds() * 1000})
			rare.Points = append(rare.Points, plot.Point{X: x, Y: latency.Quantile(0.99).Seconds() * 1000})
			if !slices.Contains(p.Ticks, x) {
				p.Ticks = append(p.Ticks, x)
			}
		}
		if len(median.Points) > 0 {
			p.Lines = append(p.Lines, median, rare)
		}
	}
}

// drawGrowth draws what a request takes over the number of items.
func (r *Results) drawGrowth(p *plot.Plot, name string) {
	for _, system := range colors {
		for _, way := range []string{OfOne, OfAll} {
			line := plot.Line{Name: system + way, Color: slices.Index(colors, system), Dashed: way == OfAll}
			for _, c := range r.cases() {
				if k := (Key{c, system, 1}); c.Name == name+way && len(r.of(k)) > 0 {
					rate := r.Over(k, (*Sample).Rate)
					line.Points = append(line.Points, plot.Point{X: float64(c.Size), Y: 1000 / rate.Median})
					if !slices.Contains(p.Ticks, float64(c.Size)) {
						p.Ticks = append(p.Ticks, float64(c.Size))
					}
				}
			}
			if len(line.Points) > 0 {
				p.Lines = append(p.Lines, line)
			}
		}
	}
}
