package blob

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Mark returns what SetMark wrote, "" where nobody has; then it also says whether any blob lies in the place.
func (s *S3) Mark(ctx context.Context) (mark string, holds bool, err error) {
	if mark, err = s.readMark(ctx); mark != "" || err != nil {
		return mark, false, err
	}
	holds, err = holdsAny(ctx, s.Names)
	return "", holds, err
}

// SetMark marks the place, which had the mark was, "" for none. One that has another by now is left as it is:
// ErrOther.
func (s *S3) SetMark(ctx context.Context, was, mark string) error {
	return replaceMark(was, mark,
		func() (string, error) { return s.readMark(ctx) },
		func(mark string) error { return s.writeMark(ctx, mark, was == "") })
}

// writeMark writes a mark. The first one is written only where there is still none, as far as the store
// can do that; where another was first, that is found when the mark is read back.
func (s *S3) writeMark(ctx context.Context, mark string, first bool) error {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	how := options()
	if first {
		how.SetMatchETagExcept("*")
	}
	_, err := s.core.PutObject(asking, s.place.bucket, s.place.prefix+markFile, strings.NewReader(mark), int64(len(mark)), "", sha256Hex([]byte(mark)), how)
	answer, _ := errors.AsType[minio.ErrorResponse](err)
	switch {
	case first && answer.StatusCode == http.StatusPreconditionFailed:
		return nil
	case first && answer.StatusCode == http.StatusNotImplemented:
		return s.writeMark(ctx, mark, false)
	}
	return explainS3(ctx, "write mark of blobs", err)
}

func (s *S3) readMark(ctx context.Context) (string, error) {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	body, _, _, err := s.core.GetObject(asking, s.place.bucket, s.place.prefix+markFile, minio.GetObjectOptions{})
	if says(err, minio.NoSuchKey) {
		return "", nil
	}
	if err != nil {
		return "", explainS3(ctx, "read mark of blobs", err)
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, mostMark))
	if err != nil {
		return "", explainS3(ctx, "read mark of blobs", err)
	}
	return parseMark(text)
}
