package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/internal/keyring"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// many is how many race for what only one of them may get.
const many = 50

// noon is when the tests begin.
var noon = time.Unix(1_800_000_000, 0)

// never is after everything that a test puts off.
var never = noon.Add(100 * 365 * 24 * time.Hour)

// fixture is one test's database.
type fixture struct {
	*testing.T
	Store

	closed bool // by the test itself
}

func (f *fixture) close() {
	if f.closed {
		return
	}
	if err := f.Close(); err != nil {
		f.Error(err)
	}
}

// must ends the test where a call failed.
func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// wants ends the test where an error is not the one expected.
func (f *fixture) wants(want, err error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("the error is %v, want %v", err, want)
	}
}

// says ends the test where a call failed, or did not answer as expected.
func (f *fixture) says(want bool) func(bool, error) {
	return func(got bool, err error) {
		f.Helper()
		f.must(err)
		if got != want {
			f.Fatalf("the answer is %v, want %v", got, want)
		}
	}
}

// equal notes where two values differ.
func equal[V comparable](f *fixture, what string, got, want V) {
	f.Helper()
	if got != want {
		f.Errorf("%s: %v, want %v", what, got, want)
	}
}

// atOnce calls do in parallel, all let go at the same moment, and counts the calls that said yes.
func (f *fixture) atOnce(n int, do func(i int) (bool, error)) (yes int) {
	f.Helper()
	calls := make([]func() (bool, error), n)
	for i := range calls {
		calls[i] = func() (bool, error) { return do(i) }
	}
	for _, answer := range f.together(calls...) {
		if answer {
			yes++
		}
	}
	return yes
}

// together makes calls in parallel, all let go at the same moment, and returns their answers.
func (f *fixture) together(calls ...func() (bool, error)) (answers []bool) {
	f.Helper()
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	answers = make([]bool, len(calls))
	errs := make([]error, len(calls))
	for i, call := range calls {
		ready.Add(1)
		done.Go(func() {
			unready := f.Ready(f.Context()) // which also makes the connections that they need
			ready.Done()
			<-start
			answers[i], errs[i] = call()
			errs[i] = errors.Join(unready, errs[i])
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	f.must(errors.Join(errs...))
	return answers
}

// newUser is a registration that nothing is wrong with.
func newUser(status user.Status, name, email string) user.NewUser {
	return user.NewUser{
		Profile: user.Profile{
			Name: name, RealName: "马可 " + name, Email: email, Phone: "+86 10 1234", Career: "clerk", BirthDate: "1990-02-28",
		},
		NameHandle:  handle(name),
		EmailHandle: handle(email),
		Status:      status,
		Language:    phrase.English,
		Bind: func(id int64) ([]byte, *keyring.Record, error) {
			return fmt.Appendf(nil, "password of %d", id), nil, nil
		},
		EraseAt: noon.Add(24 * time.Hour),
		Now:     noon,
	}
}

func handle(typed string) user.Handle { return user.Handle(strings.ToLower(typed)) }

// user registers somebody, with the email <name>@example.org.
func (f *fixture) user(status user.Status, name string) int64 {
	f.Helper()
	id, err := f.Register(f.Context(), newUser(status, name, name+"@example.org"))
	f.must(err)
	return id
}

// person registers somebody who is active.
func (f *fixture) person(name string) int64 {
	f.Helper()
	return f.user(user.Active, name)
}

// row reads a user.
func (f *fixture) row(id int64) user.User {
	f.Helper()
	u, err := f.UserByID(f.Context(), id)
	f.must(err)
	return u
}

// opening is a session of a user that is about to be stored.
func opening(userID int64, at time.Time) session.Opening {
	device := session.Device{Client: "curl/8", Address: "192.0.2.1"}
	return session.Open(userID, device, session.Long, at)
}

// signIn stores an opening as a login with the user's present password would.
func (f *fixture) signIn(o session.Opening) {
	f.Helper()
	u := f.row(o.Session.UserID)
	f.says(true)(f.SignIn(f.Context(), user.SignIn{Opening: o, Credential: u.Credential, Language: u.Language}))
}

// login opens a session and returns what it proves, and the hash of its token.
func (f *fixture) login(userID int64) (session.Identity, []byte) {
	f.Helper()
	o := opening(userID, noon)
	f.signIn(o)
	who, err := f.FindSession(f.Context(), userID, o.TokenHash, noon)
	f.must(err)
	return who, o.TokenHash
}

// live says whether a token is one of a live session.
func (f *fixture) live(userID int64, tokenHash []byte) bool {
	f.Helper()
	_, err := f.FindSession(f.Context(), userID, tokenHash, noon)
	if errors.Is(err, session.ErrNone) {
		return false
	}
	f.must(err)
	return true
}

// sealAs is a vault.Store's seal for an item on a platform. Each item gets another MAC.
func sealAs(userID int64, platform string, at time.Time) func(id int64) vault.Item {
	return func(id int64) vault.Item {
		text := func(field string) string { return fmt.Sprintf("2.%s of %d", field, id) }
		item := vault.Item{
			ID: id, UserID: userID,
			Key: text("key"), Name: text("name"), Email: text("email"), Password: text("password"),
			SealedPlatform: text("platform"), SealedURL: text("url"),
			Platform: platform, URL: "https://example.org/" + platform,
			CreatedAt: at, UpdatedAt: at,
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", userID, id))
		item.MAC = sum[:]
		return item
	}
}

// item keeps an item on a platform.
func (f *fixture) item(userID int64, platform string) vault.Item {
	f.Helper()
	item, err := f.CreateItem(f.Context(), userID, sealAs(userID, platform, noon))
	f.must(err)
	return item
}

// edited is an item's next content, as an edit would store it.
func edited(item vault.Item, name string) vault.Item {
	item.Name = name
	item.UpdatedAt = item.UpdatedAt.Add(time.Minute)
	item.MAC = append(slices.Clone(item.MAC[:16]), name...)
	return item
}

// page is the first page of a list, as large as it gets.
var page = vault.Page{Number: 1, Size: vault.MaxPageSize}

// log returns a user's log, newest first, in short: the action and the item.
func (f *fixture) log(userID int64) []logged {
	f.Helper()
	entries, count, err := f.Log(f.Context(), userID, page)
	f.must(err)
	equal(f, "count of the log", count, int64(len(entries)))
	short := make([]logged, len(entries))
	for i, e := range entries {
		short[i] = logged{e.Action, e.ItemID}
	}
	return short
}

type logged struct {
	action vault.Action
	itemID int64
}

// letters returns what lies in the mail queue, in the order in which it was put there.
func (f *fixture) letters() []string {
	f.Helper()
	queued, err := f.ClaimMail(f.Context(), never, 0, 1000)
	f.must(err)
	var letters []string
	for _, q := range queued {
		letters = append(letters, string(q.Sealed))
	}
	return letters
}
