package vault

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"caesar/internal/fault"
	"caesar/internal/keyring"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

// What can be answered of the vault's own.
var (
	ErrNotFound          = fault.New(fault.NotFound, "not_found", phrase.ItemNotFound)
	ErrMainPasswordUnset = fault.New(fault.Conflict, "main_password_unset", phrase.MainPasswordUnset)
	errMainPasswordWrong = fault.New(fault.Invalid, "main_password_wrong", phrase.MainPasswordWrong)
	errOldMainPassword   = errMainPasswordWrong.On("old_main_password") // also where it has just ceased to be right
	errGone              = fault.New(fault.Unauthenticated, "unauthenticated", phrase.LogIn)
	errBusy              = fault.New(fault.Unavailable, "unavailable", phrase.ChangedMeanwhile).After(time.Second)
)

// attempts bounds how often a request starts over because another one changed the same item.
const attempts = 10

// Owners tells of a vault's owner what the keys of the vault depend on.
type Owners interface {
	// IsLoginPassword says whether a normalised password is the user's login password, which a main
	// password must never be, and which credential that has.
	IsLoginPassword(ctx context.Context, userID int64, password string) (is bool, credential int64, err error)
	// Email returns a user's email as it is now: the salt of the next main password.
	Email(ctx context.Context, userID int64) (string, error)
	// MainPasswordNotice returns the sealed letter that tells a user that the main password was changed.
	MainPasswordNotice(ctx context.Context, userID int64, l phrase.Language) (letter []byte, err error)
	// LetterQueued is called when a letter lies in the queue.
	LetterQueued()
}

// Service is the vault. Its methods may be called by many at once.
type Service struct {
	store             Store
	keys              *keyring.Keyring
	guard             *throttle.Guard
	owners            Owners
	rows              rows
	leastMainPassword int
	now               func() time.Time
	unlocking         *turns // by session
	changing          *turns // by item
}

// Config is what a vault is made of.
type Config struct {
	Store             Store
	Keys              *keyring.Keyring
	Guard             *throttle.Guard
	Owners            Owners
	Root              *rootkey.Ring
	LeastMainPassword int // characters
	Now               func() time.Time
}

// NewService returns a vault.
func NewService(c Config) *Service {
	return &Service{
		store: c.Store, keys: c.Keys, guard: c.Guard, owners: c.Owners,
		rows: newRows(c.Root), leastMainPassword: c.LeastMainPassword, now: c.Now,
		unlocking: newTurns(), changing: newTurns(),
	}
}

// Create keeps a new item and returns its id.
func (s *Service) Create(ctx context.Context, who session.Asker, mainPassword string, p Plain) (int64, error) {
	if err := fault.InvalidFields(p.Check()); err != nil {
		return 0, err
	}
	key, err := s.unlock(ctx, who, mainPassword, 0)
	if err != nil {
		return 0, err
	}
	draft, err := s.rows.sealNew(key, who.UserID, p, s.second())
	if err != nil {
		return 0, err
	}
	item, err := s.store.CreateItem(ctx, who.UserID, draft.withID)
	if errors.Is(err, ErrNoOwner) {
		return 0, errGone
	}
	if err != nil {
		return 0, fmt.Errorf("create item: %w", err)
	}
	return item.ID, nil
}

// List returns a page of the items that match, as they lie: sealed.
func (s *Service) List(ctx context.Context, who session.Asker, q Query) ([]Item, int64, error) {
	items, count, err := s.store.Items(ctx, who.UserID, q)
	if err != nil {
		return nil, 0, fmt.Errorf("list items: %w", err)
	}
	for i := range items {
		if err := s.rows.check(&items[i]); err != nil {
			return nil, 0, err
		}
	}
	return items, count, nil
}

// View opens an item and writes so in its log.
func (s *Service) View(ctx context.Context, who session.Asker, mainPassword string, id int64) (p Plain, err error) {
	key, err := s.unlock(ctx, who, mainPassword, id)
	if err != nil {
		return Plain{}, err
	}
	err = s.settle(ctx, who.UserID, id, func(item Item) (done bool, err error) {
		if p, err = item.open(key); err != nil {
			return false, err
		}
		// What was opened may have been edited or deleted since: then there is nothing to answer yet.
		done, err = s.store.LogView(ctx, who.UserID, id, item.MAC, s.second())
		if err != nil {
			return false, fmt.Errorf("log view: %w", err)
		}
		return done, nil
	})
	if err != nil {
		return Plain{}, err
	}
	return p, nil
}

// Edit replaces what an item holds and returns the item, sealed.
func (s *Service) Edit(ctx context.Context, who session.Asker, mainPassword string, id int64, c Change) (edited Item, err error) {
	if err := fault.InvalidFields(c.Check()); err != nil {
		return Item{}, err
	}
	user, err := s.unlock(ctx, who, mainPassword, id)
	if err != nil {
		return Item{}, err
	}
	err = s.settle(ctx, who.UserID, id, func(item Item) (done bool, err error) {
		key, err := user.ItemKey(item.Key)
		if err != nil {
			return false, fmt.Errorf("unwrap key of item %d: %w", id, err)
		}
		was := item.MAC
		item.fill(key, c.apply(item))
		if now := s.second(); now.After(item.UpdatedAt) {
			item.UpdatedAt = now
		}
		s.rows.sign(&item)
		edited = item
		if done, err = s.store.ReplaceItem(ctx, item, was); err != nil {
			return false, fmt.Errorf("replace item: %w", err)
		}
		return done, nil
	})
	if err != nil {
		return Item{}, err
	}
	return edited, nil
}

// settle has do work on an item until it is done on what the item is by then. After the first time that
// another request came between, those at the same item take turns, so that all get through.
func (s *Service) settle(ctx context.Context, userID, id int64, do func(Item) (done bool, err error)) error {
	for attempt := range attempts {
		if attempt == 1 {
			done, err := s.changing.take(ctx, strconv.FormatInt(id, 10))
			if err != nil {
				return fmt.Errorf("wait for item: %w", err)
			}
			defer done()
		}
		item, err := s.item(ctx, userID, id)
		if err != nil {
			return err
		}
		if done, err := do(item); done || err != nil {
			return err
		}
	}
	return errBusy
}

// Delete deletes an item.
func (s *Service) Delete(ctx context.Context, who session.Asker, mainPassword string, id int64) error {
	if _, err := s.unlock(ctx, who, mainPassword, id); err != nil {
		return err
	}
	deleted, err := s.store.DeleteItem(ctx, who.UserID, id, s.second())
	if errors.Is(err, ErrNoOwner) {
		return errGone
	}
	if err != nil {
		return fmt.Errorf("delete item: %w", err)
	}
	if !deleted {
		return ErrNotFound
	}
	return nil
}

// ItemLog returns a page of an item's log, newest first.
func (s *Service) ItemLog(ctx context.Context, who session.Asker, id int64, page Page) ([]Entry, int64, error) {
	entries, count, err := s.store.ItemLog(ctx, who.UserID, id, page)
	if errors.Is(err, ErrNoItem) {
		return nil, 0, ErrNotFound
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read item log: %w", err)
	}
	return entries, count, nil
}

// Log returns a page of the asker's whole log, newest first.
func (s *Service) Log(ctx context.Context, who session.Asker, page Page) ([]Entry, int64, error) {
	entries, count, err := s.store.Log(ctx, who.UserID, page)
	if err != nil {
		return nil, 0, fmt.Errorf("read log: %w", err)
	}
	return entries, count, nil
}

// item returns one item whose row is as it was written.
func (s *Service) item(ctx context.Context, userID, id int64) (Item, error) {
	item, err := s.store.Item(ctx, userID, id)
	if errors.Is(err, ErrNoItem) {
		return Item{}, ErrNotFound
	}
	if err != nil {
		return Item{}, fmt.Errorf("read item: %w", err)
	}
	return item, s.rows.check(&item)
}

// second is the time as documents count it.
func (s *Service) second() time.Time { return s.now().Truncate(time.Second) }
