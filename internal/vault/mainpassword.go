package vault

import (
	"context"
	"errors"
	"fmt"

	"caesar/internal/fault"
	"caesar/internal/keyring"
	"caesar/internal/password"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

// unlock returns the asker's user key for their main password. A password that this session has shown
// lately is recognised cheaply; any other pays the full price, counts at the throttle, and where it is
// wrong stands in the log of the item it was tried on.
func (s *Service) unlock(ctx context.Context, who session.Asker, mainPassword string, itemID int64) (*keyring.UserKey, error) {
	return s.unlockField(ctx, who, "main_password", mainPassword, itemID)
}

func (s *Service) unlockField(ctx context.Context, who session.Asker, field, mainPassword string, itemID int64) (*keyring.UserKey, error) {
	mainPassword, wrong, ok := password.Normalize(mainPassword)
	if !ok {
		return nil, fault.InvalidField(field, wrong)
	}
	if who.KeyRevision == 0 {
		return nil, ErrMainPasswordUnset
	}
	if key, ok := s.keys.Recall(who.Key(), who.UserID, who.KeyRevision, mainPassword); ok {
		return key, nil
	}
	// Of many requests that a client makes at once, the first pays; the others find what it remembered
	// and are no guesses.
	done, err := s.unlocking.take(ctx, who.Key())
	if err != nil {
		return nil, fmt.Errorf("wait for unlocking: %w", err)
	}
	defer done()
	if key, ok := s.keys.Recall(who.Key(), who.UserID, who.KeyRevision, mainPassword); ok {
		return key, nil
	}
	attempt, err := s.guard.Attempt(ctx, throttle.Inside(who.UserID), who.Address)
	if err != nil {
		return nil, err
	}
	record, err := s.store.KeyRecord(ctx, who.UserID)
	if err != nil {
		return nil, fmt.Errorf("read key record: %w", err)
	}
	if record.Revision == 0 { // the user may have been erased since the session was looked up
		if _, err := s.owners.Email(ctx, who.UserID); err != nil {
			return nil, fmt.Errorf("read owner: %w", err)
		}
	}
	if record.Revision < who.KeyRevision {
		// One of an earlier main password was put back: it would open the vault to that password.
		return nil, fmt.Errorf("key record of revision %d for a user at %d: %w", record.Revision, who.KeyRevision, keyring.ErrTampered)
	}
	key, err := s.keys.Unlock(ctx, who.UserID, record, mainPassword)
	if errors.Is(err, keyring.ErrWrongPassword) {
		if err := s.store.LogWrongMainPassword(ctx, who.UserID, itemID, s.second()); err != nil {
			return nil, fmt.Errorf("log wrong main password: %w", err)
		}
		return nil, errMainPasswordWrong.On(field)
	}
	if err != nil {
		return nil, fmt.Errorf("unlock: %w", err)
	}
	if err := attempt.Right(ctx); err != nil {
		return nil, fmt.Errorf("note right guess: %w", err)
	}
	s.keys.Remember(who.Key(), who.UserID, record.Revision, mainPassword, key)
	return key, nil
}

// SetMainPassword sets a user's first main password, or replaces it by a new one where old is right.
// The items stay as they are: only the user key is wrapped anew. All other sessions end, and the owner is
// told by mail of a change.
func (s *Service) SetMainPassword(ctx context.Context, who session.Asker, old, next string) error {
	next, wrong, ok := password.NormalizeNew(next, s.leastMainPassword)
	if !ok {
		return fault.InvalidField("main_password", wrong)
	}
	for range attempts {
		if err := s.setMainPassword(ctx, who, old, next); !errors.Is(err, ErrStale) {
			return err
		}
	}
	return errBusy
}

func (s *Service) setMainPassword(ctx context.Context, who session.Asker, old, next string) error {
	record, credential, err := s.nextKeyRecord(ctx, who, old, next)
	if err != nil {
		return err
	}
	var letter []byte
	if who.KeyRevision != 0 {
		if letter, err = s.owners.MainPasswordNotice(ctx, who.UserID, who.Language); err != nil {
			return fmt.Errorf("write notice: %w", err)
		}
	}
	set, err := s.store.ReplaceKeyRecord(ctx, who.UserID, credential, record, who.SessionID, letter, s.second())
	if err != nil {
		return fmt.Errorf("replace key record: %w", err)
	}
	if !set {
		return errOldMainPassword // it has just ceased to be right, or to be needless
	}
	if letter != nil {
		s.owners.LetterQueued()
	}
	s.keys.ForgetUser(who.UserID)
	return nil
}

// nextKeyRecord returns the record that locks the user's vault with the main password next, and the
// credential of the login password that it was compared with.
func (s *Service) nextKeyRecord(ctx context.Context, who session.Asker, old, next string) (r keyring.Record, credential int64, err error) {
	var key *keyring.UserKey
	if who.KeyRevision != 0 {
		if key, err = s.unlockField(ctx, who, "old_main_password", old, 0); err != nil {
			return r, 0, err
		}
	}
	// The answer tells of the login password, and so the question counts as a wrong guess at it.
	if _, err := s.guard.Attempt(ctx, throttle.Inside(who.UserID), who.Address); err != nil {
		return r, 0, err
	}
	same, credential, err := s.owners.IsLoginPassword(ctx, who.UserID, next)
	if err != nil {
		return r, 0, fmt.Errorf("compare with login password: %w", err)
	}
	if same {
		return r, 0, fault.InvalidField("main_password", phrase.MainIsLogin)
	}
	email, err := s.owners.Email(ctx, who.UserID)
	if err != nil {
		return r, 0, fmt.Errorf("read email: %w", err)
	}
	if key == nil {
		draft, err := s.keys.Make(ctx, email, next)
		if err != nil {
			return r, 0, fmt.Errorf("make vault keys: %w", err)
		}
		return draft.Bind(who.UserID), credential, nil
	}
	if r, err = s.store.KeyRecord(ctx, who.UserID); err != nil {
		return r, 0, fmt.Errorf("read key record: %w", err)
	}
	if r.Revision != who.KeyRevision {
		return r, 0, errOldMainPassword
	}
	if r, err = s.keys.Rewrap(ctx, who.UserID, r, key, email, next); err != nil {
		return r, 0, fmt.Errorf("rewrap user key: %w", err)
	}
	return r, credential, nil
}
