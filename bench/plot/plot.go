// Package plot draws lines over two logarithmic axes as SVG, which every browser shows and every version
// control compares.
//
// What always holds: the same lines make the same bytes; what can't stand on a logarithmic axis is left out.
package plot

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Line is one line of a plot.
type Line struct {
	Name   string
	Color  int  // lines of one colour belong together
	Dashed bool // tells one of them from another
	Points []Point
}

// Point is where a line goes through. Both are positive.
type Point struct{ X, Y float64 }

// Plot is a plot.
type Plot struct {
	Title, X, Y string
	Ticks       []float64 // of the x axis
	Lines       []Line
}

// The measures of a plot, in pixels: the whole, and the margins around what is drawn in.
const (
	width, height            = 720, 420
	left, right, top, bottom = 70, 190, 40, 50
)

// palette holds colours that also those tell apart who see few (Okabe and Ito).
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#555555", "#e69f00"}

// axis maps values to pixels, logarithmically.
type axis struct {
	least, most float64 // values
	from, to    float64 // pixels
}

func (a axis) at(v float64) float64 {
	return a.from + (a.to-a.from)*math.Log(v/a.least)/math.Log(a.most/a.least)
}

// SVG returns the plot.
func (p Plot) SVG() []byte {
	x, y := p.axes()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="%d" y="22" font-size="15">%s</text>`+"\n", left, html.EscapeString(p.Title))
	p.drawGrid(&b, x, y)
	for i, line := range p.Lines {
		drawLine(&b, line, x, y)
		drawKey(&b, line, i)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// axes spans what the lines go through; the y axis in whole decades.
func (p Plot) axes() (x, y axis) {
	x = axis{math.Inf(1), 0, left, width - right}
	y = axis{math.Inf(1), 0, height - bottom, top}
	for _, line := range p.Lines {
		for _, point := range line.seen() {
			x.least, x.most = min(x.least, point.X), max(x.most, point.X)
			y.least, y.most = min(y.least, point.Y), max(y.most, point.Y)
		}
	}
	if x.most == 0 {
		x.least, x.most, y.least, y.most = 1, 10, 1, 10
	}
	if x.least == x.most {
		x.least, x.most = x.least/2, x.most*2
	}
	y.least = math.Pow(10, math.Floor(math.Log10(y.least)))
	y.most = math.Pow(10, math.Ceil(math.Log10(y.most)))
	if y.least == y.most {
		y.most *= 10
	}
	return x, y
}

// seen returns the points that can be drawn.
func (l Line) seen() []Point {
	var seen []Point
	for _, point := range l.Points {
		if point.X > 0 && point.Y > 0 && !math.IsInf(point.X+point.Y, 0) {
			seen = append(seen, point)
		}
	}
	return seen
}

func (p Plot) drawGrid(b *strings.Builder, x, y axis) {
	for decade := y.least; decade <= y.most*1.001; decade *= 10 {
		at := y.at(decade)
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", x.from, at, x.to, at)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`+"\n", x.from-6, at+4, number(decade))
	}
	for _, tick := range p.Ticks {
		if tick < x.least || tick > x.most {
			continue
		}
		at := x.at(tick)
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", at, y.from, at, y.to)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", at, y.from+18, number(tick))
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", (x.from+x.to)/2, height-10, html.EscapeString(p.X))
	middle := (y.from + y.to) / 2
	fmt.Fprintf(b, `<text x="16" y="%.1f" text-anchor="middle" transform="rotate(-90 16 %.1f)">%s</text>`+"\n", middle, middle, html.EscapeString(p.Y))
}

func (l Line) style() string {
	style := fmt.Sprintf(`stroke="%s" stroke-width="2"`, palette[l.Color%len(palette)])
	if l.Dashed {
		style += ` stroke-dasharray="5 4"`
	}
	return style
}

func drawLine(b *strings.Builder, l Line, x, y axis) {
	var points []string
	for _, point := range l.seen() {
		points = append(points, fmt.Sprintf("%.1f,%.1f", x.at(point.X), y.at(point.Y)))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" %s/>`+"\n", strings.Join(points, " "), l.style())
	for _, point := range l.seen() {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x.at(point.X), y.at(point.Y), palette[l.Color%len(palette)])
	}
}

// drawKey says which line is which, beside the plot.
func drawKey(b *strings.Builder, l Line, place int) {
	at := top + 14 + 20*place
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" %s/>`+"\n", width-right+12, at, width-right+38, at, l.style())
	fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`+"\n", width-right+44, at+4, html.EscapeString(l.Name))
}

// number writes a value of an axis: 0.1, 100, 10k, 1M.
func number(v float64) string {
	switch {
	case v >= 999_999:
		return fmt.Sprintf("%gM", math.Round(v/1e6))
	case v >= 9_999:
		return fmt.Sprintf("%gk", math.Round(v/1e3))
	default:
		return fmt.Sprintf("%.3g", v)
	}
}
