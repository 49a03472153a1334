package backup_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"caesar/internal/backup"
	"caesar/internal/fault"
)

func TestTheNewestAreKeptAndTheirBlobsAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada, bob := l.person("ada"), l.person("bob")
	kept := l.upload(bob, "bob's", []byte("bob"))
	var blobs []string
	for i := range keep + 2 {
		blobs = append(blobs, l.upload(ada, fmt.Sprint(i), noise(i*1000)).Blob+".age")
	}
	if names := joined(l.names(ada)); names != "4 3 2" {
		t.Errorf("the versions are %s", names)
	}
	want := append(blobs[2:], kept.Blob+".age")
	slices.Sort(want)
	if files := l.files(); !slices.Equal(files, want) {
		t.Errorf("the files are %v, want %v", files, want)
	}
	if got := l.download(ada, 0); !bytes.Equal(got, noise(4000)) {
		t.Error("the newest is another")
	}
	listing, err := l.List(t.Context(), ada)
	l.must(err)
	if listing.Used != 2000+3000+4000 || listing.Quota != quota || listing.Keep != keep {
		t.Errorf("the listing says %d of %d, %d kept", listing.Used, listing.Quota, listing.Keep)
	}
}

func TestTooLargeAFileIsRefusedWhileItIsRead(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	l.upload(ada, "just fits", noise(fileMax))
	body := newStream(1 << 40)
	_, err := l.Upload(t.Context(), ada, "x", body)
	l.refused(err, fault.TooLarge)
	if !strings.Contains(err.Error(), "4 MiB") {
		t.Errorf("the limit is not told: %v", err)
	}
	if read := int64(1<<40) - body.n; read > fileMax+1<<20 {
		t.Errorf("%d bytes were read of a file that may have %d", read, fileMax)
	}
	if names, files := l.names(ada), l.files(); len(names) != 1 || len(files) != 1 {
		t.Errorf("there are versions %v and files %v", names, files)
	}
}

func TestTheQuotaCountsWhatStays(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	for range keep { // 9 of 8 MiB would be too much
		_, err := l.Upload(t.Context(), ada, "x", newStream(3<<20))
		if len(l.names(ada)) < 2 {
			l.must(err)
		}
	}
	l.refused(l.Admit(t.Context(), ada, 3<<20), fault.TooLarge)
	l.must(l.Admit(t.Context(), ada, 2<<20))
	_, err := l.Upload(t.Context(), ada, "x", newStream(2<<20+1))
	l.refused(err, fault.TooLarge)
	if !strings.Contains(err.Error(), "8 MiB") || len(l.names(ada)) != 2 {
		t.Errorf("the error is %v, and there are %v", err, l.names(ada))
	}
	l.upload(ada, "fills it", noise(2<<20))
	// The oldest 3 MiB would go: so there is room for as much again.
	l.must(l.Admit(t.Context(), ada, 3<<20))
	l.upload(ada, "takes its place", noise(3<<20))
	l.must(l.Admit(t.Context(), l.person("bob"), fileMax))
	l.refused(l.Admit(t.Context(), l.person("eve"), fileMax+1), fault.TooLarge)
}

func TestManyUploadsAtOnceAreAsManyVersions(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const many = 12
	s := l.service(func(c *backup.Config) { c.Keep = many })
	ada := l.person("ada")
	ids := make([]int64, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			v, err := s.Upload(t.Context(), ada, fmt.Sprint(i), bytes.NewReader(noise(100_000+i)))
			if err != nil {
				t.Error(err)
			}
			ids[i] = v.ID
		})
	}
	all.Wait()
	for i, id := range ids {
		if !bytes.Equal(l.download(ada, id), noise(100_000+i)) {
			t.Errorf("version %d is another", id)
		}
	}
	if n := len(l.files()); n != many {
		t.Errorf("there are %d files, want %d", n, many)
	}
}

func TestUploadsAtOnceDoNotPassTheQuotaTogether(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	const each, many = 3 << 20, 6
	var all sync.WaitGroup
	errs := make([]error, many)
	for i := range many {
		all.Go(func() { _, errs[i] = l.Upload(t.Context(), ada, "x", newStream(each)) })
	}
	all.Wait()
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
		} else {
			l.refused(err, fault.TooLarge)
		}
	}
	listing, err := l.List(t.Context(), ada)
	l.must(err)
	if kept < 1 || listing.Used > quota || len(l.files()) != len(listing.Versions) {
		t.Errorf("%d were kept, which take %d of %d; the files are %v", kept, listing.Used, quota, l.files())
	}
	l.must(l.Admit(t.Context(), ada, 1))
}

func TestWhatOneUploadsAtOnceIsBounded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada, bob := l.person("ada"), l.person("bob")
	held, done := make(chan struct{}), make(chan error)
	var begun sync.WaitGroup
	for range 4 { // the whole of twice the quota
		begun.Add(1)
		body := io.MultiReader(newStream(fileMax), &calling{func() { begun.Done(); <-held }})
		go func() {
			_, err := l.Upload(t.Context(), ada, "held", body)
			done <- err
		}()
	}
	begun.Wait()
	_, err := l.Upload(t.Context(), ada, "x", newStream(1<<20))
	l.refused(err, fault.TooLarge)
	l.upload(bob, "x", noise(1<<20)) // another is none of it
	close(held)
	for range 4 {
		if err := <-done; err != nil && kindOf(err) != fault.TooLarge {
			t.Error(err)
		}
	}
}

func TestABlobIsNoLongerThanIsSaid(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	for _, size := range []int{0, 1, 65535, 65536, 65537, 1 << 20} {
		v := l.upload(ada, "x", noise(size))
		b, err := l.blobs.Open(t.Context(), v.Blob)
		l.must(err)
		if most := backup.BlobSize(int64(size)); b.Size() > most || most > b.Size()+64<<10 {
			t.Errorf("the blob of %d bytes has %d, and may have %d", size, b.Size(), most)
		}
		b.Close()
	}
}
