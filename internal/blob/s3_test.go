package blob_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/blob/blobtest"
	"caesar/internal/testbed"
)

const part = 8 << 20 // what is sent at once

func openS3(t testing.TB, place string) *blob.S3 {
	t.Helper()
	s, err := blob.OpenS3(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestS3KeepsTheContract(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Place {
		t.Helper()
		place := testbed.S3(t)
		blobs, other := openS3(t, place), openS3(t, place)
		age := func() {
			blobs.Ahead(25 * time.Hour)
			other.Ahead(25 * time.Hour)
		}
		return blobtest.Place{Blobs: blobs, Other: other, Age: age, Gone: true}
	})
}

// put makes a blob.
func put(t testing.TB, b backup.Blobs, content []byte) (name string) {
	t.Helper()
	w, err := b.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if name, err = w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return name
}

func get(t testing.TB, b backup.Blobs, name string) backup.Blob {
	t.Helper()
	blob, err := b.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blob.Close() })
	return blob
}

func TestBlobsOfEveryLengthComeBackAndTakeFewRequests(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	s := openS3(t, r.place)
	r.lines()
	for _, c := range []struct {
		size int
		sent string
	}{
		{0, "PUT"},
		{1, "PUT"},
		{1 << 20, "PUT"},
		{1<<20 + 1, "PUT"},
		{part, "PUT"},
		{part + 1, "POST uploads, PUT uploadId partNumber, PUT uploadId partNumber, POST uploadId"},
		{2*part + 4711, "POST uploads, PUT uploadId partNumber, PUT uploadId partNumber, PUT uploadId partNumber, POST uploadId"},
	} {
		content := noise(c.size)
		name := put(t, s, content)
		if sent := strings.Join(r.lines(), ", "); sent != c.sent {
			t.Errorf("%d bytes were sent as %s, want %s", c.size, sent, c.sent)
		}
		b := get(t, s, name)
		if b.Size() != int64(c.size) {
			t.Errorf("the blob of %d bytes has %d", c.size, b.Size())
		}
		same(t, b, content)
		r.lines()
	}
}

func TestRangesAreAskedForAsRanges(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	s := openS3(t, r.place)
	content := noise(3<<20 + 17)
	name := put(t, s, content)
	r.lines()
	b := get(t, s, name)
	for _, c := range []struct{ from, n int64 }{{0, 100}, {66_000, 560}, {2 << 20, 1024}, {66_000, 1000}, {3 << 20, 17}} {
		got := make([]byte, c.n)
		if _, err := b.ReadAt(got, c.from); err != nil || !bytes.Equal(got, content[c.from:c.from+c.n]) {
			t.Errorf("%d bytes at %d: %v", c.n, c.from, err)
		}
	}
	var got bytes.Buffer
	if _, err := got.ReadFrom(stretchOf(t, b, 1<<20, 2<<20)); err != nil || !bytes.Equal(got.Bytes(), content[1<<20:2<<20]) {
		t.Errorf("%d bytes of a stretch, and %v", got.Len(), err)
	}
	want := []string{"GET bytes=0-66559", "GET bytes=2097152-2098175", "GET bytes=66560-66999", "GET bytes=3145728-3145744", "GET bytes=1048576-2097151"}
	if lines := r.lines(); !slices.Equal(lines, want) {
		t.Errorf("what was asked for: %q, want %q", lines, want)
	}
}

func TestABlobLongerThanAnUploadHasPartsIsTooLargeAndLeavesNothing(t *testing.T) {
	t.Parallel()
	if blob.S3BlobMax != 10_000*8<<20 {
		t.Errorf("a blob may have %d bytes", blob.S3BlobMax)
	}
	place := testbed.S3(t)
	const size, most = 5 << 20, 2
	s := openS3(t, place).WithParts(size, most, 4, time.Second)
	same(t, get(t, s, put(t, s, noise(size*most))), noise(size*most))
	before := lookAt(t, place).objects()
	w, err := s.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(noise(size*most + 1))
	if !isTooLarge(err) || !strings.Contains(err.Error(), fmt.Sprintf("%d B", size*most)) {
		t.Errorf("the error is %v, want one of the kind TooLarge that says how many", err)
	}
	if name, again := w.Commit(t.Context()); !isTooLarge(again) {
		t.Errorf("it was committed as %s, with %v", name, again)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if after, uploads := lookAt(t, place).objects(), lookAt(t, place).uploads(); !slices.Equal(before, after) || len(uploads) > 0 {
		t.Errorf("what is left: objects %v, uploads %v", after, uploads)
	}
}

func TestAnImportKeepsTheNameAndIsNotRepeated(t *testing.T) {
	t.Parallel()
	dir, r := open(t, t.TempDir()), newRelay(t, testbed.S3(t))
	s := openS3(t, r.place)
	want := map[string]int64{}
	for _, size := range []int{0, 10, part + 1} {
		want[put(t, dir, noise(size))] = int64(size)
	}
	for round, sent := range []bool{true, false} {
		r.lines()
		err := dir.Names(t.Context(), func(name string, size int64) error {
			from, err := dir.Open(t.Context(), name)
			if err != nil {
				return err
			}
			defer from.Close()
			return s.Import(t.Context(), name, size, &reading{from, 0})
		})
		if err != nil {
			t.Fatal(err)
		}
		if lines := r.lines(); slices.Contains(lines, "PUT") != sent {
			t.Errorf("round %d asked for %q", round, lines)
		}
	}
	for _, b := range []interface {
		backup.Blobs
		named
	}{dir, s} {
		if got := names(t, b); !equal(got, want) {
			t.Errorf("the names are %v, want %v", got, want)
		}
		for name, size := range want {
			same(t, get(t, b, name), noise(int(size)))
		}
	}
}

func TestAnImportOfAnotherLengthOrNameLeavesNothing(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	s := openS3(t, place)
	name := strings.Repeat("b", 26)
	for _, size := range []int64{9, 11, part} {
		if err := s.Import(t.Context(), name, size, strings.NewReader("ten bytes.")); err == nil {
			t.Errorf("ten bytes pass for %d", size)
		}
	}
	for _, strange := range []string{"", "../" + name, name + "a", strings.ToUpper(name)} {
		if err := s.Import(t.Context(), strange, 10, strings.NewReader("ten bytes.")); err == nil {
			t.Errorf("%q is a name", strange)
		}
	}
	lookAt(t, place).nothing()
	if err := s.Import(t.Context(), name, 10, strings.NewReader("ten bytes.")); err != nil {
		t.Error(err)
	}
}

func TestNamesEndWithTheErrorOfTheOneWhoListens(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	for _, b := range []interface {
		backup.Blobs
		named
	}{open(t, t.TempDir()), openS3(t, testbed.S3(t))} {
		put(t, b, []byte("a"))
		put(t, b, []byte("b"))
		heard := 0
		err := b.Names(t.Context(), func(string, int64) error { heard++; return enough })
		if !errors.Is(err, enough) || heard != 1 {
			t.Errorf("%T: %d names, and %v", b, heard, err)
		}
	}
}

func TestMoreThanOneListingTellsIsListedWhole(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	s, there := openS3(t, place).ListsAtOnce(3), lookAt(t, place)
	want := map[string]int64{}
	for i := range 9 {
		want[put(t, s, noise(i))] = int64(i)
		if got := names(t, s); !equal(got, want) {
			t.Errorf("the names are %v, want %v", got, want)
		}
		there.beginUpload(strings.Repeat(string(rune('a'+i)), 26)+".age", i)
	}
	if err := s.Ahead(25*time.Hour).Sweep(t.Context(), nobody); err != nil {
		t.Error(err)
	}
	there.nothing()
}

func TestAStoreThatAnswersWithAnotherPartIsAnError(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	s := openS3(t, r.place)
	content := noise(100_000)
	name := put(t, s, content)
	b := get(t, s, name)
	contentRange, length := "", ""
	r.with(func(w http.ResponseWriter, _ *http.Request) bool { // as what only looks like S3 may
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		if length != "" {
			w.Header().Set("Content-Length", length)
		}
		if contentRange != "" {
			w.Header().Set("Content-Range", contentRange)
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(content)
		return true
	})
	for _, contentRange = range []string{"", "bytes 0-99999/100000", "bytes 70000-70099/*", "70000"} {
		if n, err := b.ReadAt(make([]byte, 100), 70_000); err == nil {
			t.Errorf("with %q, %d bytes of another part were taken", contentRange, n)
		}
	}
	contentRange = ""
	if _, err := s.Open(t.Context(), name); err == nil {
		t.Error("a blob of no length was opened")
	}
	length = strconv.Itoa(len(content))
	same(t, get(t, s, name), content[:65<<10]) // its beginning is that of the whole
}
