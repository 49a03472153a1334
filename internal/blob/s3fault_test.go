package blob_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/testbed"
)

// away fails unless an error says that the store can't be reached and when to try again, without its
// secret.
func away(t *testing.T, place, doing string, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("%s: the error is %v, want one of the kind Unavailable", doing, err)
		return
	}
	u, bad := url.Parse(place)
	if bad != nil {
		t.Fatal(bad)
	}
	if secret, _ := u.User.Password(); strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), u.User.Username()) {
		t.Errorf("%s: the error holds a credential", doing)
	}
}

// soon fails where something takes longer than any request may.
func soon(t *testing.T, do func()) {
	t.Helper()
	begun := time.Now()
	do()
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAStoreThatIsDownIsAFaultAndAllGoesOnOnceItIsUp(t *testing.T) {
	t.Parallel()
	server := testbed.StartS3(t)
	place := server.URL()
	s, content := openS3(t, place), noise(part+part/2)
	kept := put(t, s, content)
	b := get(t, s, kept)
	stretch := stretchOf(t, b, 0, b.Size())
	half := make([]byte, 1<<20)
	if _, err := io.ReadFull(stretch, half); err != nil {
		t.Fatal(err)
	}
	w, err := s.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}

	soon(t, func() {
		rest := bytes.NewBuffer(half)
		if _, err := rest.ReadFrom(stretch); err != nil { // unless all was on its way already
			away(t, place, "reading on", err)
		} else if rest.Len() < len(content) {
			t.Error("the answer is short")
		}
		if !bytes.HasPrefix(content, rest.Bytes()) {
			t.Error("something else was read")
		}
		_, err = b.ReadAt(make([]byte, 100), part)
		away(t, place, "ReadAt", err)
		_, err = s.Open(t.Context(), kept)
		away(t, place, "Open", err)
	})
	soon(t, func() {
		_, err = w.Write(content)
		away(t, place, "Write", err)
		_, err = w.Commit(t.Context())
		away(t, place, "Commit", err)
		away(t, place, "Close", w.Close())
	})
	soon(t, func() {
		small, err := s.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = small.Commit(t.Context())
		away(t, place, "Commit of a small one", err)
		away(t, place, "Close of a small one", small.Close())
	})
	var meanwhile *blob.S3
	soon(t, func() {
		away(t, place, "Delete", s.Delete(t.Context(), kept))
		away(t, place, "Sweep", s.Sweep(t.Context(), nobody))
		away(t, place, "Check", s.Check(t.Context()))
		meanwhile = openS3(t, place) // which does not keep a server from starting
	})

	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	same(t, b, content)
	if err := meanwhile.Check(t.Context()); err != nil {
		t.Error(err)
	}
	same(t, get(t, meanwhile, put(t, s, content)), content)
	// What could not be dropped is swept.
	if uploads := lookAt(t, place).uploads(); len(uploads) != 1 {
		t.Errorf("uploads that were not ended: %v", uploads)
	}
	if err := s.Ahead(25*time.Hour).Sweep(t.Context(), nobody); err != nil {
		t.Error(err)
	}
	lookAt(t, place).nothing()
}

func TestADownloadOutlivesConnectionsThatBreak(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	s, content := openS3(t, r.place), noise(3<<20)
	b := get(t, s, put(t, s, content))
	r.with(func(w http.ResponseWriter, request *http.Request) bool {
		r.pass.ServeHTTP(&breaking{w, 1 << 20}, request)
		return true
	})
	r.lines()
	same(t, b, content)
	want := []string{"GET bytes=66560-3145727", "GET bytes=1115136-3145727", "GET bytes=2163712-3145727"}
	if lines := r.lines(); !slices.Equal(lines, want) {
		t.Errorf("what was asked for: %q, want %q", lines, want)
	}
	r.with(func(w http.ResponseWriter, request *http.Request) bool {
		r.pass.ServeHTTP(&breaking{w, 0}, request)
		return true
	})
	n, err := b.ReadAt(make([]byte, 1000), 2<<20)
	away(t, r.place, "reading of a store that always breaks off", err)
	if n != 0 {
		t.Errorf("%d bytes", n)
	}
}

// breaking breaks off the connection once so many bytes of a body were written.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	_, err := b.ResponseWriter.Write(p[:n])
	if n < len(p) {
		_ = http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func TestAStoreThatIsSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	s, err := blob.OpenS3Within(t.Context(), r.place, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	content := noise(part + 1)
	name := put(t, s, content)
	b := get(t, s, name)
	r.with(func(w http.ResponseWriter, request *http.Request) bool {
		if request.Method == http.MethodGet && request.Header.Get("Range") == "bytes=70000-149999" {
			w.Header().Set("Content-Range", "bytes 70000-149999/8388609")
			w.Header().Set("Content-Length", "80000")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(content[70_000:80_000])
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.Copy(io.Discard, request.Body)
		<-request.Context().Done()
		return true
	})
	soon(t, func() {
		_, err := s.Open(t.Context(), name)
		away(t, r.place, "Open", err)
		n, err := b.ReadAt(make([]byte, 80_000), 70_000)
		away(t, r.place, "ReadAt", err)
		if n != 10_000 {
			t.Errorf("%d bytes were read, want those that came", n)
		}
	})
	soon(t, func() {
		w, err := s.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(content)
		away(t, r.place, "Write", err)
		if err := w.Close(); err != nil {
			t.Errorf("an upload that was not begun had to be dropped: %v", err)
		}
	})
	r.with(nil)
	same(t, b, content)
}

func TestWhatTheStoreAnswersBecomesTheFaultThatItIs(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	for _, c := range []struct {
		status int
		code   string
		want   fault.Kind
	}{
		{http.StatusServiceUnavailable, "SlowDown", fault.Unavailable},
		{http.StatusInternalServerError, "InternalError", fault.Unavailable},
		{http.StatusBadGateway, "", fault.Unavailable},
		{http.StatusTooManyRequests, "TooManyRequests", fault.Unavailable},
		{http.StatusBadRequest, "RequestTimeout", fault.Unavailable},
		{http.StatusInsufficientStorage, "XMinioStorageFull", fault.Full},
		{http.StatusForbidden, "QuotaExceeded", fault.Full},
		{http.StatusForbidden, "AccessDenied", 0},
		{http.StatusNotFound, "NoSuchBucket", 0},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			r := newRelay(t, place)
			s := openS3(t, r.place)
			r.with(func(w http.ResponseWriter, request *http.Request) bool {
				_, _ = io.Copy(io.Discard, request.Body)
				w.WriteHeader(c.status)
				// The message repeats what it was sent, as no store should.
				_, _ = io.WriteString(w, "<Error><Code>"+c.code+"</Code><Message>"+request.Header.Get("Authorization")+"</Message></Error>")
				return true
			})
			w, err := s.Create(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, put := w.Commit(t.Context())
			_, got := s.Open(t.Context(), strings.Repeat("a", 26))
			for _, err := range []error{put, got} {
				if err == nil || kind(err) != c.want || errors.Is(err, backup.ErrNoBlob) || strings.Contains(err.Error(), "Signature") {
					t.Errorf("the error is %v, want the kind %d", err, c.want)
				}
			}
			_ = w.Close()
		})
	}
}

func TestA404ThatIsNotTheStoresOwnIsNoWordOnABlob(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "404 page not found\n", "<html><body>default backend - 404</body></html>"} {
		r := newRelay(t, testbed.S3(t))
		s := openS3(t, r.place)
		name := put(t, s, noise(200<<10))
		opened, begun := get(t, s, name), create(t, t.Context(), s, noise(100))
		r.with(func(w http.ResponseWriter, request *http.Request) bool {
			_, _ = io.Copy(io.Discard, request.Body)
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, body)
			return true
		})
		_, err := s.Open(t.Context(), name)
		away(t, r.place, "Open", err)
		_, err = opened.ReadAt(make([]byte, 1), 100<<10)
		away(t, r.place, "ReadAt", err)
		_, err = begun.Commit(t.Context())
		away(t, r.place, "Commit", err)
		away(t, r.place, "Delete", s.Delete(t.Context(), name))
		away(t, r.place, "Check", s.Check(t.Context()))
		openS3(t, r.place) // which does not keep a server from starting
		r.with(nil)
		same(t, get(t, s, name), noise(200<<10))
		if _, err := s.Open(t.Context(), strings.Repeat("a", 26)); !errors.Is(err, backup.ErrNoBlob) {
			t.Errorf("of a blob that the store says is none the error is %v", err)
		}
	}
}
