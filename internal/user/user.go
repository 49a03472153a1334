// Package user is who a person is: registering, proving an email, logging in, the profile, and leaving.
//
// What always holds: a name or an email belongs to one user at most, whatever the spelling; a login
// password is stored only as an Argon2id hash, sealed under the root key and bound to its user; whoever
// only types a name or an email learns nothing of whether it is known, in words, status or work done;
// every door that checks a secret stands behind the throttle.
package user

import (
	"context"
	"errors"
	"time"

	"caesar/internal/keyring"
	"caesar/internal/phrase"
	"caesar/internal/session"
)

// Status is where a user stands.
type Status string

// The statuses.
const (
	Pending Status = "pending" // registered, the email not proven yet
	Active  Status = "active"
	Closing Status = "closing" // closed; erased when the grace is over, kept by a login before
)

// User is a person's row.
type User struct {
	ID     int64
	Status Status
	Profile
	// SealedPassword is the PHC string of the login password under the root key, bound to ID.
	SealedPassword []byte
	// Credential counts the changes of the login password, so that a login that began before one can
	// be told from one that began after.
	Credential int64
	// KeyRevision is the revision of the vault keys; 0 while no main password is set.
	KeyRevision int64
	// Language is what the user was last spoken to in: letters that nobody asked for are in it.
	Language  phrase.Language
	CreatedAt time.Time
}

// Profile is what a person says about themselves.
type Profile struct {
	Name      string // document 003: user_name, document 000: username
	RealName  string
	Email     string // as typed
	Phone     string
	Career    string
	BirthDate string // YYYY-MM-DD, or empty
}

// Seen is what was read of a user before a password was compared or made. It is stored only over what was
// seen, so that of two changes at once neither is made on what no longer holds.
type Seen struct {
	Credential  int64
	KeyRevision int64
}

// Seen returns what is to be still so when a change is stored.
func (u User) Seen() Seen { return Seen{u.Credential, u.KeyRevision} }

// Errors of a Store.
var (
	// ErrStale says that a user is not any more as it was seen: read it again.
	ErrStale      = errors.New("user changed since it was read")
	ErrNoUser     = errors.New("no such user")
	ErrNameTaken  = errors.New("name belongs to another user")
	ErrEmailTaken = errors.New("email belongs to another user")
)

// Handle is what may stand in a login field, folded: a name or an email. Names hold no @, emails do, so
// that one table keeps both apart.
type Handle string

// NewUser is a registration to be stored.
type NewUser struct {
	Profile
	NameHandle, EmailHandle Handle
	Status                  Status
	Language                phrase.Language
	// Bind returns what belongs to the id that the user gets, which only the transaction knows: the
	// sealed password, and the vault keys (nil for none). It is quick and may be called again.
	Bind func(id int64) (sealedPassword []byte, keys *keyring.Record, err error)
	// EraseAt is when a pending user is erased if nobody activates it.
	EraseAt time.Time
	Now     time.Time
}

// Code is a code as it was sent by mail, in the form that is stored: neither address nor digits can be
// read off it.
type Code struct {
	Slot []byte // keyed hash of purpose and address: one code at a time for each
	Hash []byte // keyed hash of purpose, address and digits
}

// CodeRequest is a code to be stored and its letter to be queued.
type CodeRequest struct {
	Code
	UserID    int64  // whose code it is; 0 where no code is ever right, Anybody where no user is there yet
	Letter    []byte // sealed for the mail queue
	Now       time.Time
	ExpiresAt time.Time
	Resend    time.Duration // the least time between two mails for the same slot
}

// MaxCodeTries is how many wrong tries end a code.
const MaxCodeTries = 5

// Store keeps users. Every method is one transaction; what it has answered survives a power cut.
// Methods may be called by many at once.
type Store interface {
	// Register stores a user and returns its id. A pending user who holds the email is erased with all
	// that belongs to it; otherwise ErrEmailTaken or ErrNameTaken, and nothing is changed.
	Register(ctx context.Context, u NewUser) (id int64, err error)
	// UserByHandle and UserByID return a user, or ErrNoUser.
	UserByHandle(ctx context.Context, h Handle) (User, error)
	UserByID(ctx context.Context, id int64) (User, error)

	// RequestCode stores a code over any before it and queues its letter; or says how long to wait
	// until it may, and changes nothing.
	RequestCode(ctx context.Context, r CodeRequest) (wait time.Duration, err error)
	// RegisterMember uses up a code that is right for Anybody and stores a user as Register does, of
	// whom a wrong code leaves nothing; it says whether the code was right. A wrong code is counted, and
	// with ErrEmailTaken or ErrNameTaken none is used up.
	RegisterMember(ctx context.Context, c Code, u NewUser) (right bool, err error)
	// CheckCode says whether a code is right for a user, without using it up. A wrong one is counted.
	CheckCode(ctx context.Context, c Code, userID int64, now time.Time) (right bool, err error)
	// Activate uses up a code that is right for a pending user, and makes the user active. Of many at
	// once, one is told yes. A wrong code is counted.
	Activate(ctx context.Context, c Code, userID int64, now time.Time) (right bool, err error)
	// ResetPassword uses up a code that is right for a user, stores a new password, ends all sessions
	// and queues the letter. Of many at once, one is told yes. ErrStale, and nothing is changed, where the
	// vault keys are not those of the revision.
	ResetPassword(ctx context.Context, c Code, userID, keyRevision int64, sealedPassword, letter []byte, now time.Time) (right bool, err error)

	// SignIn stores a session of a user whose password is still the one that was checked, and keeps a
	// closing account; it says whether it did.
	SignIn(ctx context.Context, in SignIn) (done bool, err error)
	// ChangePassword replaces a password that is still the one that was checked, ends all sessions but
	// one, queues the letter, and says whether it did. ErrStale where only the vault keys changed.
	ChangePassword(ctx context.Context, userID int64, seen Seen, sealedPassword []byte, keepSession int64, letter []byte, now time.Time) (done bool, err error)

	// UpdateUser stores a password and parts of a profile over what they are by then, all or nothing, and
	// says whether it did: not where the password was changed since it was checked; ErrStale where the email
	// or, for a change of password, the vault keys are not as they were seen. A change of password
	// brings with it what ChangePassword does. A change of email ends all sessions but one, drops the
	// codes in the slots, and queues the letter; a pending user who holds the email is erased. Where the
	// email or the name is another's, ErrEmailTaken or ErrNameTaken.
	UpdateUser(ctx context.Context, u Update) (done bool, err error)

	// CloseAccount makes a user closing, ends all sessions, queues the letter, and has the user erased at due.
	CloseAccount(ctx context.Context, userID int64, due time.Time, letter []byte, now time.Time) error
	// DueErasures returns users whose time has come.
	DueErasures(ctx context.Context, now time.Time, most int) ([]int64, error)
	// Erase makes a user gone for everybody: row, handles, keys and sessions. It does so only if an
	// erasure is due at now, or if force, and says whether. What remains of the user's data can't be
	// reached or opened any more, and goes by EraseRemains.
	Erase(ctx context.Context, userID int64, force bool, letter []byte, now time.Time) (erased bool, err error)
	// DropCodes deletes the codes at these slots that are a user's.
	DropCodes(ctx context.Context, userID int64, slots [][]byte) error
	// EraseRemains deletes up to most rows of an erased user's data and says whether any are left.
	EraseRemains(ctx context.Context, userID int64, most int) (more bool, err error)

	// KeyRecord returns a user's vault keys; the zero record while no main password is set.
	KeyRecord(ctx context.Context, userID int64) (keyring.Record, error)
}

// SignIn is a login that was right.
type SignIn struct {
	session.Opening
	Credential int64  // of the password that was checked
	Rehashed   []byte // replaces the sealed password where not nil
	Language   phrase.Language
}
