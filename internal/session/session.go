// Package session keeps who is logged in: an opaque token on the client's side, and on ours a row that
// holds only the token's SHA-256.
//
// What always holds: a session is looked up in the database at every request, so that ending it counts
// at once on every replica; a token is never stored, logged or put into an error.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
	"unicode/utf8"

	"caesar/internal/phrase"
)

// How long sessions live.
const (
	// Long is the life of a session of a bearer client, and of a cookie that is to be remembered.
	Long = 30 * 24 * time.Hour
	// Short is the longest life of a cookie session that ends with the browser.
	Short = 12 * time.Hour

	// touchEvery bounds how often a session's last use is written: a write for every read would make
	// reading as dear as writing.
	touchEvery = 5 * time.Minute

	// MostPerUser is how many sessions a user may have; the one unused for longest gives way.
	MostPerUser = 100

	maxClient = 200 // characters of a User-Agent that are kept
)

// ErrNone says that a token belongs to no live session.
var ErrNone = errors.New("no live session")

// Session is one row: one device that is logged in.
type Session struct {
	ID         int64 // unique over all users
	UserID     int64
	Device     Device
	CreatedAt  time.Time
	LastUsedAt time.Time // exact to a few minutes
	ExpiresAt  time.Time
}

// Device says, to the owner of a session, where it was opened.
type Device struct {
	Client  string // the User-Agent, cut
	Address string // the client's IP address at login
}

// Identity is what a live session proves about a request.
type Identity struct {
	UserID    int64
	SessionID int64
	// KeyRevision is the revision of the user's vault keys; 0 while no main password is set.
	KeyRevision int64
	lastUsedAt  time.Time
}

// Visitor is somebody who asks, logged in or not.
type Visitor struct {
	Address  netip.Addr // that the request came from
	Language phrase.Language
}

// Asker is a visitor with a live session.
type Asker struct {
	Identity
	Visitor
}

// NewIdentity is for stores: it makes the identity of a session that they found.
func NewIdentity(userID, sessionID, keyRevision int64, lastUsedAt time.Time) Identity {
	return Identity{UserID: userID, SessionID: sessionID, KeyRevision: keyRevision, lastUsedAt: lastUsedAt}
}

// Key names the session in the unlock cache.
func (i Identity) Key() string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(i.SessionID)))
}

// Store keeps the sessions. Rows of other users are never touched, whatever ids are given.
type Store interface {
	// FindSession returns the identity of a session that has not expired, of a user who may use it,
	// or ErrNone.
	FindSession(ctx context.Context, userID int64, tokenHash []byte, now time.Time) (Identity, error)
	// TouchSession writes the time of a session's last use; a session that is gone is no error.
	TouchSession(ctx context.Context, userID, id int64, now time.Time) error
	// Sessions lists a user's sessions that have not expired, newest first.
	Sessions(ctx context.Context, userID int64, now time.Time) ([]Session, error)
	// EndSession ends one session and says whether it was there to end.
	EndSession(ctx context.Context, userID, id int64) (ended bool, err error)
	// EndOtherSessions ends all of a user's sessions but one.
	EndOtherSessions(ctx context.Context, userID, keep int64) error
}

// Opening is a session about to be stored, with the token that only its client will hold.
type Opening struct {
	Token     string
	TokenHash []byte
	Session   Session // without ID
}

// Open draws a token for a user's new session. It stores nothing: the row is written together with the
// login that it belongs to.
func Open(userID int64, device Device, life time.Duration, now time.Time) Opening {
	var secret [32]byte
	rand.Read(secret[:])
	// The user's id leads, so that a session is found within its user's data alone.
	raw := append(binary.BigEndian.AppendUint64(nil, uint64(userID)), secret[:]...)
	hash := sha256.Sum256(raw)
	device.Client = cut(device.Client)
	return Opening{
		Token:     base64.RawURLEncoding.EncodeToString(raw),
		TokenHash: hash[:],
		Session: Session{
			UserID: userID, Device: device,
			CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(life),
		},
	}
}

// parse returns the user's id and the hash of a token, and whether it could be a token at all.
func parse(token string) (userID int64, hash []byte, ok bool) {
	var raw [40]byte
	if len(token) != base64.RawURLEncoding.EncodedLen(len(raw)) {
		return 0, nil, false
	}
	n, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(token))
	if err != nil || n != len(raw) { // the decoder passes over line breaks
		return 0, nil, false
	}
	userID = int64(binary.BigEndian.Uint64(raw[:8]))
	sum := sha256.Sum256(raw[:])
	return userID, sum[:], userID > 0
}

func cut(client string) string {
	if !utf8.ValidString(client) {
		return ""
	}
	if runes := []rune(client); len(runes) > maxClient {
		return string(runes[:maxClient])
	}
	return client
}

// Memory is what a process keeps in memory for sessions. It dies with them.
type Memory interface {
	Forget(session string)   // by its key
	ForgetUser(userID int64) // all sessions of a user
}

// Service answers who a token belongs to, and lets people see and end their sessions.
type Service struct {
	store  Store
	memory Memory
	now    func() time.Time
	log    *slog.Logger
}

// NewService returns a service over a store, which tells a memory of the sessions that it ends.
func NewService(store Store, memory Memory, now func() time.Time, log *slog.Logger) *Service {
	return &Service{store: store, memory: memory, now: now, log: log}
}

// Identify returns the identity that a token proves, or ErrNone.
func (s *Service) Identify(ctx context.Context, token string) (Identity, error) {
	userID, hash, ok := parse(token)
	if !ok {
		return Identity{}, ErrNone
	}
	now := s.now()
	who, err := s.store.FindSession(ctx, userID, hash, now)
	if err != nil {
		return Identity{}, fmt.Errorf("find session: %w", err)
	}
	if now.Sub(who.lastUsedAt) >= touchEvery {
		// Who is asking is known; not being able to note when must not turn them away.
		if err := s.store.TouchSession(ctx, userID, who.SessionID, now); err != nil {
			s.log.WarnContext(ctx, "session's last use not written", "err", err)
		}
	}
	return who, nil
}

// List returns the sessions of the one who asks, newest first.
func (s *Service) List(ctx context.Context, who Identity) ([]Session, error) {
	return s.store.Sessions(ctx, who.UserID, s.now())
}

// End ends one session of the one who asks and says whether there was one.
func (s *Service) End(ctx context.Context, who Identity, id int64) (ended bool, err error) {
	ended, err = s.store.EndSession(ctx, who.UserID, id)
	if ended {
		s.memory.Forget(Identity{SessionID: id}.Key())
	}
	return ended, err
}

// EndOthers ends all sessions of the one who asks but the one that asks. What is remembered of that one
// goes with the rest: it costs no more than to show the main password once more.
func (s *Service) EndOthers(ctx context.Context, who Identity) error {
	err := s.store.EndOtherSessions(ctx, who.UserID, who.SessionID)
	if err == nil {
		s.memory.ForgetUser(who.UserID)
	}
	return err
}
