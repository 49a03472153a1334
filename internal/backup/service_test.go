package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
