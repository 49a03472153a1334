package blob

import (
	"context"
	"time"

	"github.com/minio/minio-go/v7"
)

// What a Sweep of a bucket goes by. Nobody can tell whether the writer of an object lives, in which of many
// processes; but the name of a blob is stored within minutes of its Commit. So what is younger than a day
// is spared. Its age is what the store says, by our clock: one that is more than a quarter of an hour off
// has its requests refused (Amazon S3, RequestTimeTooSkewed). Some stores date an object by the beginning
// of its upload, which may have been a day ago when it is committed: so what a sweep has found, it
// asks after once more when minutes have passed.
const (
	youngFor  = 24 * time.Hour
	settlesIn = 10 * time.Minute
)

// mostSwept is how many blobs one sweep deletes.
const mostSwept = 10_000

// Sweep implements backup.Blobs. An upload that was never ended is taken a day after its last part.
func (s *S3) Sweep(ctx context.Context, used func(ctx context.Context, name string) (bool, error)) error {
	var failed failures
	err := s.sweepBlobs(ctx, used, &failed)
	if err == nil {
		err = s.sweepUploads(ctx, &failed)
	}
	return failed.with(err)
}

// sweepBlobs deletes blobs that are old and that nobody uses.
func (s *S3) sweepBlobs(ctx context.Context, used func(ctx context.Context, name string) (bool, error), failed *failures) error {
	unused, err := s.findUnused(ctx, used, failed)
	if err != nil {
		return err
	}
	if len(unused) > 0 {
		select {
		case <-time.After(s.settlesIn):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, name := range unused {
		if err := ctx.Err(); err != nil {
			return err
		}
		yes, err := used(ctx, name)
		if err == nil && !yes {
			err = s.Delete(ctx, name)
		}
		if err := failed.add(err); err != nil {
			return err
		}
	}
	return nil
}

// isOld holds for what was made longer ago than a living writer's blob.
func (s *S3) isOld(made time.Time) bool { return s.now().Sub(made) > s.youngFor }

// findUnused returns blobs that are old and that nobody uses.
func (s *S3) findUnused(ctx context.Context, used func(ctx context.Context, name string) (bool, error), failed *failures) (names []string, err error) {
	err = s.each(ctx, func(name string, object *minio.ObjectInfo) error {
		if !s.isOld(object.LastModified) || len(names) == mostSwept {
			return nil
		}
		yes, err := used(ctx, name)
		if err == nil && !yes {
			names = append(names, name)
		}
		return failed.add(err)
	})
	return names, err
}

// sweepUploads aborts the uploads of parts whose writers are gone.
func (s *S3) sweepUploads(ctx context.Context, failed *failures) error {
	after := ""
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := s.listUploads(ctx, after)
		if err != nil {
			return err
		}
		for i := range page.Uploads {
			upload := &page.Uploads[i]
			if _, ours := s.nameOf(upload.Key); !ours || !s.isOld(upload.Initiated) {
				continue
			}
			if err := failed.add(s.sweepUpload(ctx, upload)); err != nil {
				return err
			}
		}
		if !page.IsTruncated || page.NextKeyMarker <= after {
			return nil
		}
		after = page.NextKeyMarker
	}
}

// listUploads returns the next uploads after a key. What else there is of the last key is left to the next
// sweep: a store need not know the place of an upload that is gone.
func (s *S3) listUploads(ctx context.Context, after string) (minio.ListMultipartUploadsResult, error) {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	page, err := s.core.ListMultipartUploads(asking, s.place.bucket, s.place.prefix, after, "", "", s.atOnce)
	return page, explainS3(ctx, "list uploads of blobs", err)
}

// sweepUpload aborts an upload unless a part of it is young.
func (s *S3) sweepUpload(ctx context.Context, upload *minio.ObjectMultipartInfo) error {
	for after := 0; ; {
		parts, err := s.listParts(ctx, upload, after)
		if says(err, minio.NoSuchUpload) {
			return nil
		}
		if err != nil {
			return explainS3(ctx, "list parts of blob", err)
		}
		for i := range parts.ObjectParts {
			if !s.isOld(parts.ObjectParts[i].LastModified) {
				return nil
			}
		}
		if !parts.IsTruncated || parts.NextPartNumberMarker <= after {
			break
		}
		after = parts.NextPartNumberMarker
	}
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	err := s.core.AbortMultipartUpload(asking, s.place.bucket, upload.Key, upload.UploadID)
	if says(err, minio.NoSuchUpload) {
		return nil
	}
	return explainS3(ctx, "drop upload of blob", err)
}

func (s *S3) listParts(ctx context.Context, upload *minio.ObjectMultipartInfo, after int) (minio.ListObjectPartsResult, error) {
	asking, cancel := context.WithTimeout(ctx, s.waits.brief)
	defer cancel()
	return s.core.ListObjectParts(asking, s.place.bucket, upload.Key, upload.UploadID, after, s.atOnce)
}
