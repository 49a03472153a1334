package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"caesar/internal/backup"
)

// large is more than is written at once anywhere: 9 MiB.
var large = bytes.Repeat([]byte("0123456789abcdef"), 9<<16)

func isAbsent(f *fixture, err error) {
	f.Helper()
	if !errors.Is(err, backup.ErrNoBlob) {
		f.Fatalf("the error is %v, want %v", err, backup.ErrNoBlob)
	}
}

func whatWasCommittedCanBeRead(f *fixture) {
	w := f.begin(large)
	_, err := io.WriteString(w, "the end")
	f.must(err)
	name := f.commit(w)
	f.equal(f.get(name), string(large)+"the end") // before it is let go of
	f.must(w.Close())
	f.equal(f.get(name), string(large)+"the end")
	b, err := f.other.Open(f.Context(), name)
	f.must(err)
	defer b.Close()
	f.equal(f.read(b), string(large)+"the end")
	some := make([]byte, 10)
	if n, err := b.ReadAt(some, b.Size()-7); n != 7 || !errors.Is(err, io.EOF) {
		f.Fatalf("reading past the end: %d, %v", n, err)
	}
	f.equal(string(some[:7]), "the end")
}

func anEmptyBlobIsOne(f *fixture) {
	w, err := f.Create(f.Context())
	f.must(err)
	name := f.commit(w)
	f.must(w.Close())
	f.equal(f.get(name), "")
}

func aBlobIsReadByManyAtOnce(f *fixture) {
	b, err := f.Open(f.Context(), f.put(large))
	f.must(err)
	defer b.Close()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			some, off := make([]byte, 100_000), int64(i*1000)
			if _, err := b.ReadAt(some, off); err != nil || !bytes.Equal(some, large[off:off+100_000]) {
				f.Errorf("reading at %d: %v", off, err)
			}
		})
	}
	all.Wait()
}

func manyWriteAtOnce(f *fixture) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			content := strings.Repeat(strconv.Itoa(i), 10_000)
			w, err := f.Create(f.Context())
			if err != nil {
				f.Error(err)
				return
			}
			defer w.Close()
			for part := content; part != ""; part = part[min(len(part), 999):] {
				if _, err := io.WriteString(w, part[:min(len(part), 999)]); err != nil {
					f.Error(err)
				}
			}
			name, err := w.Commit(f.Context())
			if err != nil {
				f.Error(err)
				return
			}
			f.equal(f.get(name), content)
		})
	}
	all.Wait()
}

func namesDoNotRepeat(f *fixture) {
	seen := map[string]bool{}
	for range 50 {
		name := f.put([]byte("the same"))
		if seen[name] || len(name) < 16 {
			f.Fatalf("the name %q is short, or comes twice", name)
		}
		seen[name] = true
	}
}

func whatIsAbsentSaysSo(f *fixture) {
	name := f.put([]byte("x"))
	f.must(f.Delete(f.Context(), name))
	f.absent(name)
}

func strangeNamesAreAbsent(f *fixture) {
	name := f.put([]byte("x"))
	for _, strange := range []string{
		"", ".", "..", "/", "../" + name, "./" + name, name + "/", name + "/..", name + ".age", name + "\x00",
		strings.ToUpper(name), name[1:], "a" + name, "/etc/passwd", strings.Repeat("a", 5000), "*",
	} {
		f.absent(strange)
		f.must(f.Delete(f.Context(), strange))
	}
	f.equal(f.get(name), "x")
}

func whatWasNotCommittedIsGone(f *fixture) {
	w := f.begin(large)
	f.must(w.Close())
	if _, err := w.Write([]byte("more")); err == nil {
		f.Error("a closed writer was written to")
	}
	if name, err := w.Commit(f.Context()); err == nil {
		f.Errorf("a closed writer committed %s", name)
	}
	f.age()
	f.must(f.Sweep(f.Context(), func(_ context.Context, name string) (bool, error) {
		f.Errorf("there is a blob %s", name)
		return false, nil
	}))
}

func closingTwiceDoesNothing(f *fixture) {
	w := f.begin([]byte("kept"))
	name := f.commit(w)
	f.must(w.Close())
	f.must(w.Close())
	f.equal(f.get(name), "kept")
	dropped := f.begin([]byte("dropped"))
	f.must(dropped.Close())
	f.must(dropped.Close())
}

func nothingIsDoneForOneWhoGaveUp(f *fixture) {
	gone, cancel := context.WithCancel(f.Context())
	w := f.begin([]byte("x"))
	name := f.put([]byte("y"))
	cancel()
	if _, err := f.Create(gone); !errors.Is(err, context.Canceled) {
		f.Errorf("Create: %v", err)
	}
	if _, err := w.Commit(gone); !errors.Is(err, context.Canceled) {
		f.Errorf("Commit: %v", err)
	}
	if _, err := f.Open(gone, name); !errors.Is(err, context.Canceled) {
		f.Errorf("Open: %v", err)
	}
	if err := f.Delete(gone, name); !errors.Is(err, context.Canceled) {
		f.Errorf("Delete: %v", err)
	}
	if err := f.Sweep(gone, nobody); !errors.Is(err, context.Canceled) {
		f.Errorf("Sweep: %v", err)
	}
	f.equal(f.get(name), "y")
}

func deletingCanBeRepeated(f *fixture) {
	name, stays := f.put([]byte("x")), f.put([]byte("y"))
	f.must(f.Delete(f.Context(), name))
	f.must(f.Delete(f.Context(), name))
	f.must(f.other.Delete(f.Context(), name))
	f.absent(name)
	f.equal(f.get(stays), "y")
}

func aDeletedBlobIsReadOnOrAnError(f *fixture) {
	name := f.put(large)
	b, err := f.Open(f.Context(), name)
	f.must(err)
	defer b.Close()
	f.must(f.other.Delete(f.Context(), name))
	f.absent(name)
	if !f.place.Gone {
		f.equal(f.read(b), string(large))
		return
	}
	content := make([]byte, b.Size())
	n, err := b.ReadAt(content, 0)
	if n == len(content) || err == nil || errors.Is(err, io.EOF) {
		f.Fatalf("read %d bytes of %d that are gone: %v", n, len(content), err)
	}
	f.equal(string(content[:n]), string(large[:n]))
}
