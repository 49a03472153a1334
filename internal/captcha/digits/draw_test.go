package digits_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"caesar/internal/captcha/digits"
)

func decode(t *testing.T, drawn []byte) *image.Paletted {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(drawn))
	if err != nil {
		t.Fatalf("decode drawing: %v", err)
	}
	paletted, ok := img.(*image.Paletted)
	if !ok {
		t.Fatalf("drawing is a %T", img)
	}
	return paletted
}

func TestDrawingIsAnOpaquePNGOfTheStatedSize(t *testing.T) {
	t.Parallel()
	for range 50 {
		img := decode(t, digits.Draw("01234"))
		if size := img.Bounds().Size(); size != image.Pt(digits.Width, digits.Height) {
			t.Fatalf("size is %v", size)
		}
		for _, colour := range img.Palette {
			if _, _, _, alpha := colour.RGBA(); alpha != 0xffff {
				t.Fatal("a colour lets the page shine through, which may be dark")
			}
		}
	}
}

func TestEveryDigitOfAnyNumberCanBeDrawn(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"0", "56789", "99999", "1234567890"} {
		for range 20 {
			decode(t, digits.Draw(number))
		}
	}
}

// The digits must stand out: the share of pixels in the ink's colour is that of the strokes. An empty
// drawing has only the wave.
func TestDigitsAreThere(t *testing.T) {
	t.Parallel()
	inked := func(number string) (sum int) {
		for range 30 {
			img := decode(t, digits.Draw(number))
			for _, index := range img.Pix {
				if index == 1 {
					sum++
				}
			}
		}
		return sum / 30
	}
	one, eight := inked("11111"), inked("88888")
	if one < 500 || eight < one*5/4 {
		t.Fatalf("five ones have %d pixels of ink, five eights %d", one, eight)
	}
}

func TestInkIsDarkOnWhitePaper(t *testing.T) {
	t.Parallel()
	for range 50 {
		palette := decode(t, digits.Draw("12345")).Palette
		if got := palette[0]; got != (color.RGBA{0xff, 0xff, 0xff, 0xff}) {
			t.Fatalf("paper is %v, want white", got)
		}
		if red, green, blue, _ := palette[1].RGBA(); max(red, green, blue) > 0x8080 {
			t.Fatalf("ink is %v, too light to read", palette[1])
		}
	}
}

func TestNoTwoDrawingsAreAlike(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		drawn := string(digits.Draw("12345"))
		if seen[drawn] {
			t.Fatal("the same drawing twice")
		}
		seen[drawn] = true
	}
}

func TestWhatIsNoDigitPanics(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"12a45", "１２３", strings.Repeat(" ", 5)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was drawn", number)
				}
			}()
			digits.Draw(number)
		}()
	}
}

func BenchmarkDraw(b *testing.B) {
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = len(digits.Draw("12345"))
	}
	b.ReportMetric(float64(size), "bytes/image")
}
