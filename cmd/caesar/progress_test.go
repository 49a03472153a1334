package main

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"caesar/internal/phrase"
)

func TestWithoutATerminalALineIsSaidEveryFewSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, phrase.English)
		s := p.stage(phrase.MoveCopying, 10_000, rows)
		for range 10 {
			time.Sleep(2 * time.Second)
			s.add(1000)
		}
		s.done()
		s.leave()
		want := `copying rows: 3000 of 10000, 500 a second, about 14s left
copying rows: 6000 of 10000, 500 a second, about 8s left
copying rows: 9000 of 10000, 500 a second, about 2s left
copying rows: 10000 in 20s
`
		if out.String() != want {
			t.Errorf("it says\n%s", &out)
		}
	})
}

func TestAByteThatIsReadOnBothSidesIsCountedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := newProgress(&out, phrase.Chinese).stage(phrase.MoveBlobs, 3<<20, bytesTwice)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				time.Sleep(6 * time.Second)
				s.add(1 << 20)
			})
		}
		both.Wait()
		time.Sleep(5 * time.Second)
		s.add(2 << 20)
		want := "复制并读回备份文件：512.0 KiB / 3.0 MiB，每秒 85.3 KiB，约剩 30s\n复制并读回备份文件：2.0 MiB / 3.0 MiB，每秒 186.2 KiB，约剩 6s\n"
		if out.String() != want {
			t.Errorf("it says\n%s", &out)
		}
	})
}

func TestOnATerminalABarShowsRateAndTimeLeft(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newProgress(&out, phrase.English)
	p.terminal = true
	s := p.stage(phrase.MoveBlobs, 10<<20, bytesTwice)
	for range 10 {
		s.add(1 << 20)
		time.Sleep(120 * time.Millisecond) // the bar goes by the clock, and is drawn ten times a second at most
	}
	s.leave()
	said := out.String()
	last := said[strings.LastIndex(said, "\r"):]
	for _, part := range []string{"copying backups and reading them back", "50%", "(5.0/10 MiB, ", "MiB/s", "[1s:", "\n"} {
		if !strings.Contains(last, part) {
			t.Errorf("%q is not in %q", part, last)
		}
	}
	out.Reset()
	s = p.stage(phrase.MoveCopying, 100, rows)
	s.add(150) // a source that was written to counts otherwise than before
	s.done()
	s.leave()
	if said := out.String(); !strings.Contains(said, "100%") || !strings.Contains(said, "100/100") || strings.Count(said, "\n") != 1 {
		t.Errorf("at its end it shows %q", said)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if newProgress(f, phrase.English).terminal {
		t.Error("it is taken for one")
	}
}

func TestBytesAreWrittenInTheLargestUnitOfWhichThereIsOne(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 3 << 50: "3072.0 TiB"} {
		if got := inUnits(n); got != want {
			t.Errorf("%d bytes are %s", n, got)
		}
	}
}
