package keyring

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"sync"
	"time"

	"caesar/internal/encstring"
)

const (
	// cacheIdle is how long an unlocked key is remembered since its last use.
	cacheIdle = 5 * time.Minute
	// cacheSize is how many are remembered; the one unused for longest makes room.
	cacheSize = 4096
)

// Remember keeps a user key that Unlock has just opened, for this session alone, until it was not used
// for five minutes. A session has one: the newest.
func (k *Keyring) Remember(session string, userID, revision int64, mainPassword string, key *UserKey) {
	k.cache.put(session, userID, revision, mainPassword, key)
}

// Recall returns the user key remembered for a session, if it was for this revision of the record and
// for this main password. It is cheap; where it has nothing, Unlock costs the full price.
func (k *Keyring) Recall(session string, userID, revision int64, mainPassword string) (*UserKey, bool) {
	return k.cache.get(session, userID, revision, mainPassword)
}

// Forget drops what is remembered for a session. Call it when the session ends.
func (k *Keyring) Forget(session string) { k.cache.forget(session) }

// ForgetUser drops what is remembered for every session of a user. Call it when the main password
// changes and when the user is erased.
func (k *Keyring) ForgetUser(userID int64) { k.cache.forgetUser(userID) }

// cache remembers user keys. An entry is opened by the main password alone: it holds the user key masked
// by an HMAC of that password under a key made at start, so that the memory of the process does not give
// the keys of all who were here away. Entries are wiped when they are dropped.
type cache struct {
	now func() time.Time
	key [sha256.Size]byte

	mu        sync.Mutex
	bySession map[string]*list.Element // of *entry
	recent    *list.List               // the one used last in front
	sweep     *time.Timer              // nil while the cache is empty
}

type entry struct {
	session string
	userID  int64
	used    time.Time
	tag     [sha256.Size]byte       // proves session, user, revision and main password
	masked  [encstring.KeySize]byte // the user key XOR the mask
}

func entryAt(element *list.Element) *entry {
	return element.Value.(*entry) //nolint:errcheck // nothing else is put in
}

func newCache(now func() time.Time) *cache {
	c := &cache{now: now, bySession: map[string]*list.Element{}, recent: list.New()}
	rand.Read(c.key[:]) // never fails: crypto/rand ends the process instead
	return c
}

func (c *cache) put(session string, userID, revision int64, mainPassword string, key *UserKey) {
	e := &entry{session: session, userID: userID, used: c.now()}
	var mask [encstring.KeySize]byte
	c.derive(session, userID, revision, mainPassword, &e.tag, &mask)
	raw := key.key.Bytes()
	subtle.XORBytes(e.masked[:], raw, mask[:])
	clear(raw)
	clear(mask[:])

	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.bySession[session]; ok {
		c.drop(old)
	}
	for c.recent.Len() >= cacheSize {
		c.drop(c.recent.Back())
	}
	c.bySession[session] = c.recent.PushFront(e)
	if c.sweep == nil {
		c.sweep = time.AfterFunc(cacheIdle, c.expire)
	}
}

func (c *cache) get(session string, userID, revision int64, mainPassword string) (*UserKey, bool) {
	var tag [sha256.Size]byte
	var raw [encstring.KeySize]byte // the mask first, then the key
	defer clear(raw[:])
	c.derive(session, userID, revision, mainPassword, &tag, &raw)
	if !c.unmask(session, &tag, &raw) {
		return nil, false
	}
	key, err := newUserKey(raw[:])
	return key, err == nil
}

// unmask turns the mask in raw to the key of the session's entry, if its tag is this one.
func (c *cache) unmask(session string, tag *[sha256.Size]byte, raw *[encstring.KeySize]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.bySession[session]
	if !ok {
		return false
	}
	e := entryAt(element)
	now := c.now()
	if now.Sub(e.used) >= cacheIdle {
		c.drop(element)
		return false
	}
	if subtle.ConstantTimeCompare(e.tag[:], tag[:]) != 1 {
		return false
	}
	e.used = now
	c.recent.MoveToFront(element)
	subtle.XORBytes(raw[:], raw[:], e.masked[:])
	return true
}

func (c *cache) forget(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.bySession[session]; ok {
		c.drop(element)
	}
}

func (c *cache) forgetUser(userID int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, element := range c.bySession {
		if entryAt(element).userID == userID {
			c.drop(element)
		}
	}
}

// expire drops what was unused for too long, and comes again while there is something left.
func (c *cache) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for oldest := c.recent.Back(); oldest != nil; oldest = c.recent.Back() {
		left := cacheIdle - now.Sub(entryAt(oldest).used)
		if left > 0 {
			c.sweep = time.AfterFunc(left, c.expire)
			return
		}
		c.drop(oldest)
	}
	c.sweep = nil
}

// drop wipes an entry and takes it out. The caller holds the lock.
func (c *cache) drop(element *list.Element) {
	e := entryAt(element)
	c.recent.Remove(element)
	delete(c.bySession, e.session)
	clear(e.masked[:])
	clear(e.tag[:])
}

// derive makes what an entry is known by and what its key is masked by: three HMACs over the same, told
// apart by their first byte. None tells another, and all need the main password.
func (c *cache) derive(session string, userID, revision int64, mainPassword string, tag *[sha256.Size]byte, mask *[encstring.KeySize]byte) {
	message := make([]byte, 1, 128)
	message = binary.BigEndian.AppendUint64(message, uint64(userID))
	message = binary.BigEndian.AppendUint64(message, uint64(revision))
	message = binary.BigEndian.AppendUint64(message, uint64(len(session)))
	message = append(message, session...)
	message = append(message, mainPassword...)
	defer clear(message)

	mac := hmac.New(sha256.New, c.key[:])
	for i, out := range [][]byte{tag[:0], mask[:0], mask[sha256.Size:sha256.Size]} {
		mac.Reset()
		message[0] = byte(i)
		mac.Write(message)
		mac.Sum(out)
	}
}
