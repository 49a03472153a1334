package blob_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/testbed"
)

// marked is a place that can be marked: a Dir or an S3.
type marked interface {
	backup.Blobs
	named
	Mark(ctx context.Context) (mark string, holds bool, err error)
	SetMark(ctx context.Context, was, mark string) error
}

// eachPlace runs a test on a folder and on a bucket, all blobs of which are old.
func eachPlace(t *testing.T, do func(t *testing.T, place marked)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) { t.Parallel(); do(t, open(t, t.TempDir())) })
	t.Run("bucket", func(t *testing.T) { t.Parallel(); do(t, openS3(t, testbed.S3(t)).Ahead(day)) })
}

// day is a little more than one.
const day = 25 * time.Hour

func hasMark(t *testing.T, place marked, want string, wantHolds bool) {
	t.Helper()
	if mark, holds, err := place.Mark(t.Context()); mark != want || holds != wantHolds || err != nil {
		t.Errorf("the mark is %q, blobs %v, %v; want %q, %v", mark, holds, err, want, wantHolds)
	}
}

func TestAPlaceHasTheMarkThatWasSetLastByWhoKnewTheOneBefore(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, place marked) {
		t.Helper()
		hasMark(t, place, "", false)
		name := put(t, place, []byte("a blob"))
		hasMark(t, place, "", true)
		for _, c := range []struct {
			was, mark, now string
			err            error
		}{
			{"another", "mine", "", blob.ErrOther},
			{"", "mine", "mine", nil},
			{"", "mine", "mine", nil}, // as another replica says
			{"", "another", "mine", blob.ErrOther},
			{"mine", "mine, moved", "mine, moved", nil},
			{"mine", "another", "mine, moved", blob.ErrOther},
		} {
			if err := place.SetMark(t.Context(), c.was, c.mark); !errors.Is(err, c.err) {
				t.Errorf("from %q to %q: %v", c.was, c.mark, err)
			}
			hasMark(t, place, c.now, c.now == "")
		}
		if got := names(t, place); len(got) != 1 || got[name] == 0 {
			t.Errorf("the mark passes for a blob: %v", got)
		}
		if err := place.Sweep(t.Context(), nobody); err != nil || len(names(t, place)) != 0 {
			t.Errorf("a sweep leaves %v: %v", names(t, place), err)
		}
		hasMark(t, place, "mine, moved", false)
	})
}

func TestWhoMarksABucketLaterThanAnotherDoesNotGoOnUnlessTheyAreOneDatabases(t *testing.T) {
	t.Parallel()
	for mark, want := range map[string]error{"mine": nil, "another's": blob.ErrOther} {
		url := testbed.S3(t)
		r, first := newRelay(t, url), openS3(t, url)
		late := openS3(t, r.place)
		r.with(func(_ http.ResponseWriter, request *http.Request) bool {
			if request.Method == http.MethodPut { // it has seen no mark by then
				if err := first.SetMark(t.Context(), "", "mine"); err != nil {
					t.Error(err)
				}
			}
			return false
		})
		if err := late.SetMark(t.Context(), "", mark); !errors.Is(err, want) {
			t.Errorf("%q goes on with %v, want %v", mark, err, want)
		}
		hasMark(t, first, "mine", false)
	}
}

func TestABucketOfAStoreThatKnowsNoConditionsIsMarkedWithoutOne(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	r.with(func(w http.ResponseWriter, request *http.Request) bool {
		if request.Header.Get("If-None-Match") == "" {
			return false
		}
		_, _ = io.Copy(io.Discard, request.Body)
		w.WriteHeader(http.StatusNotImplemented)
		_, _ = io.WriteString(w, "<Error><Code>NotImplemented</Code></Error>")
		return true
	})
	s := openS3(t, r.place)
	if err := s.SetMark(t.Context(), "", "mine"); err != nil {
		t.Fatal(err)
	}
	hasMark(t, s, "mine", false)
}

// conflicted answers a conditional write as a store does beside which another is under way.
func conflicted(w http.ResponseWriter, request *http.Request) bool {
	if request.Header.Get("If-None-Match") == "" {
		return false
	}
	_, _ = io.Copy(io.Discard, request.Body)
	w.WriteHeader(http.StatusConflict)
	_, _ = io.WriteString(w, "<Error><Code>ConditionalRequestConflict</Code></Error>")
	return true
}

func TestWhoMarksABucketInTheSameMomentAsAnotherLooksWhoItWasAndTriesOnceMore(t *testing.T) {
	t.Parallel()
	for other, want := range map[string]error{"": nil, "mine": nil, "another's": blob.ErrOther} {
		url := testbed.S3(t)
		r, first := newRelay(t, url), openS3(t, url)
		late, times := openS3(t, r.place), 0
		r.with(func(w http.ResponseWriter, request *http.Request) bool {
			if times > 0 || !conflicted(w, request) {
				return false
			}
			if times++; other != "" {
				if err := first.SetMark(t.Context(), "", other); err != nil {
					t.Error(err)
				}
			}
			return true
		})
		if err := late.SetMark(t.Context(), "", "mine"); !errors.Is(err, want) || times != 1 {
			t.Errorf("beside %q it ends with %v, want %v, after %d conflicts", other, err, want, times)
		}
		if other == "" {
			other = "mine"
		}
		hasMark(t, first, other, false)
	}
	r := newRelay(t, testbed.S3(t))
	r.with(conflicted)
	s := openS3(t, r.place)
	away(t, r.place, "SetMark", s.SetMark(t.Context(), "", "mine"))
}

func TestAMarkThatWasWrittenByHandMayEndWithALineBreak(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for text, want := range map[string]string{"mine sqlite\n": "mine sqlite", "mine sqlite\r\n": "mine sqlite", "mine": "mine"} {
		if err := os.WriteFile(filepath.Join(folder, "place"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		hasMark(t, open(t, folder), want, false)
	}
}

func TestAMarkThatCannotBeReadIsNotNone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := open(t, folder)
	if err := os.WriteFile(filepath.Join(folder, "place"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if mark, _, err := d.Mark(t.Context()); err == nil {
		t.Errorf("an empty file is the mark %q", mark)
	}
	if err := d.SetMark(t.Context(), "", "mine"); err == nil {
		t.Error("an empty file was replaced")
	}
	r := newRelay(t, testbed.S3(t))
	s := openS3(t, r.place)
	r.with(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusNotFound) // as an ingress does while nothing is behind it
		return true
	})
	_, _, err := s.Mark(t.Context())
	away(t, r.place, "Mark", err)
	away(t, r.place, "SetMark", s.SetMark(t.Context(), "", "mine"))
}

func TestASweepIsEndedByTenErrorsOrByOneOfADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	broken := errors.New("it is broken")
	for _, c := range []struct {
		err  error
		asks int
	}{
		{broken, 10},
		{fault.New(fault.Unavailable, "unavailable", phrase.BlobsAway).Because(broken), 1},
	} {
		eachPlace(t, func(t *testing.T, place marked) {
			t.Helper()
			for range 15 {
				put(t, place, []byte("stray"))
			}
			asked := 0
			err := place.Sweep(t.Context(), func(context.Context, string) (bool, error) {
				asked++
				return false, c.err
			})
			if !errors.Is(err, broken) || !strings.Contains(err.Error(), "ended early") || asked != c.asks {
				t.Errorf("it asked %d times, want %d, and ends with %v", asked, c.asks, err)
			}
			if left := len(names(t, place)); left != 15 {
				t.Errorf("of 15 blobs %d are left", left)
			}
		})
	}
}
