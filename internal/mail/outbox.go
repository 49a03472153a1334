package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	gomail "github.com/wneessen/go-mail"
)

// Outbox is a Transport that keeps each mail as a file in a folder, for those who have no mail server, or
// not yet. The files hold codes: only their owner may read them.
type Outbox struct{ dir string }

// NewOutbox returns the outbox in a folder, which is made, with mode 0700, if it is not there.
func NewOutbox(dir string) (*Outbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make outbox: %w", err)
	}
	return &Outbox{dir: dir}, nil
}

// Send writes the mail to a file named for when it was queued and for its Message-ID: sorted by name is
// sorted by time, and a mail that is sent twice is there once. The file is whole and durable when it is
// there at all. Its bodies are in plain UTF-8, so that it reads as it lies.
func (o *Outbox) Send(_ context.Context, from Address, m Rendered) error {
	msg, err := compose(from, m, gomail.NoEncoding)
	if err != nil {
		return err
	}
	name := m.Date.UTC().Format("20060102T150405Z") + "-" + m.ID + ".eml"
	if err := writeDurably(filepath.Join(o.dir, name), msg); err != nil {
		return &SendError{Stage: "write to the outbox", Cause: err}
	}
	return nil
}

// writeDurably writes a file of mode 0600 beside its place, syncs it, puts it into its place and syncs the
// folder.
func writeDurably(path string, content io.WriterTo) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = content.WriteTo(file)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncFolder(dir)
}

// syncFolder makes the entries of a folder durable. Windows has no such call.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
