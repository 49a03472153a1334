package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// markFile is the name of the file, or object, beside the blobs that says whose they are. It is the name of
// no blob: sweeps and Names pass it by.
const markFile = "place"

// mostMark is the length of the longest mark, in bytes.
const mostMark = 200

// ErrOther says that a place has another mark than was thought: its blobs are somebody else's.
var ErrOther = errors.New("the place of the blobs has another mark")

// errFound ends a search.
var errFound = errors.New("found")

// Mark returns what SetMark wrote, "" where nobody has; then it also says whether any blob lies in the place.
func (d *Dir) Mark(ctx context.Context) (mark string, holds bool, err error) {
	if mark, err = d.readMark(); mark != "" || err != nil {
		return mark, false, err
	}
	holds, err = holdsAny(ctx, d.Names)
	return "", holds, err
}

// SetMark marks the place, which had the mark was, "" for none. One that has another by now is left as it is:
// ErrOther. Nothing but the claim of the data folder keeps two processes from marking one at once.
func (d *Dir) SetMark(_ context.Context, was, mark string) error {
	return replaceMark(was, mark, d.readMark, d.writeMark)
}

// replaceMark writes a mark in the place of another, and reads it back: who is overwritten meanwhile does
// not go on.
func replaceMark(was, mark string, read func() (string, error), write func(mark string) error) error {
	now, err := read()
	if err != nil || now == mark {
		return err
	}
	if now != was {
		return ErrOther
	}
	if err := write(mark); err != nil {
		return err
	}
	if now, err = read(); err == nil && now != mark {
		err = ErrOther
	}
	return err
}

// holdsAny says whether there is a name.
func holdsAny(ctx context.Context, names func(context.Context, func(string, int64) error) error) (bool, error) {
	err := names(ctx, func(string, int64) error { return errFound })
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

func (d *Dir) readMark() (string, error) {
	f, err := os.Open(d.file(markFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open mark of blobs: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostMark))
	if err != nil {
		return "", fmt.Errorf("read mark of blobs: %w", err)
	}
	return parseMark(text)
}

// parseMark returns a mark, without the line break that an editor puts behind one. One that is empty is no mark
// and not none: nobody can tell whose it was.
func parseMark(text []byte) (string, error) {
	mark := strings.TrimRight(string(text), "\r\n")
	if mark == "" {
		return "", errors.New("read mark of blobs: the file " + markFile + " beside them is empty")
	}
	return mark, nil
}

func (d *Dir) writeMark(mark string) error {
	draft := d.file(markFile + ".new")
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make mark of blobs: %w", explain(err))
	}
	_, err = f.WriteString(mark)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(draft, d.file(markFile))
	}
	if err != nil {
		return fmt.Errorf("write mark of blobs: %w", explain(errors.Join(err, d.remove(markFile+".new"))))
	}
	return syncFolder(d.path)
}
