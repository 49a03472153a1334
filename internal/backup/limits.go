package backup

import (
	"context"
	"fmt"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/session"
)

// room is how many bytes a new version may have, and what is said of more.
type room struct {
	bytes   int64
	refusal *fault.Error
}

// room returns what a user has room for, beside the versions that would stay. It takes their rows' word
// for the sizes, so that one that was altered does not shut its owner out.
func (s *Service) room(ctx context.Context, userID int64) (room, error) {
	staying, err := s.Store.Staying(ctx, userID, s.Keep)
	if err != nil {
		return room{}, fmt.Errorf("measure versions: %w", err)
	}
	left := s.Quota - staying
	if left < s.FileMax {
		return room{left, s.overQuota()}, nil
	}
	refusal := *errTooLarge
	refusal.Message = refusal.Message.With(inWords(s.FileMax))
	return room{s.FileMax, &refusal}, nil
}

func (s *Service) overQuota() *fault.Error {
	refusal := *errOverQuota
	refusal.Message = refusal.Message.With(inWords(s.Quota))
	return &refusal
}

// Admit says, before anything is read, whether a file of at least that many bytes could be kept: nil, or
// the fault that Upload would end with. A size of which nothing is known is 0.
func (s *Service) Admit(ctx context.Context, who session.Asker, atLeast int64) error {
	r, err := s.room(ctx, who.UserID)
	if err != nil {
		return err
	}
	if atLeast > r.bytes {
		return r.refusal
	}
	return nil
}

// BlobSize returns how many bytes the blob of a file of that size takes at most, for those who keep blobs
// where none may be longer than so much.
func BlobSize(file int64) int64 {
	return mostHeader + file + (file/ageChunk+1)*(sealedChunk-ageChunk)
}

// inWords writes a size for people, as the settings take it where it is a whole number.
func inWords(bytes int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, unit := float64(bytes), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.4g %s", value, units[unit])
}

var (
	errTooLarge  = fault.New(fault.TooLarge, "too_large", phrase.BackupTooLarge)
	errOverQuota = fault.New(fault.TooLarge, "over_quota", phrase.BackupOverQuota)
)
