package throttle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
	"caesar/internal/throttle"
)

var (
	home     = netip.MustParseAddr("192.0.2.1")
	stranger = netip.MustParseAddr("198.51.100.7")
)

// door is a guard over a memory, with a clock of its own.
type door struct {
	*throttle.Guard
	store *memory
	now   time.Time
}

func newDoor(t *testing.T) *door {
	t.Helper()
	root, err := rootkey.LoadOrCreate(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	d := &door{store: newMemory(), now: start}
	d.Guard = throttle.New(root, d.store, func() time.Time { return d.now })
	return d
}

// wrong makes attempts until one is refused or the number is reached, and returns how many were let through.
func (d *door) wrong(t *testing.T, number int, subject string, from netip.Addr) int {
	t.Helper()
	for i := range number {
		_, err := d.Attempt(t.Context(), subject, from)
		if err != nil {
			_ = refusal(t, err)
			return i
		}
	}
	return number
}

func (d *door) right(t *testing.T, subject string, from netip.Addr) {
	t.Helper()
	attempt, err := d.Attempt(t.Context(), subject, from)
	if err != nil {
		t.Fatalf("attempt with the right secret: %v", err)
	}
	if err := attempt.Right(t.Context()); err != nil {
		t.Fatalf("right: %v", err)
	}
}

func refusal(t *testing.T, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.TooMany || f.Slug != "too_many" {
		t.Fatalf("error is %v, want too_many", err)
	}
	return f
}

func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}) }

func TestGuessesAtOneUserAreCountedOverAllStrangeAddresses(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for i := range 10 {
		if d.wrong(t, 1, "user:1", address(i)) != 1 {
			t.Fatalf("guess %d was refused", i+1)
		}
	}
	if d.wrong(t, 1, "user:1", address(11)) != 0 {
		t.Fatal("the eleventh guess went through, from one more address")
	}
	if d.wrong(t, 1, "user:2", address(0)) != 1 {
		t.Fatal("another user is locked out")
	}
	d.now = d.now.Add(time.Minute)
	if got := d.wrong(t, 5, "user:1", address(12)); got != 1 {
		t.Fatalf("after a minute %d guesses went through, want 1", got)
	}
}

func TestGuessesFromOneAddressAreCountedOverAllUsers(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for i := range 50 {
		if d.wrong(t, 1, fmt.Sprintf("user:%d", i), stranger) != 1 {
			t.Fatalf("guess %d was refused", i+1)
		}
	}
	_, err := d.Attempt(t.Context(), "user:77", stranger)
	f := refusal(t, err)
	if f.RetryAfter != 10*time.Second {
		t.Fatalf("retry after %v, want 10s", f.RetryAfter)
	}
	if d.wrong(t, 1, "user:77", home) != 1 {
		t.Fatal("another address is locked out")
	}
}

func TestRefusalTakesNothingFromTheOtherBucket(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.wrong(t, 10, "user:1", stranger) // the user's bucket is empty, the address has 40
	for range 100 {
		if d.wrong(t, 1, "user:1", stranger) != 0 {
			t.Fatal("a guess went through")
		}
	}
	passed := 0
	for i := range 60 {
		passed += d.wrong(t, 1, fmt.Sprintf("user:%d", 100+i), stranger)
	}
	if passed != 40 {
		t.Fatalf("the address had %d tokens left, want 40", passed)
	}
}

func TestRightGuessesCostNothing(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for range 200 {
		d.right(t, "user:1", home)
	}
	for i := range 200 {
		d.right(t, fmt.Sprintf("user:%d", i), home)
	}
}

func TestRightGuessDoesNotPayForWrongOnes(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	wrong := 0
	for range 20 {
		if attempt, err := d.Attempt(t.Context(), "user:1", home); err == nil {
			if err := attempt.Right(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		wrong += d.wrong(t, 1, "user:1", home)
	}
	if wrong != 10 {
		t.Fatalf("%d wrong guesses went through between right ones, want 10", wrong)
	}
}

func TestStrangerCannotLockAnOwnerOut(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.right(t, "user:1", home)
	for i := range 100 {
		d.wrong(t, 10, "user:1", address(i))
	}
	d.right(t, "user:1", home)
	if got := d.wrong(t, 100, "user:1", home); got != 10 {
		t.Fatalf("from the owner's own address %d wrong guesses went through, want 10", got)
	}
	d.now = d.now.Add(time.Minute)
	d.right(t, "user:1", home)
}

// Others behind the same address may have emptied the address's bucket: the owner still gets in.
func TestNeighboursDoNotLockAnOwnerOut(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.right(t, "user:1", home)
	for i := range 60 {
		d.wrong(t, 1, fmt.Sprintf("user:%d", 100+i), home)
	}
	d.right(t, "user:1", home)
}

func TestAddressIsRememberedForThirtyDaysAndForOneUserOnly(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.right(t, "user:1", home)
	empty := func() {
		for i := range 12 {
			d.wrong(t, 1, "user:1", address(i))
			d.wrong(t, 1, "user:2", address(i))
		}
	}
	empty()
	if d.wrong(t, 1, "user:2", home) != 0 {
		t.Fatal("a friend of one user is taken for a friend of another")
	}
	d.now = d.now.Add(30*24*time.Hour - time.Second)
	empty()
	if d.wrong(t, 1, "user:1", home) != 1 {
		t.Fatal("forgotten before its time")
	}
	d.now = d.now.Add(time.Second)
	empty()
	if d.wrong(t, 1, "user:1", home) != 0 {
		t.Fatal("remembered after its time")
	}
}

func TestOneIPv6NetworkIsOneAddress(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for i := range 50 {
		from := netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2::%x", i+1))
		if d.wrong(t, 1, fmt.Sprintf("user:%d", i), from) != 1 {
			t.Fatalf("guess %d was refused", i+1)
		}
	}
	if d.wrong(t, 1, "user:99", netip.MustParseAddr("2001:db8:1:2:ffff::1")) != 0 {
		t.Fatal("an address of the same /64 counts as another")
	}
	if d.wrong(t, 1, "user:99", netip.MustParseAddr("2001:db8:1:3::1")) != 1 {
		t.Fatal("an address of another /64 counts as the same")
	}
}

func TestSpellingsOfOneAddressAreOne(t *testing.T) {
	t.Parallel()
	for _, spellings := range [][2]netip.Addr{
		{home, netip.MustParseAddr("::ffff:192.0.2.1")},
		{netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::1%eth0")},
		{netip.Addr{}, netip.Addr{}},
	} {
		d := newDoor(t)
		d.right(t, "user:1", spellings[0])
		for i := range 12 {
			d.wrong(t, 1, "user:1", address(i))
		}
		if d.wrong(t, 1, "user:1", spellings[1]) != 1 {
			t.Errorf("%v is not the same as %v", spellings[1], spellings[0])
		}
	}
}

func TestOfFiftyRacingGuessesOnlyTheBurstGoesThrough(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	var passed atomic.Int32
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := d.Attempt(context.Background(), "user:1", stranger); err == nil {
				passed.Add(1)
			}
		})
	}
	group.Wait()
	if passed.Load() != 10 {
		t.Fatalf("%d went through, want 10", passed.Load())
	}
}

func TestKnownAndUnknownSubjectsAreRefusedAlike(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	answers := map[string]*fault.Error{}
	for _, subject := range []string{"user:1", "name:nobody"} {
		before := d.store.asked
		if got := d.wrong(t, 20, subject, stranger); got != 10 {
			t.Fatalf("%s: %d went through", subject, got)
		}
		if asked := d.store.asked - before; asked != 11 {
			t.Fatalf("%s: %d questions for 11 attempts", subject, asked)
		}
		_, err := d.Attempt(t.Context(), subject, stranger)
		answers[subject] = refusal(t, err)
	}
	known, unknown := answers["user:1"], answers["name:nobody"]
	if known.Message.In(phrase.English) != unknown.Message.In(phrase.English) || known.RetryAfter != unknown.RetryAfter {
		t.Fatalf("%v (%v) and %v (%v) can be told apart", known, known.RetryAfter, unknown, unknown.RetryAfter)
	}
}

func TestWaitIsToldInWholeSecondsRoundedUp(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.wrong(t, 10, "user:1", stranger)
	d.now = d.now.Add(800 * time.Millisecond)
	_, err := d.Attempt(t.Context(), "user:1", stranger)
	f := refusal(t, err)
	if f.RetryAfter != time.Minute {
		t.Fatalf("retry after %v, want 1m0s for 59.2s", f.RetryAfter)
	}
	if got := f.Message.In(phrase.English); got != "Too many attempts: try again in 60 s" {
		t.Fatalf("message is %q", got)
	}
}

func TestStoreThatFailsShutsTheDoorAndIsNoFaultOfTheCaller(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	attempt, err := d.Attempt(t.Context(), "user:1", home)
	if err != nil {
		t.Fatal(err)
	}
	d.store.err = errors.New("disk is gone")
	var f *fault.Error
	if _, err := d.Attempt(t.Context(), "user:1", home); !errors.Is(err, d.store.err) || errors.As(err, &f) {
		t.Errorf("attempt: %v", err)
	}
	if err := attempt.Right(t.Context()); !errors.Is(err, d.store.err) || errors.As(err, &f) {
		t.Errorf("right: %v", err)
	}
}

func TestOneAddressCanNotAskForMailsWithoutEnd(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for i := range throttle.PerMailer.Burst {
		if err := d.Allow(t.Context(), throttle.PerMailer, throttle.Client(stranger)); err != nil {
			t.Fatalf("mail %d: %v", i, err)
		}
	}
	if f := refusal(t, d.Allow(t.Context(), throttle.PerMailer, throttle.Client(stranger))); f.RetryAfter != throttle.PerMailer.Every {
		t.Errorf("retry after %v", f.RetryAfter)
	}
	if err := d.Allow(t.Context(), throttle.PerMailer, throttle.Client(home)); err != nil {
		t.Errorf("another address: %v", err)
	}
	// What was asked for is no guess.
	if got := d.wrong(t, 1, "user:1", stranger); got != 1 {
		t.Error("asking for mails counts as guessing")
	}
	d.now = d.now.Add(throttle.PerMailer.Every)
	if err := d.Allow(t.Context(), throttle.PerMailer, throttle.Client(stranger)); err != nil {
		t.Errorf("after a while: %v", err)
	}
}

func TestRightIsToldOnce(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.wrong(t, 9, "user:1", stranger)
	attempt, err := d.Attempt(t.Context(), "user:1", stranger)
	if err != nil {
		t.Fatal(err)
	}
	if err := attempt.Right(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := attempt.Right(t.Context()); err == nil {
		t.Fatal("a second refund was taken")
	}
	if d.wrong(t, 2, "user:1", address(1)) != 1 {
		t.Fatal("the bucket holds more than was given back")
	}
}

func TestStoreLearnsNeitherNamesNorAddresses(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.right(t, "name:alice", home)
	d.wrong(t, 1, "name:alice", stranger)
	keys := [][]byte{}
	for key := range d.store.buckets {
		keys = append(keys, []byte(key))
	}
	for key := range d.store.marks {
		keys = append(keys, []byte(key))
	}
	if len(keys) < 3 {
		t.Fatalf("only %d keys", len(keys))
	}
	for _, key := range keys {
		if len(key) != 32 {
			t.Errorf("key of %d bytes", len(key))
		}
		for _, plain := range []string{"alice", "192.0.2", "198.51"} {
			if bytes.Contains(key, []byte(plain)) {
				t.Errorf("a key tells %q", plain)
			}
		}
	}
	other := newDoor(t)
	other.right(t, "name:alice", home)
	for key := range other.store.marks {
		if _, same := d.store.marks[key]; same {
			t.Error("two servers use the same key for the same name and address")
		}
	}
}

func TestUserAndNameOfNobodyAreNeverOneSubject(t *testing.T) {
	t.Parallel()
	if throttle.User(12) == throttle.Nobody("12") || throttle.User(12) == throttle.User(1) || throttle.Nobody("a") == throttle.Nobody("b") {
		t.Fatalf("%q, %q", throttle.User(12), throttle.Nobody("12"))
	}
}
