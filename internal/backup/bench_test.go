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

func BenchmarkUpload(b *testing.B) {
	l := newLab(b)
	s, who := l.service(wide), l.person("ada")
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

func benchmarkDownload(b *testing.B, copyTo func(c *backup.Content) error) {
	b.Helper()
	l := newLab(b)
	s, who := l.service(wide), l.person("ada")
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

func BenchmarkDownload(b *testing.B) {
	benchmarkDownload(b, func(c *backup.Content) error {
		_, err := c.CopyTo(io.Discard, benchSize)
		return err
	})
}

func BenchmarkDownloadByReading(b *testing.B) {
	benchmarkDownload(b, func(c *backup.Content) error {
		_, err := io.Copy(writerOnly{io.Discard}, c)
		return err
	})
}

// BenchmarkRange is the opening of a version and one KiB out of its middle.
func BenchmarkRange(b *testing.B) {
	l := newLab(b)
	s, who := l.service(wide), l.person("ada")
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
