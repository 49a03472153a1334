package backup

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

const (
	// mostOfOne is how many uploads of one person may be under way: more than any client needs at once,
	// and each holds an open file and its memory even where hardly a byte comes.
	mostOfOne = 12
	// mostOfAll is how many of all people may be: what bounds the memory and the files of the process.
	mostOfAll = 64
	// untilFree is after how long it is worth trying again.
	untilFree = 10 * time.Second
)

// inFlight counts what is being uploaded. Without it, the disk could be filled with uploads none of
// which is over the quota by itself, and the process with uploads that stand still.
type inFlight struct {
	most int64 // bytes of one user

	mu    sync.Mutex
	users map[int64]*underway
	all   int // uploads
}

// underway is what one user is uploading.
type underway struct {
	uploads int
	bytes   int64
}

// begin takes a place for an upload, which end gives back, or returns the fault that says why there is
// none.
func (f *inFlight) begin(userID int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.users[userID]
	switch {
	case u != nil && u.uploads == mostOfOne:
		return errManyUploads
	case f.all == mostOfAll:
		return errUploadsBusy
	case u == nil:
		u = &underway{}
		f.users[userID] = u
	}
	u.uploads++
	f.all++
	return nil
}

func (f *inFlight) end(userID int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	u := f.users[userID]
	if u.uploads--; u.uploads == 0 {
		delete(f.users, userID)
	}
}

// reserve counts n bytes of a user who has an upload under way, unless that is more than there may be.
func (f *inFlight) reserve(userID, n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.users[userID]
	if n > f.most-u.bytes {
		return false
	}
	u.bytes += n
	return true
}

func (f *inFlight) release(userID, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users[userID].bytes -= n
}

// meter reads no more than there is room for, and nothing that is not counted as in flight.
type meter struct {
	from     io.Reader
	room     room
	inFlight *inFlight
	userID   int64
	read     int64
	reserved int64 // of what is or will be read
}

// reserveStep is how many bytes are reserved at once, as a body comes in very small pieces.
const reserveStep = blockSize

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	if m.read == m.reserved {
		step := max(0, min(reserveStep, m.room.bytes-m.reserved))
		if !m.inFlight.reserve(m.userID, step) {
			return 0, m.room.refusal
		}
		m.reserved += step
	}
	most := m.reserved - m.read
	if m.reserved >= m.room.bytes {
		most++ // the byte that shows a file to be too large; it is not kept
	}
	n, err := m.from.Read(p[:min(int64(len(p)), most)])
	if m.read += int64(n); m.read > m.room.bytes {
		return 0, m.room.refusal
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read body: %w", err)
	}
	return n, err
}

func (m *meter) close() { m.inFlight.release(m.userID, m.reserved) }

var (
	errManyUploads = fault.New(fault.TooMany, "too_many", phrase.BackupTooManyUploads.With(mostOfOne)).After(untilFree)
	errUploadsBusy = fault.New(fault.Unavailable, "unavailable", phrase.BackupUploadsBusy).After(untilFree)
)
