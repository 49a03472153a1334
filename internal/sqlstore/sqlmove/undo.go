package sqlmove

import (
	"context"
	"errors"
)

// Undo lets the source of a move be served again, the SQLite file at path, and returns where it was moved to;
// empty where it was not, and nothing is changed. What else belongs to the source is given back by giveBack
// before, which is told what Move.BlobsMark returns. The target stays as it is, and is not taken for one of
// this source any more: to move again takes another.
func Undo(ctx context.Context, path string, giveBack func(blobsMark []byte) error) (to string, err error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if to, err = s.movedTo(ctx); err != nil || to == "" {
		return "", err
	}
	if err := giveBack(s.blobsMark); err != nil {
		return "", err
	}
	return to, s.forget(ctx)
}
