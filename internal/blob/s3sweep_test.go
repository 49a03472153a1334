package blob_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"caesar/internal/testbed"
)

// beginUpload leaves an upload as a writer does that was killed, and returns when its newest part was sent.
func (s *store) beginUpload(key string, parts int) (at time.Time) {
	s.t.Helper()
	id, err := s.NewMultipartUpload(context.Background(), s.bucket, s.prefix+key, minio.PutObjectOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range parts {
		if _, err := s.PutObjectPart(context.Background(), s.bucket, s.prefix+key, id, i+1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{}); err != nil {
			s.t.Fatal(err)
		}
	}
	return time.Now()
}

// later waits until what is made next is younger by some seconds, as stores count in seconds.
func later() { time.Sleep(2500 * time.Millisecond) }

func TestASweepOfABucketTakesTheOldAndSparesTheYoungTheUsedAndTheForeign(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	s, there := openS3(t, place), lookAt(t, place)
	stray, used := put(t, s, []byte("stray")), put(t, s, []byte("used"))
	name := func(letter string) string { return strings.Repeat(letter, 26) + ".age" }
	foreign := []string{"README", "x.age", name("A"), strings.Repeat("a", 26), name("a") + ".bak", "deeper/" + name("a")}
	for _, key := range foreign {
		there.put(key, "foreign")
	}
	there.beginUpload(name("b"), 0)
	there.beginUpload(name("c"), 2)
	there.beginUpload("foreign", 1)
	old := time.Now()
	later()
	young := put(t, s, []byte("young"))
	there.beginUpload(name("d"), 1)

	// A day after the older ones, to the second.
	s.Ahead(24*time.Hour + time.Second - time.Since(old))
	asked := map[string]int{}
	err := s.Sweep(t.Context(), func(_ context.Context, name string) (bool, error) {
		asked[name]++
		return name == used, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := append(slices.Clone(foreign), young+".age", used+".age")
	slices.Sort(want)
	if got := there.objects(); !slices.Equal(got, want) {
		t.Errorf("what is left: %v, want %v", got, want)
	}
	if got := there.uploads(); !slices.Equal(got, []string{name("d"), "foreign"}) {
		t.Errorf("uploads that are left: %v", got)
	}
	if asked[stray] != 2 || asked[used] != 1 || len(asked) != 2 {
		t.Errorf("it was asked for %v", asked)
	}
}

func TestAnUploadWhoseNewestPartIsYoungIsSpared(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	s := openS3(t, place)
	begun := time.Now()
	w := create(t, t.Context(), s, noise(part+1))
	later()
	rest := noise(2 * part)
	if _, err := w.Write(rest); err != nil {
		t.Fatal(err)
	}
	s.Ahead(24*time.Hour + time.Second - time.Since(begun))
	if err := s.Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	name, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, get(t, s, name), slices.Concat(noise(part+1), rest))
}

// TestASweepAsksAgainBeforeItDeletes has the name of a blob stored after a sweep has found it unused: as
// that of one whose upload took longer than a day, by which some stores date it.
func TestASweepAsksAgainBeforeItDeletes(t *testing.T) {
	t.Parallel()
	s := openS3(t, testbed.S3(t)).Ahead(25 * time.Hour)
	s.SettlesIn(200 * time.Millisecond)
	late, lost, unknown := put(t, s, []byte("late")), put(t, s, []byte("lost")), put(t, s, []byte("unknown"))
	failure := errors.New("the database is away")
	first := map[string]time.Time{}
	err := s.Sweep(t.Context(), func(_ context.Context, name string) (bool, error) {
		before, again := first[name]
		switch {
		case !again:
			first[name] = time.Now()
			return false, nil
		case time.Since(before) < 200*time.Millisecond:
			t.Errorf("it was asked again after %v", time.Since(before))
		case name == unknown:
			return false, failure
		}
		return name == late, nil
	})
	if !errors.Is(err, failure) {
		t.Errorf("the error is %v", err)
	}
	got := names(t, s)
	if _, there := got[lost]; there || got[late] != 4 || got[unknown] != 7 {
		t.Errorf("what is left: %v", got)
	}

	s.SettlesIn(time.Hour)
	over, cancel := context.WithCancel(t.Context())
	err = s.Sweep(over, func(context.Context, string) (bool, error) { cancel(); return false, nil })
	if !errors.Is(err, context.Canceled) || len(names(t, s)) != 2 {
		t.Errorf("a sweep that was ended deleted something, with %v", err)
	}
}

func TestTwoPlacesOfABucketDoNotSweepEachOther(t *testing.T) {
	t.Parallel()
	outer := testbed.S3(t)
	before, query, _ := strings.Cut(outer, "?")
	inner := openS3(t, before+"/inner?"+query)
	name := put(t, inner, []byte("inner"))
	if err := openS3(t, outer).Ahead(25*time.Hour).Sweep(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	if _, err := openS3(t, outer).Open(t.Context(), name); err == nil {
		t.Error("it is in both")
	}
	got := make([]byte, 5)
	if _, err := get(t, inner, name).ReadAt(got, 0); err != nil || !bytes.Equal(got, []byte("inner")) {
		t.Errorf("%q, %v", got, err)
	}
}
