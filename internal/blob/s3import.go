package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Import keeps what r holds, size bytes, under the name that it has in another place. Where there is a blob
// of that name and size already, nothing is read.
func (s *S3) Import(ctx context.Context, name string, size int64, r io.Reader) (err error) {
	if !isName(name) {
		return errors.New("import blob: not the name of one")
	}
	if there, err := s.size(ctx, name); err == nil && there == size {
		return nil
	}
	w := s.create(ctx, name)
	defer func() { err = errors.Join(err, w.Close()) }()
	read, err := io.Copy(w, io.LimitReader(r, size+1))
	if err != nil {
		return fmt.Errorf("import blob: %w", err)
	}
	if read != size {
		return fmt.Errorf("import blob: it has not the length that it is said to have, %d bytes", size)
	}
	_, err = w.Commit(ctx)
	return err
}
