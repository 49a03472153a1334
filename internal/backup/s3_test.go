package backup_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/fault"
	"caesar/internal/testbed"
)

// keepIn has the lab's service keep its blobs in a bucket.
func (l *lab) keepIn(place string, changes ...func(*backup.Config)) *blob.S3 {
	l.Helper()
	blobs, err := blob.OpenS3(l.Context(), place)
	l.must(err)
	l.Service = l.service(func(c *backup.Config) {
		c.Blobs = blobs
		for _, change := range changes {
			change(c)
		}
	})
	return blobs
}

func TestABucketKeepsVersionsAsAFolderDoes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	blobs := l.keepIn(testbed.S3(t), func(c *backup.Config) { c.FileMax, c.Quota = 32<<20, 64<<20 })
	ada := l.person("ada")
	for _, size := range []int{0, 1, 65536, 65537, 1 << 20, 20<<20 + 17} {
		v := l.upload(ada, "x", noise(size))
		if got := l.download(ada, v.ID); !bytes.Equal(got, noise(size)) {
			t.Errorf("of %d bytes %d came back, or others", size, len(got))
		}
	}
	there := 0
	l.must(blobs.Names(t.Context(), func(string, int64) error { there++; return nil }))
	if there != keep {
		t.Errorf("there are %d blobs, want those of the %d versions that are kept", there, keep)
	}
	l.must(l.EraseAll(t.Context(), ada.UserID))
	l.must(blobs.Names(t.Context(), func(name string, _ int64) error { t.Errorf("there still is %s", name); return nil }))
}

func TestABucketThatIsAwayIsToldAndLosesNothing(t *testing.T) {
	t.Parallel()
	server := testbed.StartS3(t)
	l := newLab(t)
	l.keepIn(server.URL(), wide, func(c *backup.Config) { c.Keep = 10 })
	ada := l.person("ada")
	before, row := l.upload(ada, "before", noise(12<<20)), l.upload(ada, "row", nil)
	c, err := l.Open(t.Context(), ada, before.ID)
	l.must(err)
	defer c.Close()
	var got bytes.Buffer
	if _, err := c.CopyTo(&got, 1<<20); err != nil {
		t.Fatal(err)
	}
	// It goes away in the middle of an upload.
	body := io.MultiReader(bytes.NewReader(noise(9<<20)), &calling{func() { l.must(server.Stop()) }}, bytes.NewReader(noise(9<<20)))
	_, err = l.Upload(t.Context(), ada, "during", body)
	l.refused(err, fault.Unavailable)

	n, err := c.CopyTo(&got, 11<<20) // all, where it was on its way already
	if (kindOf(err) != fault.Unavailable && n < 11<<20) || !bytes.HasPrefix(noise(12<<20), got.Bytes()) {
		t.Errorf("reading on: %d bytes, and %v", n, err)
	}
	_, err = l.Open(t.Context(), ada, before.ID)
	l.refused(err, fault.Unavailable)
	_, err = l.Upload(t.Context(), ada, "after", strings.NewReader("x"))
	l.refused(err, fault.Unavailable)
	l.must(l.Delete(t.Context(), ada, row.ID))
	if names := l.names(ada); joined(names) != "before" { // what needs no blob goes on
		t.Errorf("there are versions %v", names)
	}

	l.must(server.Start())
	if !bytes.Equal(l.download(ada, before.ID), noise(12<<20)) {
		t.Error("another content")
	}
	if after := l.upload(ada, "after", noise(9<<20)); !bytes.Equal(l.download(ada, after.ID), noise(9<<20)) {
		t.Error("another content")
	}
}

func TestAVersionThatIsDeletedWhileItIsReadIsReadOnOrAnError(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.keepIn(testbed.S3(t))
	ada := l.person("ada")
	want := noise(fileMax)
	v := l.upload(ada, "x", want)
	c, err := l.Open(t.Context(), ada, v.ID)
	l.must(err)
	defer c.Close()
	l.must(l.Delete(t.Context(), ada, v.ID))
	var got bytes.Buffer
	n, err := c.CopyTo(&got, fileMax)
	if (err == nil) != (n == fileMax) || !bytes.Equal(got.Bytes(), want[:n]) {
		t.Errorf("%d bytes, and %v", n, err)
	}
	_, err = l.Open(t.Context(), ada, v.ID)
	l.refused(err, fault.NotFound)
}

func TestOneWhoGivesUpLeavesNothingInABucket(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	blobs := l.keepIn(testbed.S3(t), wide)
	ada := l.person("ada")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	body := io.MultiReader(bytes.NewReader(noise(20<<20)), &calling{cancel}, bytes.NewReader(noise(20<<20)))
	if _, err := l.Upload(ctx, ada, "x", body); err == nil {
		t.Error("it was kept")
	}
	l.must(blobs.Names(t.Context(), func(name string, _ int64) error { t.Errorf("there is %s", name); return nil }))
	if log := l.log.String(); log != "" {
		t.Errorf("something was left: %s", log)
	}
}
