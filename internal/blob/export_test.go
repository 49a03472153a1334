package blob

import (
	"context"
	"os"
	"time"
)

// WithoutHolds has a Dir behave as where files can't be locked.
func (d *Dir) WithoutHolds() *Dir {
	d.hold = func(*os.File) (bool, error) { return false, errNoHold }
	return d
}

// Ahead has an S3 go by a clock that is ahead, and not wait in its sweeps.
func (s *S3) Ahead(by time.Duration) *S3 {
	s.now = func() time.Time { return time.Now().Add(by) }
	s.settlesIn = 0
	return s
}

// WithParts has an S3 take other parts.
func (s *S3) WithParts(size, most, buffers int, within time.Duration) *S3 {
	s.parts, s.mostParts = newBudget(size, buffers), most
	s.parts.within = within
	return s
}

// SlowFor has an S3 take buffers away that are filled too slowly for so long.
func (s *S3) SlowFor(d time.Duration) *S3 {
	s.parts.slowFor = d
	return s
}

// OpenS3Within opens a store that may be silent for so long.
func OpenS3Within(ctx context.Context, url string, within time.Duration) (*S3, error) {
	return openS3(ctx, url, waits{within, within, within, within})
}

// ListsAtOnce has an S3 list so many objects by one request.
func (s *S3) ListsAtOnce(n int) *S3 {
	s.atOnce = n
	return s
}

// SettlesIn has the sweeps of an S3 wait for so long.
func (s *S3) SettlesIn(wait time.Duration) { s.settlesIn = wait }
