package captcha

import (
	"context"
	"time"
)

// Store remembers what was spent.
type Store interface {
	// SpendCaptcha marks a serial (16 bytes) as spent and says whether this call was the first to do so:
	// of any number of calls at once, on any number of replicas, exactly one is told true. The mark is
	// durable on return. It may be forgotten after until, when the captcha is refused as expired anyway.
	SpendCaptcha(ctx context.Context, serial []byte, until time.Time) (first bool, err error)
}
