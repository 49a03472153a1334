package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"

	"caesar/internal/fault"
	"caesar/internal/session"
)

// settlesIn is how long a blob is held whose row may be there or not. By then it is known.
const settlesIn = 10 * time.Minute

// Upload keeps what body holds as a new version. It reads until io.EOF and never far beyond what fits;
// any other error of body ends it, comes back wrapped (a fault stays a fault), and leaves no trace. The
// name may be anything that a client sent: Label makes it fit to be shown. Too large a file is a fault of
// the kind fault.TooLarge, a full disk of the kind fault.Full, more uploads at once than may be of the kind
// fault.TooMany or, where it is those of others, fault.Unavailable; and one that outlives its session ends
// with fault.Unauthenticated. Where the error is fault.ErrUnsettled the version may be there nevertheless.
func (s *Service) Upload(ctx context.Context, who session.Asker, name string, body io.Reader) (v Version, err error) {
	if err := s.inFlight.begin(who.UserID); err != nil {
		return Version{}, err
	}
	defer s.inFlight.end(who.UserID)
	room, err := s.room(ctx, who.UserID)
	if err != nil {
		return Version{}, err
	}
	w, err := s.Blobs.Create(ctx)
	if err != nil {
		return Version{}, fmt.Errorf("keep upload: %w", err)
	}
	letGo := func() {
		if closed := w.Close(); closed != nil {
			s.Log.WarnContext(ctx, "an upload left something behind; it is swept later", "err", closed)
		}
	}
	defer func() {
		if errors.Is(err, fault.ErrUnsettled) {
			time.AfterFunc(settlesIn, letGo)
			return
		}
		letGo()
	}()
	m := &meter{from: body, room: room, inFlight: &s.inFlight, userID: who.UserID}
	defer m.close()
	v = Version{UserID: who.UserID, Name: Label(name)}
	if err := s.seal(w, m, &v); err != nil {
		return Version{}, fmt.Errorf("keep upload: %w", err)
	}
	if v.Blob, err = w.Commit(ctx); err != nil {
		return Version{}, fmt.Errorf("keep upload: %w", err)
	}
	return s.add(ctx, who.SessionID, v)
}

// seal streams a file through age to w, hashing it on the way, and notes in v what it saw.
func (s *Service) seal(w io.Writer, from io.Reader, v *Version) error {
	head := &bytes.Buffer{}
	to := &redirect{head}
	// age writes its header and the nonce before Encrypt returns, and the rest after.
	sealing, err := age.Encrypt(to, s.Keys.recipient())
	if err != nil {
		return fmt.Errorf("begin age file: %w", err)
	}
	v.HeaderSize, v.HeaderHash = int64(head.Len()), sha256.Sum256(head.Bytes())
	if _, err := w.Write(head.Bytes()); err != nil {
		return err
	}
	to.Writer = w
	hash := sha256.New()
	if v.Size, err = spread(from, sealing, hash); err != nil {
		return err
	}
	hash.Sum(v.SHA256[:0])
	return sealing.Close()
}

// redirect is a writer that can be led elsewhere.
type redirect struct{ io.Writer }

// add stores the row of a blob that is there, and deletes the blobs whose rows gave way to it.
func (s *Service) add(ctx context.Context, sessionID int64, v Version) (Version, error) {
	added, freed, err := s.Store.AddVersion(ctx, v.UserID, sessionID, s.Retention, func(id int64) Version {
		v.ID, v.CreatedAt = id, s.second()
		s.rows.sign(&v)
		return v
	})
	ctx = context.WithoutCancel(ctx) // whatever becomes of the one who asked
	if errors.Is(err, fault.ErrUnsettled) {
		return Version{}, fmt.Errorf("store version: %w", err) // its row may be there, or be about to come
	}
	if err != nil {
		s.drop(ctx, v.Blob)
		switch {
		case errors.Is(err, ErrOverQuota):
			return Version{}, s.overQuota()
		case errors.Is(err, ErrNoSession):
			return Version{}, errGone
		}
		return Version{}, fmt.Errorf("store version: %w", err)
	}
	s.drop(ctx, freed...)
	return added, nil
}

// drop deletes blobs that no row names any more. What fails here is left to the sweep.
func (s *Service) drop(ctx context.Context, names ...string) {
	for _, name := range names {
		used, err := s.Store.NamesBlob(ctx, name)
		if err == nil && !used {
			err = s.Blobs.Delete(ctx, name)
		}
		if err != nil {
			s.Log.WarnContext(ctx, "a backup that is not needed any more was left; it is swept later", "blob", name, "err", err)
		}
	}
}
