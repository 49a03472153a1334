package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/keyring"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// stage is a database with somebody who has one of everything.
type stage struct {
	*sqlstore.Store

	t    *testing.T
	url  string
	id   int64
	item vault.Item
	in   session.Identity
	hash []byte
	code user.Code
}

var night = time.Unix(1_800_000_000, 0)

func newStage(t *testing.T, database string) *stage {
	t.Helper()
	s := &stage{t: t, url: schemaOf(t, database)}
	s.Store = openPostgres(t, s.url)
	s.id = register(t, s.Store, "marcus")
	o := session.Open(s.id, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, night)
	s.hash, s.code = o.TokenHash, user.Code{Slot: []byte("slot"), Hash: []byte("hash")}
	item, made := s.CreateItem(t.Context(), s.id, sealed(s.id, "github"))
	_, signed := s.SignIn(t.Context(), user.SignIn{Opening: o, Credential: 1})
	in, found := s.FindSession(t.Context(), s.id, s.hash, night)
	_, asked := s.RequestCode(t.Context(), s.request(user.Anybody))
	_, _, taken := s.TakeAll(t.Context(), throttle.Question{Otherwise: []throttle.Take{oneToken}}, night)
	_, remembered := s.RememberBackupKey(t.Context(), "age1", func(string) bool { return true })
	s.item, s.in = item, in
	if err := errors.Join(made, signed, found, asked, taken, remembered); err != nil {
		t.Fatal(err)
	}
	return s
}

var oneToken = throttle.Take{Key: []byte("bucket"), Burst: 2, Every: time.Minute}

func (s *stage) request(userID int64) user.CodeRequest {
	return user.CodeRequest{Code: s.code, UserID: userID, Letter: []byte("letter"), Now: night, ExpiresAt: night.Add(time.Minute), Resend: time.Minute}
}

// waiting is whether somebody waits for a lock. A database counts those of all its schemas.
func (s *stage) waiting() bool {
	return asked[bool](s.t, s.url, "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
}

// during makes a call while a transaction that said statements lasts, and tells whether it had to wait.
func (s *stage) during(statements []string, call func() (any, error)) (waited bool, answer any, err error) {
	s.t.Helper()
	conn := connected(s.t, s.url)
	defer func() { _ = conn.Close(context.Background()) }()
	tx, err := conn.Begin(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := tx.Exec(s.t.Context(), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		answer, err = call()
	}()
	for over := false; !over && !waited; waited = !over && s.waiting() {
		select {
		case <-done:
			over = true
		case <-time.After(time.Millisecond):
		}
	}
	if err := tx.Commit(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	<-done
	return waited, answer, err
}

// What others do while a method is called: each without an end yet.
var (
	userLocked    = []string{"SELECT 1 FROM users FOR NO KEY UPDATE"}
	userErased    = []string{"SELECT 1 FROM users FOR NO KEY UPDATE", "DELETE FROM handles", "DELETE FROM sessions", "DELETE FROM users"}
	itemDeleted   = []string{"DELETE FROM items"}
	codeUsed      = []string{"UPDATE codes SET user_id = 0, tries = 5"}
	bucketTaken   = []string{"UPDATE throttles SET until_ns = until_ns + 60000000000"}
	keyChanged    = []string{"UPDATE facts SET value = 'age2'"}
	sessionInUse  = []string{"SELECT 1 FROM sessions FOR KEY SHARE"}
	letterClaimed = []string{"UPDATE mail_queue SET due_at_ms = due_at_ms + 1000"}
)

// locked is a method that is called while others do something: whether it waits, and what it answers then.
type locked struct {
	what   string
	others []string
	call   func(*stage) (any, error)
	waits  bool
	answer any
	err    error
}

func TestWhatADecisionRestsOnIsLockedBeforeItIsLookedAt(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	for _, c := range append(waitingForOwner(), append(waitingForRows(), waitingForNobody()...)...) {
		t.Run(c.what, func(t *testing.T) {
			s := newStage(t, database)
			waited, answer, err := s.during(c.others, func() (any, error) { return c.call(s) })
			if waited != c.waits || answer != c.answer || !errors.Is(err, c.err) {
				t.Errorf("it waited: %v, want %v; it answered %v, %v, want %v, %v", waited, c.waits, answer, err, c.answer, c.err)
			}
		})
	}
}

// waitingForOwner are the methods that let no other change what is a user's at the same moment.
func waitingForOwner() (all []locked) {
	ctx := context.Background()
	for what, call := range map[string]func(*stage) (any, error){
		"signing in": func(s *stage) (any, error) {
			return s.SignIn(ctx, user.SignIn{Opening: session.Open(s.id, session.Device{}, session.Long, night), Credential: 1})
		},
		"changing the password": func(s *stage) (any, error) {
			return s.ChangePassword(ctx, s.id, user.Seen{Credential: 1}, []byte("new"), 0, []byte("letter"), night)
		},
		"changing the profile": func(s *stage) (any, error) {
			return s.UpdateUser(ctx, user.Update{UserID: s.id, Now: night})
		},
		"changing the vault keys": func(s *stage) (any, error) {
			return s.ReplaceKeyRecord(ctx, s.id, 1, keyring.Record{Revision: 1, SealedUserKey: []byte("k"), Verifier: []byte("v"), PublicKey: []byte("p"), MAC: []byte("m")}, 0, nil, night)
		},
		"closing the account": func(s *stage) (any, error) {
			return true, s.CloseAccount(ctx, s.id, night, []byte("letter"), night)
		},
		"erasing": func(s *stage) (any, error) {
			return s.Erase(ctx, s.id, true, []byte("letter"), night)
		},
		"keeping an item": func(s *stage) (any, error) {
			_, err := s.CreateItem(ctx, s.id, sealed(s.id, "github"))
			return err == nil, err
		},
		"deleting an item": func(s *stage) (any, error) { return s.DeleteItem(ctx, s.id, s.item.ID, night) },
		"ending all other sessions": func(s *stage) (any, error) {
			return true, s.EndOtherSessions(ctx, s.id, s.in.SessionID)
		},
		"storing a version": func(s *stage) (any, error) {
			_, _, err := s.AddVersion(ctx, s.id, s.in.SessionID, backup.Retention{Keep: 1, Quota: 10}, sealedVersion(s.id))
			return err == nil, err
		},
	} {
		all = append(all, locked{what + " while the owner is locked", userLocked, call, true, true, nil})
	}
	return all
}

// waitingForRows are the methods that wait for who is about to change a row they decide upon.
func waitingForRows() []locked {
	ctx := context.Background()
	return []locked{
		{"viewing an item that is being deleted", itemDeleted, func(s *stage) (any, error) {
			return s.LogView(ctx, s.id, s.item.ID, s.item.MAC, night)
		}, true, false, nil},
		{"deleting an item that is being deleted", itemDeleted, func(s *stage) (any, error) {
			return s.DeleteItem(ctx, s.id, s.item.ID, night)
		}, true, false, nil},
		{"noting a wrong main password of one who is being erased", userErased, func(s *stage) (any, error) {
			failed := s.LogWrongMainPassword(ctx, s.id, 0, night)
			_, count, err := s.Log(ctx, s.id, vault.Page{Number: 1, Size: 20})
			return count, errors.Join(failed, err)
		}, true, int64(1), nil}, // that of the item
		{"keeping an item of one who is being erased", userErased, func(s *stage) (any, error) {
			_, err := s.CreateItem(ctx, s.id, sealed(s.id, "github"))
			return nil, err
		}, true, nil, vault.ErrNoOwner},
		{"storing a version of one who is being erased", userErased, func(s *stage) (any, error) {
			_, _, err := s.AddVersion(ctx, s.id, s.in.SessionID, backup.Retention{Keep: 1, Quota: 10}, sealedVersion(s.id))
			return nil, err
		}, true, nil, backup.ErrNoSession},
		{"registering with a code that is being used", codeUsed, func(s *stage) (any, error) {
			return s.RegisterMember(ctx, s.code, newUser("tullius"))
		}, true, false, nil},
		{"looking at a code that is being used", codeUsed, func(s *stage) (any, error) {
			return s.CheckCode(ctx, s.code, user.Anybody, night)
		}, true, false, nil},
		{"asking a bucket of which the last token is being taken", bucketTaken, func(s *stage) (any, error) {
			_, wait, err := s.TakeAll(ctx, throttle.Question{Otherwise: []throttle.Take{oneToken}}, night)
			return wait, err
		}, true, time.Minute, nil},
		{"following a backup key that is being changed", keyChanged, func(s *stage) (any, error) {
			return s.RememberBackupKey(ctx, "age3", func(recipient string) bool { return recipient == "age1" })
		}, true, "age2", nil},
		{"ending a session while a version is stored in it", sessionInUse, func(s *stage) (any, error) {
			return s.EndSession(ctx, s.id, s.in.SessionID)
		}, true, true, nil},
	}
}

// waitingForNobody are those that read, and those that leave to others what is theirs.
func waitingForNobody() (all []locked) {
	ctx := context.Background()
	for what, call := range map[string]func(*stage) error{
		"finding a session": func(s *stage) error {
			_, err := s.FindSession(ctx, s.id, s.hash, night)
			return err
		},
		"listing": func(s *stage) error {
			_, _, err := s.Items(ctx, s.id, vault.Query{Page: vault.Page{Number: 1, Size: 20}})
			return err
		},
		"logging a view": func(s *stage) error {
			logged, err := s.LogView(ctx, s.id, s.item.ID, s.item.MAC, night)
			if !logged {
				err = errors.Join(err, errors.New("it was not logged"))
			}
			return err
		},
		"noting a wrong main password": func(s *stage) error { return s.LogWrongMainPassword(ctx, s.id, 0, night) },
		"registering somebody else at the email": func(s *stage) error {
			other := newUser("tullius")
			other.EmailHandle = "marcus@example.org"
			if _, err := s.Register(ctx, other); !errors.Is(err, user.ErrEmailTaken) {
				return err
			}
			return nil
		},
	} {
		all = append(all, locked{what + " while the owner is locked", userLocked, func(s *stage) (any, error) { return nil, call(s) }, false, nil, nil})
	}
	return append(all, locked{"claiming letters of which another has claimed one", letterClaimed, func(s *stage) (any, error) {
		letters, err := s.ClaimMail(ctx, night, time.Minute, 10)
		return len(letters), err
	}, false, 0, nil})
}
