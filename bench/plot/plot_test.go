package plot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"caesar/bench/plot"
)

// drawn reads an SVG and returns its elements, each with its attributes.
func drawn(t *testing.T, svg []byte) map[string][]map[string]string {
	t.Helper()
	elements := map[string][]map[string]string{}
	for decoder := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if start, ok := token.(xml.StartElement); ok {
			attributes := map[string]string{}
			for _, a := range start.Attr {
				attributes[a.Name.Local] = a.Value
			}
			elements[start.Name.Local] = append(elements[start.Name.Local], attributes)
		}
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		t.Fatalf("%q is no number", text)
	}
	return v
}

func TestALineGoesThroughItsPointsOnLogarithmicAxes(t *testing.T) {
	t.Parallel()
	svg := plot.Plot{
		Title: "list: latency <against> load", X: "connections", Y: "ms", Ticks: []float64{1, 16, 64},
		Lines: []plot.Line{
			{Name: "Caesar & co", Points: []plot.Point{{1, 1}, {8, 10}, {64, 100}}},
			{Name: "others", Color: 9, Dashed: true, Points: []plot.Point{{1, 2}}},
		},
	}.SVG()
	elements := drawn(t, svg)
	if len(elements["polyline"]) != 2 || len(elements["circle"]) != 4 {
		t.Fatalf("%d lines with %d points", len(elements["polyline"]), len(elements["circle"]))
	}
	var x, y []float64
	for _, circle := range elements["circle"] {
		x, y = append(x, number(t, circle["cx"])), append(y, number(t, circle["cy"]))
	}
	// 8 is in the middle between 1 and 64, as 10 is between 1 and 100; upwards is more.
	if math.Abs(x[0]+x[2]-2*x[1]) > 0.5 || math.Abs(y[0]+y[2]-2*y[1]) > 0.5 || y[2] >= y[0] || x[2] <= x[0] {
		t.Errorf("the points are at %v, %v", x, y)
	}
	for _, text := range []string{"list: latency &lt;against&gt; load", "Caesar &amp; co", ">16<", ">100<", "stroke-dasharray"} {
		if !strings.Contains(string(svg), text) {
			t.Errorf("%q is missing", text)
		}
	}
}

func TestWhatCannotStandOnALogarithmicAxisIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, points := range map[string][]plot.Point{
		"nothing":   nil,
		"zero":      {{0, 1}, {1, 0}, {-1, 5}, {5, math.Inf(1)}, {2, math.NaN()}},
		"one point": {{5, 5}},
		"a decade":  {{1, 10}, {2, 10}},
	} {
		elements := drawn(t, plot.Plot{Title: name, Ticks: []float64{1, 5}, Lines: []plot.Line{{Name: name, Points: points}}}.SVG())
		for kind, all := range elements {
			for _, attributes := range all {
				for key, value := range attributes {
					if strings.HasPrefix(key, "x") || strings.HasPrefix(key, "y") || strings.HasPrefix(key, "c") {
						if key != "xmlns" {
							number(t, value)
						}
					}
				}
			}
			if want := map[string]int{"one point": 1, "a decade": 2}[name]; kind == "circle" && len(all) != want {
				t.Errorf("%s: %d points", name, len(all))
			}
		}
	}
}

func TestTheSameLinesMakeTheSameBytes(t *testing.T) {
	t.Parallel()
	p := plot.Plot{Title: "x", Ticks: []float64{1e3, 1e6}, Lines: []plot.Line{{Name: "a", Points: []plot.Point{{1e3, 0.2}, {1e6, 90}}}}}
	if !bytes.Equal(p.SVG(), p.SVG()) || !strings.Contains(string(p.SVG()), ">1M<") || !strings.Contains(string(p.SVG()), ">0.1<") {
		t.Errorf("%s", p.SVG())
	}
}
