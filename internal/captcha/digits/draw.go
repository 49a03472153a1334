// Package digits draws numbers that people read more easily than programs do: skewed, struck through, bent
// and sprinkled with dots.
//
// It is the drawing of digits of github.com/mojocn/base64Captcha v1.3.8 (Copyright 2019 Eric
// neochau@gmail.com, Apache License 2.0, kept in LICENSE beside this file) and nothing else of it: the package
// itself parses its fonts when it is loaded, which adds 6 MB to a binary, 6 MB to the heap and 4 to 16 ms
// to every start. Changed here: the paper is white instead of transparent, so that it also reads on a dark
// page; the bending computes each sine once; shapes are bits; and it draws on one image, not on two.
package digits

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
)

// The measures of an image, in pixels, but for the skew, which is in pixels a line.
const (
	Width  = 240
	Height = 80

	margin  = Height / 4
	specks  = 80
	maxSkew = 0.7
)

// Colours, as indexes into the palette. From speck to the palette's end are the colours of the specks.
const (
	paper = iota
	ink
	speck
)

// Draw returns a PNG of Width by Height that shows a number of one digit or more, and is never the same
// twice. It panics where number holds anything else than the digits 0 to 9.
func Draw(number string) []byte {
	d := drawing{image.NewPaletted(image.Rect(0, 0, Width, Height), colours()), 0}
	d.number(number)
	d.strikeThrough()
	d.bend()
	d.sprinkle()
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &buffers}
	if err := encoder.Encode(&out, d.Paletted); err != nil {
		panic("digits: an image in memory has no PNG form: " + err.Error())
	}
	return out.Bytes()
}

type drawing struct {
	*image.Paletted
	dot int // the width of a dot of a digit
}

// colours returns a dark ink and its lighter shades.
func colours() color.Palette {
	red, green, blue := chance[uint8](129), chance[uint8](129), chance[uint8](129)
	palette := make(color.Palette, speck+specks-1)
	palette[paper] = color.RGBA{0xff, 0xff, 0xff, 0xff}
	palette[ink] = color.RGBA{red, green, blue, 0xff}
	darkest, lightest := min(red, green, blue), max(red, green, blue)
	for i := speck; i < len(palette); i++ {
		more := chance(0xff-lightest) - darkest // wraps around, as unsigned sums may
		palette[i] = color.RGBA{red + more, green + more, blue + more, 0xff}
	}
	return palette
}

// number draws the digits side by side, as large as they fit, somewhere on the paper.
func (d *drawing) number(number string) {
	width := float64(Width-2*margin) / float64(len(number))
	height := width * shapeHeight / (shapeWidth + 1)
	if most := float64(Height - 2*margin); height > most {
		height, width = most, most*(shapeWidth+1)/shapeHeight
	}
	d.dot = max(1, int(height/shapeHeight))
	step := int(width)
	const border = Height / 5
	x := border + chance(max(1, Width-2*border-step*len(number)-d.dot))
	y := border + chance(max(1, Height-2*border-int(height)-2*d.dot))
	for _, digit := range []byte(number) {
		d.digit(shapes[digit-'0'], x, y)
		x += step
	}
}

func (d *drawing) digit(shape [shapeHeight]uint16, x, y int) {
	skew := between(-maxSkew, maxSkew)
	left := float64(x)
	y += chance(d.dot/2*2+1) - d.dot/2
	for line, bits := range shape {
		for column := range shapeWidth {
			if bits>>(shapeWidth-1-column)&1 == 1 {
				d.circle(int(left)+column*d.dot, y+line*d.dot, d.dot/2, ink)
			}
		}
		left += skew
	}
}

// strikeThrough draws a wave across the digits.
func (d *drawing) strikeThrough() {
	y := Height/3 + chance(Height/3)
	amplitude, wave := between(5, 20), 2*math.Pi/between(80, 180)
	shift := int(amplitude * math.Cos(float64(y)*wave))
	for x := range Width {
		middle := y + int(amplitude*math.Sin(float64(x)*wave))
		for line := range d.dot {
			d.circle(x+shift, middle+line*d.dot, chance(d.dot)/2, ink)
		}
	}
}

// bend moves every pixel along two waves.
func (d *drawing) bend() {
	amplitude, wave := between(5, 10), 2*math.Pi/between(100, 200)
	var down [Width]int
	for x := range down {
		down[x] = int(amplitude * math.Cos(float64(x)*wave))
	}
	flat := bytes.Clone(d.Pix)
	for y := range Height {
		right := int(amplitude * math.Sin(float64(y)*wave))
		for x := range Width {
			from := image.Pt(x+right, y+down[x])
			colour := uint8(paper)
			if from.In(d.Rect) {
				colour = flat[d.PixOffset(from.X, from.Y)]
			}
			d.Pix[d.PixOffset(x, y)] = colour
		}
	}
}

// sprinkle throws specks over it all.
func (d *drawing) sprinkle() {
	for range specks {
		radius := 1 + chance(d.dot)
		x := radius + chance(Width-2*radius)
		y := radius + chance(Height-2*radius)
		d.circle(x, y, radius, uint8(ink+chance(specks-1)))
	}
}

// circle fills a circle, by the midpoint algorithm.
func (d *drawing) circle(x, y, radius int, colour uint8) {
	f, dfx, dfy := 1-radius, 1, -2*radius
	across, along := 0, radius
	d.SetColorIndex(x, y+radius, colour)
	d.SetColorIndex(x, y-radius, colour)
	d.line(x-radius, x+radius, y, colour)
	for across < along {
		if f >= 0 {
			along--
			dfy += 2
			f += dfy
		}
		across++
		dfx += 2
		f += dfx
		d.line(x-across, x+across, y+along, colour)
		d.line(x-across, x+across, y-along, colour)
		d.line(x-along, x+along, y+across, colour)
		d.line(x-along, x+along, y-across, colour)
	}
}

func (d *drawing) line(from, to, y int, colour uint8) {
	for x := from; x <= to; x++ {
		d.SetColorIndex(x, y, colour)
	}
}

// chance returns a number from 0 to below n. What it decides is noise, which nobody gains by foreseeing.
func chance[T int | uint8](n T) T {
	return rand.N(n) //nolint:gosec // see above
}

func between(low, high float64) float64 {
	return low + rand.Float64()*(high-low) //nolint:gosec // as with chance
}
