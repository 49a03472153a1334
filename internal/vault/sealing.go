package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"caesar/internal/encstring"
	"caesar/internal/keyring"
	"caesar/internal/rootkey"
)

// ErrTampered says that a row is not as this server wrote it: altered, or moved from another place.
var ErrTampered = errors.New("row does not fit its MAC")

// rows binds items to their places in the database.
type rows struct{ mac *rootkey.MAC }

func newRows(root *rootkey.Ring) rows { return rows{root.MAC("item row")} }

// sign sets the item's MAC.
func (r rows) sign(item *Item) {
	item.MAC = r.mac.Sum(r.parts(item)...)
}

// check returns ErrTampered where the item is not as it was signed.
func (r rows) check(item *Item) error {
	if !r.mac.Verify(item.MAC, r.parts(item)...) {
		return fmt.Errorf("item %d: %w", item.ID, ErrTampered)
	}
	return nil
}

func (r rows) parts(item *Item) [][]byte {
	var numbers [32]byte
	binary.BigEndian.PutUint64(numbers[0:], uint64(item.UserID))
	binary.BigEndian.PutUint64(numbers[8:], uint64(item.ID))
	binary.BigEndian.PutUint64(numbers[16:], uint64(item.CreatedAt.Unix()))
	binary.BigEndian.PutUint64(numbers[24:], uint64(item.UpdatedAt.Unix()))
	return [][]byte{
		numbers[:],
		[]byte(item.Key), []byte(item.Name), []byte(item.Email), []byte(item.Password),
		[]byte(item.SealedPlatform), []byte(item.SealedURL), []byte(item.Platform), []byte(item.URL),
	}
}

// sealed is a plain item under a key, waiting for its id.
type sealed struct {
	Item
	rows rows
}

// sealNew seals a plain item under a key of its own.
func (r rows) sealNew(user *keyring.UserKey, userID int64, p Plain, now time.Time) (sealed, error) {
	key, wrapped, err := user.NewItemKey()
	if err != nil {
		return sealed{}, fmt.Errorf("make item key: %w", err)
	}
	s := sealed{Item: Item{UserID: userID, Key: wrapped, CreatedAt: now, UpdatedAt: now}, rows: r}
	s.fill(key, p)
	return s, nil
}

// withID returns the item as the row with an id.
func (s sealed) withID(id int64) Item {
	s.ID = id
	s.rows.sign(&s.Item)
	return s.Item
}

// fill seals the fields of a plain item under the item's key.
func (item *Item) fill(key *encstring.Key, p Plain) {
	item.Name = key.Seal([]byte(p.Name))
	item.Email = key.Seal([]byte(p.Email))
	item.Password = key.Seal([]byte(p.Password))
	item.SealedPlatform = key.Seal([]byte(p.Platform))
	item.SealedURL = key.Seal([]byte(p.URL))
	item.Platform, item.URL = p.Platform, p.URL
}

// open returns what an item holds.
func (item *Item) open(user *keyring.UserKey) (Plain, error) {
	key, err := user.ItemKey(item.Key)
	if err != nil {
		return Plain{}, fmt.Errorf("unwrap key of item %d: %w", item.ID, err)
	}
	p := Plain{Platform: item.Platform, URL: item.URL}
	for _, field := range []struct {
		sealed string
		plain  *string
	}{{item.Name, &p.Name}, {item.Email, &p.Email}, {item.Password, &p.Password}} {
		text, err := key.Open(field.sealed)
		if err != nil {
			return Plain{}, fmt.Errorf("open item %d: %w", item.ID, err)
		}
		*field.plain = string(text)
	}
	return p, nil
}
