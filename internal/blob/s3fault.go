package blob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// awayFor is after how long it is worth trying again where the store did not answer.
const awayFor = 5 * time.Second

var (
	errAway = fault.New(fault.Unavailable, "unavailable", phrase.BlobsAway).After(awayFor)
	errFull = fault.New(fault.Full, "full", phrase.StorageFull)
)

// What stores say that are full (MinIO, Ceph), or busy (Amazon: S3 API, Error responses).
var (
	fullCodes = []string{"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage"}
	busyCodes = []string{"InternalError", "ServiceUnavailable", "SlowDown", "SlowDownRead", "SlowDownWrite", "RequestTimeout", "OperationAborted", "XMinioServerNotInitialized"}
)

// explainS3 gives an error of the client the fault that it means for people. Of what the store answered it
// keeps the status and the code, of a request that failed the reason: neither holds a credential.
func explainS3(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", doing, ended)
	}
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		if request, ok := errors.AsType[*url.Error](err); ok {
			err = request.Err
		}
		return errAway.Because(fmt.Errorf("%s: %w", doing, err))
	}
	cause := fmt.Errorf("%s: the store answered %d %s", doing, answer.StatusCode, answer.Code)
	switch {
	case answer.StatusCode == http.StatusNotFound && !isOwn(answer):
		return errAway.Because(fmt.Errorf("%s: 404 was answered, not in the words of a store", doing))
	case answer.StatusCode == http.StatusInsufficientStorage, slices.Contains(fullCodes, answer.Code):
		return errFull.Because(cause)
	case answer.StatusCode >= http.StatusInternalServerError, slices.Contains(busyCodes, answer.Code),
		answer.StatusCode == http.StatusRequestTimeout, answer.StatusCode == http.StatusTooManyRequests:
		return errAway.Because(cause)
	default:
		return cause
	}
}

// says holds where the store itself answered with one of the codes.
func says(err error, codes ...string) bool {
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && isOwn(answer) && slices.Contains(codes, answer.Code)
}

// isOwn holds where the store says an error in its own words. For any other 404, as that of an ingress while
// nothing is behind it, minio-go makes up a NoSuchKey or NoSuchBucket, and so it does for an answer to HEAD,
// which has no body.
func isOwn(answer minio.ErrorResponse) bool { return answer.XMLName.Local == "Error" }
