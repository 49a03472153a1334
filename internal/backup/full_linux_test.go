package backup_test

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"caesar/internal/fault"
)

func TestAFullDiskRefusesAnUploadAndTakesTheNextThatFits(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		if os.Geteuid() == 0 && os.Getenv("CI") != "" {
			t.Fatalf("mount a small file system: %v", err)
		}
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	l := newLabIn(t, folder)
	ada := l.person("ada")
	before := l.upload(ada, "before", noise(300_000))
	body := newStream(fileMax)
	_, err := l.Upload(t.Context(), ada, "too much", body)
	l.refused(err, fault.Full)
	if body.n < 2<<20 {
		t.Errorf("%d bytes were read on after the disk was full", fileMax-body.n)
	}
	if names, files := l.names(ada), l.files(); joined(names) != "before" || joined(files) != before.Blob+".age" {
		t.Errorf("there are versions %v and files %v", names, files)
	}
	after := l.upload(ada, "after", noise(500_000))
	if !bytes.Equal(l.download(ada, before.ID), noise(300_000)) || !bytes.Equal(l.download(ada, after.ID), noise(500_000)) {
		t.Error("another content")
	}
}
