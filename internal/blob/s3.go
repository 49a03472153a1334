package blob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// S3 keeps each blob as an object of a bucket. Many processes may share the place.
//
// A blob never changes, and the store shows an object whole or not at all, so that it is all a reader
// needs. What a request fails of is a fault of the kind fault.Unavailable where trying again may help.
type S3 struct {
	place *S3Place
	core  *minio.Core
	waits waits
	parts *budget

	mostParts int
	atOnce    int           // objects that are listed by one request
	youngFor  time.Duration // see Sweep
	settlesIn time.Duration
	now       func() time.Time
	reached   bool
}

// OpenS3 opens the place that ParseS3 reads. A store that lets nobody in with these credentials, or has no
// such bucket, is an error. One that can't be reached is none: it is there once it answers. Check tells.
func OpenS3(ctx context.Context, rawURL string) (*S3, error) {
	return openS3(ctx, rawURL, patient)
}

func openS3(ctx context.Context, rawURL string, w waits) (*S3, error) {
	place, err := ParseS3(rawURL)
	if err != nil {
		return nil, err
	}
	core, err := newCore(place, w)
	if err != nil {
		return nil, errors.New("open S3 store: the endpoint is not one")
	}
	s := &S3{
		place: place, core: core, waits: w, parts: newBudget(partSize, mostBuffers),
		mostParts: mostParts, atOnce: listedAtOnce, youngFor: youngFor, settlesIn: settlesIn, now: time.Now,
	}
	err = s.Check(ctx)
	if err != nil && !errors.Is(err, errAway) {
		return nil, err
	}
	s.reached = err == nil
	return s, nil
}

// Reached says whether the store answered when it was opened.
func (s *S3) Reached() bool { return s.reached }

// String returns where it is, without credentials.
func (s *S3) String() string { return s.place.String() }

// Check asks the store whether the place can be used: nil, a fault of the kind fault.Unavailable where it
// can't be told now, or what has to be mended.
func (s *S3) Check(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	if s.place.chained {
		value, err := s.place.creds.GetWithContext(s.core.CredContext())
		if err == nil && value.AccessKeyID == "" {
			return errors.New("open S3 store: there are no credentials, neither in the URL nor in the environment, a shared file or the role of the machine")
		}
	}
	var err error
	for object := range s.core.ListObjectsIter(asking, s.place.bucket, minio.ListObjectsOptions{Prefix: s.place.prefix, MaxKeys: 1, Recursive: true}) {
		err = object.Err
		break
	}
	if err == nil {
		err = asking.Err() // the listing ends without a word then
	}
	answer, _ := errors.AsType[minio.ErrorResponse](err)
	switch {
	case err == nil:
		return nil
	case says(err, minio.NoSuchBucket):
		return fmt.Errorf("open S3 store: there is no bucket %s", s.place.bucket)
	case says(err, minio.RequestTimeTooSkewed):
		return errors.New("open S3 store: its clock and that of this machine differ by more than it takes")
	case answer.StatusCode == http.StatusForbidden, answer.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("open S3 store: it does not let these credentials list the bucket %s: %s", s.place.bucket, answer.Code)
	default:
		return explainS3(ctx, "open S3 store", err)
	}
}

// key returns the key of a blob's object.
func (s *S3) key(name string) string { return s.place.prefix + name + whole }

// nameOf returns the name of the blob that an object is, unless it is none of ours.
func (s *S3) nameOf(key string) (name string, ours bool) {
	name, below := strings.CutPrefix(key, s.place.prefix)
	name, ended := strings.CutSuffix(name, whole)
	return name, below && ended && isName(name)
}

// Delete implements backup.Blobs. Where the bucket keeps versions, the store keeps what was deleted as long
// as it was told to.
func (s *S3) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !isName(name) {
		return nil
	}
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	err := s.core.RemoveObject(asking, s.place.bucket, s.key(name), minio.RemoveObjectOptions{})
	if says(err, minio.NoSuchKey) {
		return nil
	}
	return explainS3(ctx, "delete blob", err)
}

// size returns the length of a blob. That there is none is an error as any other: an answer to HEAD has no
// words by which one could tell.
func (s *S3) size(ctx context.Context, name string) (int64, error) {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	info, err := s.core.StatObject(asking, s.place.bucket, s.key(name), minio.StatObjectOptions{})
	return info.Size, explainS3(ctx, "inspect blob", err)
}

// Names calls each with the name and length of every blob, in the order of the names, until it returns an
// error.
func (s *S3) Names(ctx context.Context, each func(name string, size int64) error) error {
	return s.each(ctx, func(name string, object *minio.ObjectInfo) error { return each(name, object.Size) })
}

// listedAtOnce is how many objects are listed by one request: as many as S3 tells at once.
const listedAtOnce = 1000

// each goes through the objects that are blobs, until do returns an error.
func (s *S3) each(ctx context.Context, do func(name string, object *minio.ObjectInfo) error) error {
	after := ""
	for {
		page, err := s.list(ctx, after)
		if err != nil {
			return err
		}
		for i := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			if name, ours := s.nameOf(page[i].Key); ours {
				if err := do(name, &page[i]); err != nil {
					return err
				}
			}
		}
		if len(page) < s.atOnce {
			return ctx.Err()
		}
		after = page[len(page)-1].Key
	}
}

// list returns the next objects after a key; fewer than atOnce are the last.
func (s *S3) list(ctx context.Context, after string) ([]minio.ObjectInfo, error) {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	var page []minio.ObjectInfo
	options := minio.ListObjectsOptions{Prefix: s.place.prefix, Recursive: true, StartAfter: after, MaxKeys: s.atOnce}
	for object := range s.core.ListObjectsIter(asking, s.place.bucket, options) {
		if object.Err != nil {
			return nil, explainS3(ctx, "list blobs", object.Err)
		}
		if page = append(page, object); len(page) == s.atOnce {
			break
		}
	}
	if err := asking.Err(); err != nil { // the listing ends without a word then
		return nil, explainS3(ctx, "list blobs", err)
	}
	return page, nil
}
