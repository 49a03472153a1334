// Package vault is what a person keeps: items, the search over them, and the log of what was done.
//
// What always holds: an item's name, email and password reach a Store only as EncStrings under the
// item's own key; each row carries a MAC that binds it to its user and its id, and a row whose MAC does
// not fit is an error, never an answer; what a request did and its log row are one transaction; another
// user's item is never told from an absent one.
package vault

import (
	"context"
	"errors"
	"time"

	"caesar/internal/keyring"
)

// Item is what document 003 calls an account, as it lies in a store: sealed.
type Item struct {
	ID     int64 // positive, rising; never given twice
	UserID int64
	// Key is the item's own key, wrapped under the user key as an EncString; empty where another
	// client sealed the fields under the user key itself.
	Key string
	// Name, Email, Password, SealedPlatform and SealedURL are EncStrings under the item's key.
	Name, Email, Password, SealedPlatform, SealedURL string
	// Platform and URL lie in the clear beside them: the documented list shows and searches them.
	Platform, URL string
	CreatedAt     time.Time // to the second
	UpdatedAt     time.Time // to the second
	MAC           []byte    // over all of the above
}

// Action is what was done, as the log counts it: document 003 names 0, 1 and 2, the others are ours.
type Action int

// The actions.
const (
	Created Action = iota
	Viewed
	Edited
	Deleted
	WrongMainPassword
)

// Entry is one row of a user's log.
type Entry struct {
	ID     int64
	ItemID int64 // 0 where the request named no item
	Action Action
	At     time.Time // to the second
}

// ErrNoOwner says that the user who is to keep an item is gone.
var ErrNoOwner = errors.New("no such user")

// ErrStale says that the login password is not any more the one that a main password was compared with.
var ErrStale = errors.New("login password changed since it was compared")

// ErrNoItem says that a user has no such item, whether or not somebody else has.
var ErrNoItem = errors.New("no such item")

// Store keeps items and their log. Every method is one transaction that sees and touches the rows of
// one user only; what it has answered survives a power cut. Methods may be called by many at once.
type Store interface {
	// CreateItem stores an item and its log row. The id is known inside the transaction only, so the
	// store asks seal for the row that belongs to it; seal is quick and may be called again where the
	// transaction is tried again. ErrNoOwner where the user was erased in the meantime.
	CreateItem(ctx context.Context, userID int64, seal func(id int64) Item) (Item, error)
	// Item returns an item, or ErrNoItem.
	Item(ctx context.Context, userID, id int64) (Item, error)
	// Items returns a page of the items that match, newest (by id) first, and how many match in all.
	Items(ctx context.Context, userID int64, q Query) (items []Item, count int64, err error)
	// LogView writes that an item was viewed, if it is still there with this MAC, and says whether.
	LogView(ctx context.Context, userID, id int64, mac []byte, now time.Time) (logged bool, err error)
	// ReplaceItem stores a new content of item.ID and its log row, if the item is still there with
	// the MAC was, and says whether.
	ReplaceItem(ctx context.Context, item Item, was []byte) (replaced bool, err error)
	// DeleteItem deletes an item and writes so in the log, and says whether there was one. Of many at
	// once, one is told yes. ErrNoOwner where the user was erased in the meantime and the item not yet.
	DeleteItem(ctx context.Context, userID, id int64, now time.Time) (deleted bool, err error)
	// LogWrongMainPassword writes that somebody tried a wrong main password, on an item or on none.
	LogWrongMainPassword(ctx context.Context, userID, itemID int64, now time.Time) error
	// ItemLog returns a page of what was created, viewed and edited of an item, newest first, and how
	// many entries there are in all; ErrNoItem where the user has no such item.
	ItemLog(ctx context.Context, userID, itemID int64, page Page) ([]Entry, int64, error)
	// Log returns a page of a user's whole log, newest first, and how many entries there are in all.
	Log(ctx context.Context, userID int64, page Page) ([]Entry, int64, error)

	// KeyRecord returns a user's vault keys; the zero record while no main password is set.
	KeyRecord(ctx context.Context, userID int64) (keyring.Record, error)
	// ReplaceKeyRecord stores a user's first or next vault keys, queues the letter (nil for none) and ends
	// all of the user's sessions but one, if the keys in force still have the revision before it, and says
	// whether. ErrStale where only the login password has not the credential any more.
	ReplaceKeyRecord(ctx context.Context, userID, credential int64, r keyring.Record, keepSession int64, letter []byte, now time.Time) (replaced bool, err error)
}
