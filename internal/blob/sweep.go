package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"caesar/internal/fault"
)

// errNoHold says that files can't be held here.
var errNoHold = errors.New("files cannot be locked here")

// spared is how long a file is left alone where nobody can tell whether its writer lives.
const spared = time.Hour

// readAtOnce is how many names of the folder are read at once.
const readAtOnce = 256

// Sweep implements backup.Blobs.
func (d *Dir) Sweep(ctx context.Context, used func(ctx context.Context, name string) (bool, error)) error {
	var failed failures
	err := d.each(ctx, func(file string) error { return failed.add(d.sweepFile(ctx, file, used)) })
	return failed.with(err)
}

// mostFailures is how many errors end a sweep: what fails so often does not fail of one blob.
const mostFailures = 10

// errEnough ends a sweep.
var errEnough = errors.New("enough has failed")

// failures are what went wrong in one sweep.
type failures []error

// add notes an error, and returns errEnough where the sweep is to end: where the database or the store is
// away, all that follows would fail too.
func (f *failures) add(err error) error {
	if err == nil {
		return nil
	}
	*f = append(*f, err)
	away, ok := errors.AsType[*fault.Error](err)
	if len(*f) == mostFailures || (ok && away.Kind == fault.Unavailable) {
		return errEnough
	}
	return nil
}

// with returns all that went wrong, and last what a sweep ended of.
func (f *failures) with(end error) error {
	if errors.Is(end, errEnough) {
		end = fmt.Errorf("the sweep was ended early, after %d errors", len(*f))
	}
	return errors.Join(append(*f, end)...)
}

// Names calls each with the name and length of every blob, in no order, until it returns an error.
func (d *Dir) Names(ctx context.Context, each func(name string, size int64) error) error {
	return d.each(ctx, func(file string) error {
		name, isBlob := strings.CutSuffix(file, whole)
		if !isBlob || !isName(name) {
			return nil
		}
		info, err := os.Stat(d.file(file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("inspect blob: %w", err)
		}
		return each(name, info.Size())
	})
}

// each goes through the names of the files, until do returns an error.
func (d *Dir) each(ctx context.Context, do func(file string) error) error {
	folder, err := os.Open(d.path)
	if err != nil {
		return fmt.Errorf("open folder of backups: %w", err)
	}
	defer folder.Close()
	for {
		names, err := folder.Readdirnames(readAtOnce)
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(name); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read folder of backups: %w", err)
		}
	}
}

// sweepFile deletes a file that nobody holds or uses. Whether a blob is used is asked again once nobody
// else can hold it: its writer may have stored the name in between.
func (d *Dir) sweepFile(ctx context.Context, file string, used func(context.Context, string) (bool, error)) error {
	name, isBlob := strings.CutSuffix(file, whole)
	half, isPart := strings.CutSuffix(file, part)
	if (!isBlob || !isName(name)) && (!isPart || !isName(half)) {
		return nil // not ours
	}
	if isBlob {
		if yes, err := used(ctx, name); yes || err != nil {
			return err
		}
	}
	left, release, err := d.takeOver(file)
	if !left || err != nil {
		return err
	}
	defer release()
	if isBlob {
		if yes, err := used(ctx, name); yes || err != nil {
			return err
		}
	}
	return d.remove(file)
}

// takeOver holds a file that its writer has let go of, until release is called.
func (d *Dir) takeOver(file string) (left bool, release func(), err error) {
	f, err := os.OpenFile(d.file(file), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, fmt.Errorf("open blob: %w", err)
	}
	release = func() { _ = f.Close() } // nothing was written
	held, err := d.hold(f)
	if held {
		return true, release, nil
	}
	defer release()
	if !errors.Is(err, errNoHold) {
		return false, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return false, nil, fmt.Errorf("inspect blob: %w", err)
	}
	return time.Since(info.ModTime()) > spared, func() {}, nil
}
