// Package storetest holds every back end of package sqlstore to what the domain's store interfaces
// promise: the answers, the transactions, and what many at once may do.
//
// It knows a back end by those interfaces alone: what a test expects, it reads back through them. So
// nothing here is true of one engine only.
package storetest

import (
	"context"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/captcha"
	"caesar/internal/mail"
	"caesar/internal/session"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// Store is all that a back end is.
type Store interface {
	user.Store
	vault.Store
	session.Store
	captcha.Store
	throttle.Store
	mail.Store
	backup.Store

	// Sweep deletes what has run out.
	Sweep(ctx context.Context, now time.Time) error
	// Ready says whether the database answers, and takes writes.
	Ready(ctx context.Context) error
	// RememberRootKey stores a mark where none is stored yet, and returns what is stored then.
	RememberRootKey(ctx context.Context, mark []byte) (stored []byte, err error)
	// RootKeyMark returns what RememberRootKey stored; nil before.
	RootKeyMark(ctx context.Context) (mark []byte, err error)
	// BlobsMark stores a mark of the place of blobs where none is stored yet, and returns what is stored then.
	BlobsMark(ctx context.Context, drawn []byte) (stored []byte, err error)
	// NamesAnyBlob says whether there is a blob that a row names, whosever it is.
	NamesAnyBlob(ctx context.Context) (bool, error)
	// Lease lends a name to one caller until a time, and says whether it is the caller.
	Lease(ctx context.Context, name string, now, until time.Time) (mine bool, err error)
	// RememberBackupKey stores the public half of the key that backups are sealed under, unless the one
	// that is stored does not open any more, and returns what is stored then.
	RememberBackupKey(ctx context.Context, current string, open func(recipient string) bool) (stored string, err error)
	// Close ends the writes that are under way. What is called after that fails.
	Close() error
}

// test is one thing that a back end must do, on an empty database of its own.
type test struct {
	name string
	run  func(*fixture)
}

// Run runs the suite. open returns an empty database at every call, which the suite closes.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"users", users},
		{"profiles", profiles},
		{"members", members},
		{"leaving", leaving},
		{"codes", codes},
		{"sessions", sessions},
		{"items", items},
		{"search", searches},
		{"log", logs},
		{"keys", keys},
		{"strangers", strangers},
		{"guards", guards},
		{"mail", mails},
		{"versions", versions},
		{"replicas", replicas},
		{"races", races},
		{"erasing", erasing},
		{"mixed", mixed},
		{"life", life},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range group.tests {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					f := &fixture{T: t, Store: open(t)}
					t.Cleanup(f.close)
					c.run(f)
				})
			}
		})
	}
}
