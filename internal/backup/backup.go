// Package backup is what a person backs up: versions of one file, each streamed through age into a blob
// and named by a row.
//
// What always holds: a version is there whole or not at all, and what Upload has answered survives a
// power cut; nothing of a file lies on disk in the clear, and none is ever held whole in memory; a row
// carries a MAC over all its columns, and binds its blob by the hash of the age header (which no two
// blobs share), so that a row or a blob that was altered or swapped is an error, never an answer; what
// is read was authenticated first; another user's version is never told from an absent one.
package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// Version is one uploaded file.
type Version struct {
	ID     int64 // positive, rising; never given twice
	UserID int64
	// Name is the label that was sent with the file, as Label returns it: for people, never a path.
	Name      string
	Size      int64 // bytes
	SHA256    [sha256.Size]byte
	CreatedAt time.Time // to the second
	// Blob is the name of the blob that holds the file, as an age file (https://age-encryption.org/v1).
	Blob string
	// HeaderSize and HeaderHash are the length in bytes and the SHA-256 of the blob's age header and
	// of the nonce behind it: all that the file's key follows from.
	HeaderSize int64
	HeaderHash [sha256.Size]byte
	MAC        []byte // over all of the above
}

// Errors of a Store.
var (
	// ErrNoVersion says that a user has no such version, whether or not somebody else has.
	ErrNoVersion = errors.New("no such version")
	// ErrNoSession says that the session in which a version was uploaded has ended, by itself or with
	// its user.
	ErrNoSession = errors.New("the session has ended")
	// ErrOverQuota says that a version does not fit into what a user may keep.
	ErrOverQuota = errors.New("over the quota")
)

// Retention is what a user may keep.
type Retention struct {
	Keep  int   // how many versions are kept: with one more, the oldest goes
	Quota int64 // bytes of all versions that are kept
}

// Store keeps the rows of versions. Every method is one transaction; what it has answered survives a
// power cut. Methods may be called by many at once.
type Store interface {
	// AddVersion stores a version and deletes those past what is kept, the oldest first; it returns
	// the row and the names of the blobs that no row names any more. The id is known inside the
	// transaction only, so the store asks seal for the row that belongs to it; seal is quick and may
	// be called again. ErrOverQuota where the version does not fit beside those that stay, ErrNoSession
	// where the user has no such session any more: then nothing has changed. Where the error is
	// fault.ErrUnsettled the row may be there, or come yet.
	AddVersion(ctx context.Context, userID, sessionID int64, r Retention, seal func(id int64) Version) (v Version, freed []string, err error)
	// Staying returns how many bytes those versions of a user take that stay beside a new one, of which
	// with it so many are kept.
	Staying(ctx context.Context, userID int64, keep int) (bytes int64, err error)
	// Version returns a version, the newest where the id is 0, or ErrNoVersion.
	Version(ctx context.Context, userID, id int64) (Version, error)
	// Versions returns all versions of a user, newest first.
	Versions(ctx context.Context, userID int64) ([]Version, error)
	// DeleteVersion deletes a version and returns the name of its blob, or ErrNoVersion. Of many at
	// once, one is told the name.
	DeleteVersion(ctx context.Context, userID, id int64) (freed string, err error)
	// EraseVersions deletes up to most versions of a user and returns the names of their blobs; none
	// are left where it returns none.
	EraseVersions(ctx context.Context, userID int64, most int) (freed []string, err error)
	// NamesBlob says whether a row names a blob, as of all that was stored before the call.
	NamesBlob(ctx context.Context, blob string) (bool, error)
}
