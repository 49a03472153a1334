package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"caesar/internal/backup"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

var mixed = []test{
	{"a mix of all that many do at once leaves all in order", aMixLeavesAllInOrder},
}

const (
	actors    = 16 // who act at once
	eachActs  = 60
	mostNames = 5 // names, and emails, that all of them want
)

// crowd is many who do anything at once with what is anybody's.
type crowd struct {
	*fixture

	mu      sync.Mutex
	ids     []int64          // of all who were ever registered
	blobs   map[string]int64 // all that were ever named, with their users
	claimed map[int64]int    // letters, with how often they were lent
	leases  int
	spent   int
}

// actor is one of a crowd.
type actor struct {
	*crowd
	*rand.Rand
}

func aMixLeavesAllInOrder(f *fixture) {
	c := &crowd{fixture: f, blobs: map[string]int64{}, claimed: map[int64]int{}}
	seed := rand.Uint64() //nolint:gosec // it is to be told and used again
	f.atOnce(actors, func(i int) (bool, error) {
		a := actor{c, rand.New(rand.NewPCG(seed, uint64(i)))} //nolint:gosec // it is to be told and used again
		for range eachActs {
			act := acts[a.IntN(len(acts))]
			if err := allowed(act(a)); err != nil {
				return false, fmt.Errorf("with the seed %d: %w", seed, err)
			}
		}
		return true, nil
	})
	for _, id := range c.ids {
		c.check(id)
	}
	c.checkHandles()
	for blob, owner := range c.blobs {
		equal(f, "a row names "+blob, f.named(blob), c.keeps(owner, blob))
	}
	for id, times := range c.claimed {
		equal(f, fmt.Sprint("times that letter ", id, " was lent"), times, 1)
	}
	equal(f, "who got the lease", c.leases, 1)
	equal(f, "who spent the captcha", c.spent, 1)
	if f.Failed() {
		f.Logf("the seed was %d", seed)
	}
}

// allowed lets pass what may be answered to whom others outrun.
func allowed(err error) error {
	if _, err := missing(err); err == nil {
		return nil
	}
	for _, lost := range []error{user.ErrNameTaken, user.ErrEmailTaken, backup.ErrOverQuota} {
		if errors.Is(err, lost) {
			return nil
		}
	}
	return err
}

// keeps says whether one of a user's versions is in a blob.
func (c *crowd) keeps(userID int64, blob string) bool {
	c.Helper()
	versions, err := c.Versions(c.Context(), userID)
	c.must(err)
	for _, v := range versions {
		if v.Blob == blob {
			return true
		}
	}
	return false
}

// check holds what there is of a user against what has to be.
func (c *crowd) check(id int64) {
	c.Helper()
	u, err := c.UserByID(c.Context(), id)
	who := fmt.Sprintf("user %d: ", id)
	due, failed := c.DueErasures(c.Context(), never.Add(time.Hour), 10_000)
	c.must(failed)
	toErase := false
	for _, d := range due {
		toErase = toErase || d == id
	}
	if errors.Is(err, user.ErrNoUser) {
		rows, err := c.left(id)
		c.must(err)
		equal(c.fixture, who+"left", rows, nothingLeft)
		equal(c.fixture, who+"to be erased", toErase, false)
		return
	}
	c.must(err)
	equal(c.fixture, who+"to be erased", toErase, u.Status != user.Active)
	equal(c.fixture, who+"holder of the name", c.holder(handle(u.Name)), id)
	equal(c.fixture, who+"holder of the email", c.holder(handle(u.Email)), id)
	_, counted, err := c.Items(c.Context(), id, vault.Query{Page: page})
	c.must(err)
	_, items, err := c.Items(c.Context(), id, vault.Query{Page: page, From: time.Unix(0, 0)})
	c.must(err)
	equal(c.fixture, who+"count of the items", counted, items)
	keys, err := c.KeyRecord(c.Context(), id)
	c.must(err)
	equal(c.fixture, who+"revision of the keys", keys.Revision, u.KeyRevision)
	if u.Status != user.Active {
		equal(c.fixture, who+"all sessions ended", c.ended(id), true)
	}
}

// checkHandles looks for handles whose holder has not that name or email.
func (c *crowd) checkHandles() {
	c.Helper()
	for i := range mostNames {
		name, email := names(i)
		for _, h := range []user.Handle{handle(name), handle(email)} {
			if id := c.holder(h); id != 0 {
				u := c.row(id)
				equal(c.fixture, "the holder of "+string(h)+" has it", handle(u.Name) == h || handle(u.Email) == h, true)
			}
		}
	}
}

func names(i int) (name, email string) {
	return fmt.Sprintf("name%d", i), fmt.Sprintf("email%d@example.org", i)
}

// some is somebody who is or was registered.
func (a actor) some() (user.User, error) {
	a.mu.Lock()
	var id int64
	if n := len(a.ids); n > 0 {
		id = a.ids[n-1-a.IntN(min(n, 2*mostNames))]
	}
	a.mu.Unlock()
	return a.UserByID(a.Context(), id)
}

func (a actor) wanted() (name, email string) {
	name, _ = names(a.IntN(mostNames))
	_, email = names(a.IntN(mostNames))
	return name, email
}

// acts are what the crowd does. Each takes somebody as they are by then.
var acts = []func(actor) error{
	actor.registers, actor.registers, actor.activates, actor.activates, actor.logsIn, actor.logsIn, actor.moves, actor.resets, actor.resets,
	actor.keeps3Versions, actor.keeps3Versions, actor.deletesAVersion, actor.doesADeed, actor.doesADeed, actor.doesADeed, actor.doesADeed, actor.doesADeed,
	actor.erases, actor.works, actor.works,
}

func (a actor) registers() error {
	name, email := a.wanted()
	status := []user.Status{user.Pending, user.Active}[a.IntN(2)]
	id, err := a.Register(a.Context(), newUser(status, name, email))
	if err == nil {
		a.mu.Lock()
		a.ids = append(a.ids, id)
		a.mu.Unlock()
	}
	return err
}

// coded is a code of somebody that was sent as late as anybody could wish.
func (a actor) coded(purpose string, u user.User) (user.Code, error) {
	c := code(purpose+u.Email, "123456")
	r := codeRequest(c, u.ID, noon)
	r.Resend = 0
	_, err := a.RequestCode(a.Context(), r)
	return c, err
}

func (a actor) activates() error {
	u, err := a.some()
	if err != nil {
		return err
	}
	c, err := a.coded("activation of ", u)
	if err == nil {
		_, err = a.Activate(a.Context(), c, u.ID, noon)
	}
	return err
}

func (a actor) logsIn() error {
	u, err := a.some()
	if err == nil {
		_, err = a.SignIn(a.Context(), user.SignIn{Opening: opening(u.ID, noon), Credential: u.Credential})
	}
	return err
}

func (a actor) moves() error {
	u, err := a.some()
	if err != nil || u.Status == user.Pending {
		return err
	}
	name, email := a.wanted()
	_, err = a.UpdateUser(a.Context(), user.Update{
		UserID: u.ID, WasEmail: handle(u.Email), Parts: user.ProfileParts{Name: &name, Email: &email}, NameHandle: handle(name), EmailHandle: handle(email),
		DropCodes:   [][]byte{code("activation of "+u.Email, "").Slot, code("reset of "+u.Email, "").Slot},
		EmailLetter: []byte("letter"), Now: noon,
	})
	return err
}

func (a actor) resets() error {
	u, err := a.some()
	if err != nil {
		return err
	}
	c, err := a.coded("reset of ", u)
	if err == nil {
		_, err = a.ResetPassword(a.Context(), c, u.ID, u.KeyRevision, []byte("reset"), []byte("letter"), noon)
	}
	return err
}

func (a actor) session(u user.User) (id int64, err error) {
	sessions, err := a.Sessions(a.Context(), u.ID, noon)
	if err == nil && len(sessions) > 0 {
		id = sessions[a.IntN(len(sessions))].ID
	}
	return id, err
}

func (a actor) keeps3Versions() error {
	u, err := a.some()
	if err != nil {
		return err
	}
	in, err := a.session(u)
	if err != nil {
		return err
	}
	name := fmt.Sprint("version ", a.Uint64())
	v, _, err := a.AddVersion(a.Context(), u.ID, in, backup.Retention{Keep: 3, Quota: 50}, sealVersion(u.ID, name, 10+a.Int64N(20)))
	if err == nil {
		a.mu.Lock()
		a.blobs[v.Blob] = u.ID
		a.mu.Unlock()
	}
	return err
}

func (a actor) deletesAVersion() error {
	u, err := a.some()
	if err != nil {
		return err
	}
	v, err := a.Version(a.Context(), u.ID, 0)
	if err == nil {
		_, err = a.DeleteVersion(a.Context(), u.ID, v.ID)
	}
	return err
}

// doesADeed does one of those that others do to one who is erased.
func (a actor) doesADeed() error {
	u, err := a.some()
	if err != nil || u.Status == user.Pending {
		return err
	}
	b := belongings{User: u}
	if b.Keys, err = a.KeyRecord(a.Context(), u.ID); err != nil {
		return err
	}
	if b.Items, _, err = a.Items(a.Context(), u.ID, vault.Query{Page: page, From: time.Unix(0, 0)}); err != nil {
		return err
	}
	if b.Sessions, err = a.Sessions(a.Context(), u.ID, noon); err != nil {
		return err
	}
	deed := deeds[a.IntN(len(deeds))]
	if len(b.Items) < 3 || len(b.Sessions) == 0 {
		deed = deeds[0]
	}
	return deed(a.fixture, b)
}

func (a actor) erases() error {
	u, err := a.some()
	if err != nil || u.Status == user.Pending || a.IntN(2) == 0 {
		return err
	}
	if _, err := a.erase(u.ID, 3); err != nil {
		return err
	}
	return a.DropCodes(a.Context(), u.ID, [][]byte{code("activation of "+u.Email, "").Slot, code("reset of "+u.Email, "").Slot})
}

// works does what is nobody's: the mails, the sweep, a lease, a captcha, the throttle.
func (a actor) works() error {
	letters, err := a.ClaimMail(a.Context(), noon, time.Hour, 5)
	a.mu.Lock()
	for _, letter := range letters {
		a.claimed[letter.ID]++
	}
	a.mu.Unlock()
	for i, letter := range letters {
		if i%2 == 0 {
			err = errors.Join(err, a.MailSent(a.Context(), letter.ID))
		} else {
			err = errors.Join(err, a.MailFailed(a.Context(), letter.ID, never))
		}
	}
	swept := a.Sweep(a.Context(), noon)
	mine, leased := a.Lease(a.Context(), "work", noon, never)
	first, spent := a.SpendCaptcha(a.Context(), []byte("serial of 16 b. "), never)
	takes := []throttle.Take{bucket(strconv.Itoa(a.IntN(3))), bucket(strconv.Itoa(3 + a.IntN(3)))}
	a.Shuffle(len(takes), func(i, j int) { takes[i], takes[j] = takes[j], takes[i] })
	_, _, taken := a.TakeAll(a.Context(), throttle.Question{Mark: bucket("mark").Key, IfMarked: takes[:1], Otherwise: takes}, noon)
	given := a.Refund(a.Context(), takes, throttle.Mark{Key: bucket("mark").Key, Until: never}, noon)
	a.mu.Lock()
	defer a.mu.Unlock()
	if mine {
		a.leases++
	}
	if first {
		a.spent++
	}
	return errors.Join(err, swept, leased, spent, taken, given)
}
