package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"caesar/internal/backup"
	"caesar/internal/session"
)

// afar is blobs of another machine, of which it notes what is asked for.
type afar struct {
	backup.Blobs

	mu      sync.Mutex
	asked   []string // first and last byte
	open    int      // stretches
	breakAt int64    // where all stretches end with errBroken; 0: nowhere
	alter   int64    // a byte that is not as it was; 0: none
}

var errBroken = errors.New("the connection broke")

func (a *afar) Open(ctx context.Context, name string) (backup.Blob, error) {
	b, err := a.Blobs.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return &afarBlob{b, a}, nil
}

// stretches returns what was asked for since the last call, without what is asked for to open a version.
func (a *afar) stretches() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = nil
	return asked
}

type afarBlob struct {
	backup.Blob
	of *afar
}

func (b *afarBlob) Stretch(off, end int64) (io.ReadCloser, error) {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	b.of.asked = append(b.of.asked, fmt.Sprintf("%d-%d", off, end-1))
	b.of.open++
	return &afarStretch{SectionReader: io.NewSectionReader(b.Blob, off, end-off), of: b.of, at: off}, nil
}

type afarStretch struct {
	*io.SectionReader
	of   *afar
	at   int64
	busy sync.Mutex
}

func (s *afarStretch) Read(p []byte) (int, error) {
	if !s.busy.TryLock() {
		return 0, errors.New("two read one stretch at once")
	}
	defer s.busy.Unlock()
	n, err := s.SectionReader.Read(p[:min(len(p), 10_000)])
	if s.of.breakAt > 0 && s.at+int64(n) > s.of.breakAt {
		n, err = int(max(0, s.of.breakAt-s.at)), errBroken
	}
	if i := s.of.alter - s.at; s.of.alter > 0 && i >= 0 && i < int64(n) {
		p[i] ^= 1
	}
	s.at += int64(n)
	return n, err
}

func (s *afarStretch) Close() error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.of.open--
	return nil
}

// outland is a lab whose blobs are elsewhere, and the one version that somebody has there.
type outland struct {
	*lab

	afar *afar
	who  session.Asker
	v    backup.Version
}

func newOutland(t testing.TB, size int) *outland {
	t.Helper()
	l := newLab(t)
	o := &outland{lab: l, afar: &afar{Blobs: l.blobs}, who: l.person("ada")}
	l.Service = l.service(func(c *backup.Config) { c.Blobs = o.afar })
	o.v = l.upload(o.who, "x", noise(size))
	return o
}

// read has somebody read from the version, and looks whether all was let go of.
func (o *outland) read(read func(c *backup.Content) error) error {
	o.Helper()
	c, err := o.Open(o.Context(), o.who, 0)
	if err != nil {
		return err
	}
	o.afar.stretches()
	err = read(c)
	o.must(c.Close())
	if o.afar.open != 0 {
		o.Errorf("%d stretches are still open", o.afar.open)
	}
	return err
}

func TestWhatIsElsewhereIsFetchedInFewStretches(t *testing.T) {
	t.Parallel()
	const size, chunk, sealed = 3<<20 + 4711, 64 << 10, 64<<10 + 16
	const whole = size + (size+chunk-1)/chunk*16
	o, want := newOutland(t, size), noise(size)
	at := func(first, end int64) string {
		return fmt.Sprintf("%d-%d", o.v.HeaderSize+first, o.v.HeaderSize+end-1)
	}
	for _, c := range []struct {
		from, n int
		copied  bool
		asked   []string
	}{
		{0, size, true, []string{at(0, whole)}},
		{0, size, false, []string{at(0, sealed), at(sealed, whole)}}, // how far it will be read is not known at first
		{10*chunk + 100, 1024, true, []string{at(10*sealed, 11*sealed)}},
		{11*chunk - 100, 1024, true, []string{at(10*sealed, 12*sealed)}},
		{5 * chunk, 20 * chunk, true, []string{at(5*sealed, 25*sealed)}},
		{size - 100, 100, true, []string{at(48*sealed, whole)}},
	} {
		var got bytes.Buffer
		var asked []string
		err := o.read(func(content *backup.Content) error {
			if _, err := content.Seek(int64(c.from), io.SeekStart); err != nil {
				return err
			}
			var err error
			if c.copied {
				_, err = content.CopyTo(&got, int64(c.n))
			} else {
				_, err = io.Copy(writerOnly{&got}, content)
			}
			asked = o.afar.stretches()
			return err
		})
		if err != nil || !bytes.Equal(got.Bytes(), want[c.from:c.from+c.n]) {
			t.Errorf("%d bytes from %d: %d bytes, not those that were sent, and %v", c.n, c.from, got.Len(), err)
		}
		if !slices.Equal(asked, c.asked) {
			t.Errorf("%d bytes from %d: what was asked for is %v, want %v", c.n, c.from, asked, c.asked)
		}
	}
}

func TestReadingOnAfterOneWhoWantedLessGoesPastTheEndOfTheStretch(t *testing.T) {
	t.Parallel()
	const size, chunk = 4 << 20, 64 << 10
	o, want := newOutland(t, size), noise(size)
	for wanted := 2 * chunk; wanted <= 24*chunk; wanted += chunk {
		var got bytes.Buffer
		err := o.read(func(c *backup.Content) error {
			// All of it is asked for, and fetched as far as there is room; then the reader hangs up.
			if _, err := c.CopyTo(&hangsUp{&got}, int64(wanted)); !errors.Is(err, errBroken) {
				return fmt.Errorf("one who hangs up got %w", err)
			}
			_, err := c.CopyTo(&got, size-int64(got.Len()))
			return err
		})
		if err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("after %d chunks: %d bytes, and %v", wanted/chunk, got.Len(), err)
		}
	}
}

// hangsUp takes what it is given once, and no more.
type hangsUp struct{ to *bytes.Buffer }

func (h *hangsUp) Write(p []byte) (int, error) {
	n, _ := h.to.Write(p)
	return n, errBroken
}

func TestAStretchThatBreaksIsAnErrorAndNeverAShortAnswer(t *testing.T) {
	t.Parallel()
	const size = 2 << 20
	o, want := newOutland(t, size), noise(size)
	for _, o.afar.breakAt = range []int64{1, 70_000, 1 << 20, size} {
		var got bytes.Buffer
		err := o.read(func(c *backup.Content) error {
			_, err := c.CopyTo(&got, size)
			return err
		})
		if n := got.Len(); !errors.Is(err, errBroken) || int64(n) > o.afar.breakAt || !bytes.Equal(got.Bytes(), want[:n]) {
			t.Errorf("broken at %d: %d bytes, and %v", o.afar.breakAt, n, err)
		}
	}
	o.afar.breakAt = 0
	if got := o.download(o.who, 0); !bytes.Equal(got, want) { // all gave back the room that they had taken
		t.Errorf("%d bytes, others than were sent", len(got))
	}
}

func TestWhatWasAlteredElsewhereIsNoAnswer(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	o, want := newOutland(t, size), noise(size)
	for _, at := range []int64{0, 16, 300_000, size} {
		o.afar.alter = o.v.HeaderSize + at
		var got bytes.Buffer
		err := o.read(func(c *backup.Content) error {
			_, err := c.CopyTo(&got, size)
			return err
		})
		if n := got.Len(); err == nil || int64(n) > at || !bytes.Equal(got.Bytes(), want[:n]) {
			t.Errorf("altered at %d: %d bytes, and %v", at, n, err)
		}
	}
}
