package sqlmove

import (
	"context"
	"errors"
)

// Undo lets the source of a move be served again, the SQLite file at path, and returns where it was moved to;
// empty where it was not, and nothing is changed. The target stays as it is, and is not taken for one of this
// source any more: to move again takes another.
//
// What the place of the source's blobs is recognised by is drawn anew, for the target knows what it was, and so
// could take the place. giveBack marks that place before, and is told what Move.BlobsMark returns and what it
// will: the same next each time, until a run has come to its end. Until then the source is not served.
func Undo(ctx context.Context, path string, giveBack func(blobsMark, next []byte) error) (to string, err error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if to, err = s.movedTo(ctx); err != nil || to == "" {
		return "", err
	}
	next, err := s.nextMark(ctx)
	if err != nil {
		return "", err
	}
	if err := giveBack(s.blobsMark, next); err != nil {
		return "", err
	}
	return to, s.forget(ctx)
}
