//go:build unix

package backup_test

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/testbed"
)

const benchSize = 256 << 20

// cpu is what this process has used of the processors.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perGiB reports the time of the processors for a GiB.
func perGiB(b *testing.B, run func()) {
	b.Helper()
	b.SetBytes(benchSize)
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		run()
	}
	b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N)*float64(1<<30)/benchSize, "cpu-s/GiB")
}

// inS3 has a service keep its blobs in the bucket of CAESAR_TEST_S3.
func inS3(b *testing.B) func(*backup.Config) {
	b.Helper()
	blobs, err := blob.OpenS3(b.Context(), testbed.S3(b))
	if err != nil {
		b.Fatal(err)
	}
	return func(c *backup.Config) {
		wide(c)
		c.Blobs = blobs
	}
}

func BenchmarkUpload(b *testing.B) { benchmarkUpload(b, wide) }

func BenchmarkUploadToS3(b *testing.B) { benchmarkUpload(b, inS3(b)) }

func benchmarkUpload(b *testing.B, kept func(*backup.Config)) {
	b.Helper()
	l := newLab(b)
	s, who := l.service(kept), l.person("ada")
	perGiB(b, func() {
		if _, err := s.Upload(b.Context(), who, "x", newStream(benchSize)); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkPlainUpload is what an upload is measured against: a copy to a file, synced.
func BenchmarkPlainUpload(b *testing.B) {
	path := filepath.Join(b.TempDir(), "plain")
	perGiB(b, func() {
		body := newStream(benchSize)
		body.step = 32 << 10 // it reads the body itself, not the parts of a form
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(writerOnly{f}, body); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	})
}

func benchmarkDownload(b *testing.B, kept func(*backup.Config), copyTo func(c *backup.Content) error) {
	b.Helper()
	l := newLab(b)
	s, who := l.service(kept), l.person("ada")
	if _, err := s.Upload(b.Context(), who, "x", newStream(benchSize)); err != nil {
		b.Fatal(err)
	}
	perGiB(b, func() {
		c, err := s.Open(b.Context(), who, 0)
		if err != nil {
			b.Fatal(err)
		}
		if err := copyTo(c); err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

func copied(c *backup.Content) error {
	_, err := c.CopyTo(io.Discard, benchSize)
	return err
}

func BenchmarkDownload(b *testing.B) { benchmarkDownload(b, wide, copied) }

func BenchmarkDownloadFromS3(b *testing.B) { benchmarkDownload(b, inS3(b), copied) }

func BenchmarkDownloadByReading(b *testing.B) {
	benchmarkDownload(b, wide, func(c *backup.Content) error {
		_, err := io.Copy(writerOnly{io.Discard}, c)
		return err
	})
}

// BenchmarkRange is the opening of a version and one KiB out of its middle.
func BenchmarkRange(b *testing.B) { benchmarkRange(b, wide) }

func BenchmarkRangeFromS3(b *testing.B) { benchmarkRange(b, inS3(b)) }

func benchmarkRange(b *testing.B, kept func(*backup.Config)) {
	b.Helper()
	l := newLab(b)
	s, who := l.service(kept), l.person("ada")
	if _, err := s.Upload(b.Context(), who, "x", newStream(benchSize)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c, err := s.Open(b.Context(), who, 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Seek(benchSize/2+12345, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		if _, err := c.CopyTo(io.Discard, 1024); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
