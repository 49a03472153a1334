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
	if !first {
		return explainS3(ctx, "write mark of blobs", s.putMark(ctx, mark, options()))
	}
	ifNone := options()
	ifNone.SetMatchETagExcept("*")
	for again := true; ; again = false {
		err := s.putMark(ctx, mark, ifNone)
		answer, _ := errors.AsType[minio.ErrorResponse](err)
		switch {
		case answer.StatusCode == http.StatusPreconditionFailed:
			return nil
		case answer.StatusCode == http.StatusNotImplemented:
			return s.writeMark(ctx, mark, false)
		case answer.Code != conditionConflict:
			return explainS3(ctx, "write mark of blobs", err)
		}
		// Another writes it in this moment, or has just deleted it.
		if now, readErr := s.readMark(ctx); now != "" || readErr != nil {
			return readErr
		}
		if !again {
			return errAway.Because(explainS3(ctx, "write mark of blobs", err))
		}
	}
}

// conditionConflict is what Amazon answers, with 409, to a conditional write beside which another one of the same
// object is under way (S3 API, PutObject).
const conditionConflict = "ConditionalRequestConflict"

func (s *S3) putMark(ctx context.Context, mark string, how minio.PutObjectOptions) error {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	_, err := s.core.PutObject(asking, s.place.bucket, s.place.prefix+markFile, strings.NewReader(mark), int64(len(mark)), "", sha256Hex([]byte(mark)), how)
	return err
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
