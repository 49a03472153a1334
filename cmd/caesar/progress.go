package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"caesar/internal/phrase"
)

// lineEvery is how often a long work says how far it is where nobody looks at a terminal.
const lineEvery = 5 * time.Second

// progress shows how far a long work is: on a terminal as a bar, with rate and time left, and otherwise as
// a line every few seconds.
type progress struct {
	out      io.Writer
	language phrase.Language
	terminal bool
	now      func() time.Time
}

func newProgress(out io.Writer, language phrase.Language) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, language: language, terminal: ok && term.IsTerminal(int(f.Fd())), now: time.Now}
}

// say says a line between stages.
func (p *progress) say(words phrase.Phrase) {
	_, _ = fmt.Fprintln(p.out, words.In(p.language)) // nobody is there to be told
}

// unit is what a stage is counted in.
type unit struct {
	text func(int64) string
	// times is how often each is counted: a byte that is read on both sides is one byte.
	times int64
	bytes bool
}

var (
	rows       = unit{text: func(n int64) string { return strconv.FormatInt(n, 10) }, times: 1}
	bytesTwice = unit{text: inUnits, times: 2, bytes: true}
)

// stage is one part of a work. Its methods may be called by many at once.
type stage struct {
	*progress
	what  phrase.Phrase
	total int64
	unit  unit

	mu        sync.Mutex
	bar       *progressbar.ProgressBar // nil where there is no terminal
	counted   int64
	from      time.Time
	said      time.Time
	lastShown int64
	ended     bool
}

// stage begins a part of so many units.
func (p *progress) stage(what phrase.Phrase, total int64, of unit) *stage {
	s := &stage{progress: p, what: what, total: total, unit: of, from: p.now(), said: p.now()}
	if p.terminal && total > 0 {
		s.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(what.In(p.language)),
			progressbar.OptionSetWidth(30), progressbar.OptionUseANSICodes(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowBytes(of.bytes), progressbar.OptionUseIECUnits(true), progressbar.OptionShowTotalBytes(true), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionSetRenderBlankState(true), rate(of))
	}
	return s
}

// rate shows how many rows are done in a second; bytes are shown so anyway.
func rate(of unit) progressbar.Option {
	if of.bytes {
		return progressbar.OptionSetItsString("")
	}
	return func(bar *progressbar.ProgressBar) {
		progressbar.OptionShowIts()(bar)
		progressbar.OptionSetItsString("")(bar)
	}
}

// add counts what was done.
func (s *stage) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted += int64(n)
	done := min(s.counted/s.unit.times, s.total) // a source that was written to counts otherwise than before
	if s.bar != nil {
		_ = s.bar.Add64(done - s.lastShown) // a terminal that went away stops nothing
	}
	s.lastShown = done
	if now := s.now(); s.bar == nil && now.Sub(s.said) >= lineEvery && done > 0 {
		s.said = now
		passed := now.Sub(s.from)
		left := time.Duration(float64(passed) / float64(done) * float64(s.total-done))
		each := int64(float64(done) / passed.Seconds())
		s.say(phrase.MoveProgress.With(s.what.In(s.language), s.unit.text(done), s.unit.text(s.total), s.unit.text(each), left.Round(time.Second)))
	}
}

// done ends the part.
func (s *stage) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.bar != nil {
		_ = s.bar.Finish()
		_, _ = fmt.Fprintln(s.out)
		return
	}
	s.say(phrase.MoveDone.With(s.what.In(s.language), s.unit.text(s.lastShown), s.now().Sub(s.from).Round(100*time.Millisecond)))
}

// leave leaves a part that may not have come to its end: what is said next begins on a line of its own.
func (s *stage) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil && !s.ended {
		_ = s.bar.Exit()
		_, _ = fmt.Fprintln(s.out)
	}
	s.ended = true
}

// inUnits writes a number of bytes in the largest unit of which there is one.
func inUnits(n int64) string {
	value, name := float64(n), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, name = value/1024, larger
	}
	if name == "B" {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + name
}
