package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// kindOf returns the kind of a fault; 0 for any other error.
func kindOf(err error) fault.Kind {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Kind
	}
	return 0
}

func (l *lab) refused(err error, kind fault.Kind) {
	l.Helper()
	if kindOf(err) != kind {
		l.Fatalf("the error is %v, want a fault of the kind %d", err, kind)
	}
}

func TestAnUploadComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 100, 65535, 65536, 65537, 131072, 131073, 262144, 1 << 20, 3<<20 + 17} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			ada, content := l.person("ada"), noise(size)
			v := l.upload(ada, "vault.kdbx", content)
			if v.Name != "vault.kdbx" || v.Size != int64(size) || fmt.Sprintf("%x", v.SHA256) != sha(content) || v.UserID != ada.UserID {
				t.Errorf("the version is %+v", v)
			}
			if !v.CreatedAt.Equal(noon) {
				t.Errorf("it was made at %v, want %v to the second", v.CreatedAt, noon)
			}
			if got := l.download(ada, v.ID); !bytes.Equal(got, content) {
				t.Errorf("%d bytes came back, not the %d that were sent", len(got), size)
			}
		})
	}
}

func TestAReaderMayYieldWhatItLikes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada, content := l.person("ada"), noise(300_001)
	for name, body := range map[string]io.Reader{
		"a byte at a time":   iotest.OneByteReader(bytes.NewReader(content)),
		"the end with bytes": iotest.DataErrReader(bytes.NewReader(content)),
		"half of what fits":  iotest.HalfReader(bytes.NewReader(content)),
	} {
		v, err := l.Upload(t.Context(), ada, name, body)
		l.must(err)
		if got := l.download(ada, v.ID); !bytes.Equal(got, content) {
			t.Errorf("%s: something else came back", name)
		}
	}
}

func TestABodyThatFailsLeavesNoTrace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	before := l.upload(ada, "first", []byte("first"))
	refusal := fault.New(fault.Invalid, "invalid", phrase.InvalidRequest)
	for _, size := range []int{0, 1, 65536, 131072, 1 << 20} {
		for _, failure := range []error{io.ErrUnexpectedEOF, io.ErrClosedPipe, context.Canceled, refusal, fmt.Errorf("cut: %w", io.EOF)} {
			body := io.MultiReader(bytes.NewReader(noise(size)), iotest.ErrReader(failure))
			if _, err := l.Upload(t.Context(), ada, "second", body); !errors.Is(err, failure) {
				t.Errorf("after %d bytes and %q the error is %v", size, failure, err)
			}
		}
	}
	if names, files := l.names(ada), l.files(); joined(names) != "first" || joined(files) != before.Blob+".age" {
		t.Errorf("there are versions %v and files %v", names, files)
	}
}

func TestABodyThatPanicsLeavesNoTrace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		_, _ = l.Upload(t.Context(), ada, "x", io.MultiReader(bytes.NewReader(noise(200_000)), panicker{}))
	}()
	if files := l.files(); len(files) != 0 {
		t.Errorf("what is left: %v", files)
	}
	l.upload(ada, "x", noise(fileMax)) // nothing is counted as in flight any more
}

type panicker struct{}

func (panicker) Read([]byte) (int, error) { panic("hung up") }

func TestOneWhoHangsUpLeavesNoTrace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	ctx, cancel := context.WithCancel(t.Context())
	body := io.MultiReader(bytes.NewReader(noise(200_000)), &calling{cancel})
	if _, err := l.Upload(ctx, ada, "x", body); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if names, files := l.names(ada), l.files(); len(names)+len(files) != 0 {
		t.Errorf("there are versions %v and files %v", names, files)
	}
}

// calling calls somebody, and is at its end.
type calling struct{ call func() }

func (c *calling) Read([]byte) (int, error) {
	c.call()
	return 0, io.EOF
}

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

func TestOneDeletesTheirOwnAndNobodyElses(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada, eve := l.person("ada"), l.person("eve")
	v := l.upload(ada, "x", []byte("content"))
	l.refused(l.Delete(t.Context(), eve, v.ID), fault.NotFound)
	_, err := l.Open(t.Context(), eve, v.ID)
	l.refused(err, fault.NotFound)
	_, err = l.Open(t.Context(), eve, 0)
	l.refused(err, fault.NotFound)
	l.must(l.Delete(t.Context(), ada, v.ID))
	l.refused(l.Delete(t.Context(), ada, v.ID), fault.NotFound)
	_, err = l.Open(t.Context(), ada, v.ID)
	l.refused(err, fault.NotFound)
	if files := l.files(); len(files) != 0 {
		t.Errorf("what is left: %v", files)
	}
	if next := l.upload(ada, "y", nil); next.ID <= v.ID {
		t.Errorf("id %d was given again", next.ID)
	}
}

func TestWhatIsBeingReadCanBeReadOnAfterItsDeletion(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada, content := l.person("ada"), noise(1<<20)
	v := l.upload(ada, "x", content)
	c, err := l.Open(t.Context(), ada, v.ID)
	l.must(err)
	defer c.Close()
	l.must(l.Delete(t.Context(), ada, v.ID))
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back, and %v", len(got), err)
	}
}

func TestReadersOfTheNewestAlwaysFindOne(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Keep = 1 })
	ada := l.person("ada")
	content := noise(1000)
	l.upload(ada, "x", content)
	over := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				c, err := s.Open(t.Context(), ada, 0)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, content) {
					t.Error("another content, or", err)
				}
				c.Close()
			}
		})
	}
	for range 40 {
		if _, err := s.Upload(t.Context(), ada, "x", bytes.NewReader(content)); err != nil {
			t.Error(err)
		}
	}
	close(over)
	readers.Wait()
}

func TestErasingTakesAllOfOnePerson(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Keep = 300 })
	ada, bob := l.person("ada"), l.person("bob")
	for range 120 { // more than go in one transaction
		if _, err := s.Upload(t.Context(), ada, "x", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	kept := l.upload(bob, "y", []byte("y"))
	l.must(l.EraseAll(t.Context(), ada.UserID))
	l.must(l.EraseAll(t.Context(), ada.UserID))
	if names, files := l.names(ada), l.files(); len(names) != 0 || joined(files) != kept.Blob+".age" {
		t.Errorf("there are versions %v and files %v", names, files)
	}
}

func TestOneWhoIsGoneGetsNoVersion(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	body := io.MultiReader(bytes.NewReader(noise(200_000)), &calling{func() {
		if _, err := l.store.Erase(t.Context(), ada.UserID, true, []byte("letter"), noon); err != nil {
			t.Error(err)
		}
	}})
	_, err := l.Upload(t.Context(), ada, "x", body)
	l.refused(err, fault.Unauthenticated)
	if files := l.files(); len(files) != 0 {
		t.Errorf("what is left: %v", files)
	}
}

func TestASweepTakesWhatNoRowNames(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	kept := l.upload(ada, "x", []byte("x"))
	w, err := l.blobs.Create(t.Context())
	l.must(err)
	_, err = w.Commit(t.Context())
	l.must(err)
	l.must(l.Sweep(t.Context()))
	if n := len(l.files()); n != 2 {
		t.Errorf("a blob that is held was taken: %v", l.files())
	}
	l.must(w.Close())
	l.must(l.Sweep(t.Context()))
	if files := l.files(); joined(files) != kept.Blob+".age" {
		t.Errorf("what is left: %v", files)
	}
}

func TestSweepsDuringUploadsLoseNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Keep = 100 })
	ada := l.person("ada")
	over, swept := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swept)
		for {
			select {
			case <-over:
				return
			default:
			}
			if err := l.Sweep(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if _, err := s.Upload(t.Context(), ada, "x", bytes.NewReader(noise(5000))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(over)
	<-swept
	listing, err := s.List(t.Context(), ada)
	l.must(err)
	if len(listing.Versions) != 40 {
		t.Errorf("there are %d versions", len(listing.Versions))
	}
	for _, v := range listing.Versions {
		if !bytes.Equal(l.download(ada, v.ID), noise(5000)) {
			t.Errorf("version %d is another", v.ID)
		}
	}
}

// stuck is a store whose rows can't be written.
type stuck struct {
	backup.Store
	err error
}

func (s stuck) AddVersion(context.Context, int64, backup.Retention, func(int64) backup.Version) (backup.Version, []string, error) {
	return backup.Version{}, nil, s.err
}

func TestARowThatCannotBeWrittenLeavesNoBlob(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	full := fault.New(fault.Full, "full", phrase.StorageFull)
	s := l.service(func(c *backup.Config) { c.Store = stuck{l.store, full} })
	_, err := s.Upload(t.Context(), l.person("ada"), "x", strings.NewReader("content"))
	l.refused(err, fault.Full)
	if files := l.files(); len(files) != 0 {
		t.Errorf("what is left: %v", files)
	}
}

// unsure is a store that fails after it has written a row, as where the connection to it breaks.
type unsure struct{ backup.Store }

func (s unsure) AddVersion(ctx context.Context, userID int64, r backup.Retention, seal func(int64) backup.Version) (backup.Version, []string, error) {
	_, _, err := s.Store.AddVersion(ctx, userID, r, seal)
	return backup.Version{}, nil, errors.Join(err, errors.New("the connection broke"))
}

func TestABlobThatARowNamesAfterAllIsNotDeleted(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.service(func(c *backup.Config) { c.Store = unsure{l.store} })
	ada := l.person("ada")
	if _, err := s.Upload(t.Context(), ada, "x", strings.NewReader("content")); err == nil {
		t.Error("the failure was lost")
	}
	if got := string(l.download(ada, 0)); got != "content" {
		t.Errorf("what is read is %q", got)
	}
}

func TestABlobThatIsLostIsNoAnswerAndNoAbsence(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	v := l.upload(ada, "x", []byte("x"))
	l.must(l.blobs.Delete(t.Context(), v.Blob))
	_, err := l.Open(t.Context(), ada, 0)
	if !errors.Is(err, backup.ErrNoBlob) || kindOf(err) != 0 {
		t.Errorf("the error is %v", err)
	}
}

func TestAnUploadTakesLittleMemoryWhateverItsSize(t *testing.T) {
	l := newLab(t) // alone, as others would be counted too
	s, ada := l.service(wide), l.person("ada")
	size := int64(64 << 20) // many times the bounds below
	peak := peakHeap(t, func() {
		if _, err := s.Upload(t.Context(), ada, "x", newStream(size)); err != nil {
			t.Error(err)
		}
	})
	if peak > 8<<20 {
		t.Errorf("an upload took %d KiB at most", peak>>10)
	}
	peak = peakHeap(t, func() {
		c, err := s.Open(t.Context(), ada, 0)
		l.must(err)
		defer c.Close()
		n, err := c.CopyTo(io.Discard, size)
		if n != size || err != nil {
			t.Errorf("%d bytes came back, and %v", n, err)
		}
	})
	if peak > 8<<20 {
		t.Errorf("a download took %d KiB at most", peak>>10)
	}
}
