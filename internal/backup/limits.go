package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/session"
)

// room is how many bytes a new version may have, and what is said of more.
type room struct {
	bytes   int64
	refusal *fault.Error
}

// room returns what a user has room for, beside the versions that would stay.
func (s *Service) room(ctx context.Context, userID int64) (room, error) {
	versions, err := s.versions(ctx, userID)
	if err != nil {
		return room{}, err
	}
	left := s.Quota
	for _, v := range versions[:min(len(versions), s.Keep-1)] {
		left -= v.Size
	}
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

// meter reads no more than there is room for.
type meter struct {
	from     io.Reader
	room     room
	inFlight *inFlight
	userID   int64
	read     int64
	counted  int64 // as in flight: whole steps of what was read
}

// countStep is how many bytes are counted as in flight at once, as a body comes in very small pieces.
const countStep = 1 << 20

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if m.read += int64(n); m.read > m.room.bytes {
		return 0, m.room.refusal
	}
	for m.read-m.counted >= countStep {
		m.counted += countStep
		if m.inFlight.add(m.userID, countStep) {
			return 0, m.room.refusal
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read body: %w", err)
	}
	return n, err
}

func (m *meter) close() { m.inFlight.end(m.userID, m.counted) }

// inFlight counts what each user is uploading. Without it, the disk could be filled with uploads none of
// which is over the quota by itself.
type inFlight struct {
	most int64 // bytes

	mu    sync.Mutex
	bytes map[int64]int64 // by user
}

// add counts what was read, and says whether it is more than there may be.
func (f *inFlight) add(userID, n int64) (over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes[userID] += n
	return f.bytes[userID] > f.most
}

func (f *inFlight) end(userID, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes[userID] -= n; f.bytes[userID] == 0 {
		delete(f.bytes, userID)
	}
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
