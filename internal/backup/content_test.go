package backup_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"caesar/internal/backup"
	"caesar/internal/session"
)

func (l *lab) open(s *backup.Service, name string, size int) *backup.Content {
	l.Helper()
	who := l.person(name)
	if _, err := s.Upload(l.Context(), who, name, bytes.NewReader(noise(size))); err != nil {
		l.Fatal(err)
	}
	c, err := s.Open(l.Context(), who, 0)
	l.must(err)
	return c
}

// TestAContentReadsAsBytesDo has a content and a bytes.Reader do the same at random: both must answer
// the same, whatever was decrypted ahead, and wherever its blob is.
func TestAContentReadsAsBytesDo(t *testing.T) {
	t.Parallel()
	for name, far := range map[string]bool{"at hand": false, "elsewhere": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			if far {
				l.Service = l.service(func(c *backup.Config) { c.Blobs = &afar{Blobs: l.blobs} })
			}
			readAsBytesDo(t, l)
		})
	}
}

func readAsBytesDo(t *testing.T, l *lab) {
	t.Helper()
	sizes := []int{0, 1, 65536, 65537, 1<<20 + 4711, 3 << 20}
	contents := make([]*backup.Content, len(sizes))
	for i, size := range sizes {
		contents[i] = l.open(l.Service, strconv.Itoa(i), size)
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(sizes)-1).Draw(t, "file")
		c, size := contents[i], int64(sizes[i])
		want := bytes.NewReader(noise(sizes[i]))
		if _, err := c.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		length := rapid.Int64Range(0, size+70000)
		t.Repeat(map[string]func(*rapid.T){
			"seek": func(t *rapid.T) {
				whence := rapid.SampledFrom([]int{io.SeekStart, io.SeekCurrent, io.SeekEnd}).Draw(t, "whence")
				offset := rapid.Int64Range(-size-10, size+10).Draw(t, "offset")
				pos, err := want.Seek(offset, whence)
				gotPos, gotErr := c.Seek(offset, whence)
				if (err == nil) != (gotErr == nil) || (err == nil && pos != gotPos) {
					t.Fatalf("seek: %d, %v; want %d, %v", gotPos, gotErr, pos, err)
				}
			},
			"read": func(t *rapid.T) {
				n := int(length.Draw(t, "length"))
				p, q := make([]byte, n), make([]byte, n)
				m, err := io.ReadFull(want, p)
				got, gotErr := io.ReadFull(c, q)
				if m != got || !errors.Is(gotErr, err) || !bytes.Equal(p[:m], q[:m]) {
					t.Fatalf("read %d of %d with %v, want %d with %v", got, n, gotErr, m, err)
				}
			},
			"copy": func(t *rapid.T) {
				n := length.Draw(t, "length")
				var p, q bytes.Buffer
				m, err := io.CopyN(&p, want, n)
				got, gotErr := c.CopyTo(&q, n)
				if m != got || !errors.Is(gotErr, err) || !bytes.Equal(p.Bytes(), q.Bytes()) {
					t.Fatalf("copied %d of %d with %v, want %d with %v", got, n, gotErr, m, err)
				}
			},
		})
	})
	for _, c := range contents {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMoreReadersThanThereIsRoomAheadForAllGetTheirs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	want := noise(fileMax)
	l.upload(ada, "x", want)
	far := l.service(func(c *backup.Config) { c.Blobs = &afar{Blobs: l.blobs} })
	for _, s := range []*backup.Service{l.Service, far} {
		manyRead(t, s, ada, want)
	}
}

func manyRead(t *testing.T, l *backup.Service, ada session.Asker, want []byte) {
	t.Helper()
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			c, err := l.Open(t.Context(), ada, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			var got bytes.Buffer
			if i%2 == 0 {
				_, err = c.CopyTo(&got, fileMax)
			} else {
				_, err = io.Copy(&got, c)
			}
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("reader %d: %d bytes, not those that were sent, and %v", i, got.Len(), err)
			}
		})
	}
	all.Wait()
	// All gave back what they had taken: one alone gets its room ahead.
	c, err := l.Open(t.Context(), ada, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
		t.Errorf("another content, or %v", err)
	}
}

// refusing takes some bytes, and then no more.
type refusing struct{ left int }

var errRefused = errors.New("the peer is gone")

func (r *refusing) Write(p []byte) (int, error) {
	n := min(len(p), r.left)
	r.left -= n
	if n < len(p) {
		return n, errRefused
	}
	return n, nil
}

func TestACopyToOneWhoGoesStopsThereAndCanGoOn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c := l.open(l.Service, "ada", 1<<20)
	defer c.Close()
	n, err := c.CopyTo(&refusing{300_000}, 1<<20)
	if n != 300_000 || !errors.Is(err, errRefused) {
		t.Fatalf("%d bytes and %v", n, err)
	}
	rest, err := io.ReadAll(c)
	l.must(err)
	if !bytes.Equal(rest, noise(1 << 20)[300_000:]) {
		t.Error("what follows is something else")
	}
}

// TestRangesAreServedOverHTTP has the standard library serve a content, which is what it is made for.
func TestRangesAreServedOverHTTP(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const size = 1<<20 + 99
	content := noise(size)
	ada := l.person("ada")
	l.upload(ada, "x", content)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := l.Open(r.Context(), ada, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, c)
	}))
	defer server.Close()
	for header, want := range map[string][]byte{
		"":                        content,
		"bytes=0-0":               content[:1],
		"bytes=65535-65536":       content[65535:65537],
		"bytes=-1":                content[size-1:],
		"bytes=70000-":            content[70000:],
		"bytes=131072-1048674":    content[131072:],
		"bytes=500000-500099":     content[500_000:500_100],
		"bytes=1048575-999999999": content[1048575:],
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		l.must(err)
		if header != "" {
			req.Header.Set("Range", header)
		}
		resp, err := server.Client().Do(req)
		l.must(err)
		got, err := io.ReadAll(resp.Body)
		l.must(err)
		resp.Body.Close()
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes with %s, want %d others", header, len(got), resp.Status, len(want))
		}
	}
}
