package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"caesar/internal/keyring"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
)

// desk is a service over a database of its own, with a clock that a test sets.
type desk struct {
	*session.Service
	t     *testing.T
	store *sqlstore.Store

	mu             sync.Mutex
	now            time.Time
	forgotten      []string
	forgottenUsers []int64
	log            bytes.Buffer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return newDeskOn(t, func(s *sqlstore.Store) session.Store { return s })
}

// newDeskOn is newDesk with something between the service and the store.
func newDeskOn(t *testing.T, between func(*sqlstore.Store) session.Store) *desk {
	t.Helper()
	store, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "caesar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &desk{t: t, store: store, now: time.Unix(1_800_000_000, 0)}
	d.Service = session.NewService(between(store), d, d.clock, slog.New(slog.NewTextHandler(&d.log, nil)))
	return d
}

// Forget and ForgetUser write down what is to be forgotten.
func (d *desk) Forget(key string)       { d.forgotten = append(d.forgotten, key) }
func (d *desk) ForgetUser(userID int64) { d.forgottenUsers = append(d.forgottenUsers, userID) }

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) person(name string) int64 {
	d.t.Helper()
	id, err := d.store.Register(d.t.Context(), user.NewUser{
		Profile: user.Profile{Name: name}, NameHandle: user.Handle(name), EmailHandle: user.Handle(name + "@example.org"),
		Status: user.Active, Now: d.clock(),
		Bind: func(int64) ([]byte, *keyring.Record, error) { return []byte("password"), nil, nil },
	})
	d.must(err)
	return id
}

func (d *desk) login(userID int64) (token string) {
	d.t.Helper()
	o := session.Open(userID, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, d.clock())
	done, err := d.store.SignIn(d.t.Context(), user.SignIn{Opening: o, Credential: 1})
	if err != nil || !done {
		d.t.Fatal(done, err)
	}
	return o.Token
}

func (d *desk) identify(token string) session.Identity {
	d.t.Helper()
	who, err := d.Identify(d.t.Context(), token)
	d.must(err)
	return who
}

func (d *desk) lastUse(who session.Identity) time.Time {
	d.t.Helper()
	list, err := d.List(d.t.Context(), who)
	d.must(err)
	i := slices.IndexFunc(list, func(s session.Session) bool { return s.ID == who.SessionID })
	if i < 0 {
		d.t.Fatalf("session %d is not listed", who.SessionID)
	}
	return list[i].LastUsedAt
}

func TestATokenProvesItsUserUntilItExpires(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.person("marcus")
	token := d.login(id)
	if who := d.identify(token); who.UserID != id || who.SessionID <= 0 {
		t.Errorf("the token proves %+v", who)
	}
	d.advance(session.Long - time.Second)
	d.identify(token)
	d.advance(time.Second)
	if _, err := d.Identify(t.Context(), token); !errors.Is(err, session.ErrNone) {
		t.Errorf("an expired token is answered %v", err)
	}
}

func TestWhatIsNoTokenProvesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.person("marcus")
	other := d.person("tullius")
	token := d.login(id)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	d.must(err)
	changed := func(change func(raw []byte)) string {
		b := slices.Clone(raw)
		change(b)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	for name, wrong := range map[string]string{
		"empty":             "",
		"half":              token[:len(token)/2],
		"longer":            token + "A",
		"padded":            token + "=",
		"with a line break": token[:10] + "\n" + token[10:],
		"of line breaks":    token[:40] + strings.Repeat("\n", len(token)-40),
		"not canonical":     token[:len(token)-1] + string(token[len(token)-1]+1),
		"another secret":    changed(func(b []byte) { b[39] ^= 1 }),
		"another user's id": changed(func(b []byte) { binary.BigEndian.PutUint64(b, uint64(other)) }),
		"nobody's id":       changed(func(b []byte) { binary.BigEndian.PutUint64(b, 0) }),
		"a negative id":     changed(func(b []byte) { b[0] |= 0x80 }),
		"its hash":          base64.RawURLEncoding.EncodeToString(slices.Concat(raw[:8], hash(raw))),
		"NUL":               strings.Repeat("\x00", len(token)),
		"Chinese":           strings.Repeat("密", len(token)/3),
	} {
		if _, err := d.Identify(t.Context(), wrong); !errors.Is(err, session.ErrNone) {
			t.Errorf("a token that is %s is answered %v", name, err)
		}
	}
}

func hash(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:]
}

func TestTheLastUseIsWrittenEveryFiveMinutes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := d.login(d.person("marcus"))
	opened := d.clock()
	who := d.identify(token)
	d.advance(5*time.Minute - time.Second)
	d.identify(token)
	if got := d.lastUse(who); !got.Equal(opened) {
		t.Errorf("before five minutes the last use is %v, want %v", got, opened)
	}
	d.advance(time.Second)
	d.identify(token)
	if got := d.lastUse(who); !got.Equal(d.clock()) {
		t.Errorf("after five minutes the last use is %v, want %v", got, d.clock())
	}
	d.advance(time.Minute)
	d.identify(token)
	if got := d.lastUse(who); !got.Equal(d.clock().Add(-time.Minute)) {
		t.Errorf("a minute later it was written again: %v", got)
	}
}

// untouchable is a store that can't be written.
type untouchable struct{ session.Store }

var errReadOnly = errors.New("disk is read-only")

func (untouchable) TouchSession(context.Context, int64, int64, time.Time) error { return errReadOnly }

func TestNobodyIsTurnedAwayWhereTheLastUseCannotBeWritten(t *testing.T) {
	t.Parallel()
	d := newDeskOn(t, func(s *sqlstore.Store) session.Store { return untouchable{s} })
	token := d.login(d.person("marcus"))
	d.advance(time.Hour)
	d.identify(token)
	if log := d.log.String(); !strings.Contains(log, errReadOnly.Error()) || strings.Contains(log, token) {
		t.Errorf("the log reads %q", log)
	}
}

// gone is a store that is away.
type gone struct{ session.Store }

func (gone) FindSession(context.Context, int64, []byte, time.Time) (session.Identity, error) {
	return session.Identity{}, errReadOnly
}

func TestAStoreThatIsAwayIsNoLogout(t *testing.T) {
	t.Parallel()
	d := newDeskOn(t, func(s *sqlstore.Store) session.Store { return gone{s} })
	token := d.login(d.person("marcus"))
	_, err := d.Identify(t.Context(), token)
	if !errors.Is(err, errReadOnly) || errors.Is(err, session.ErrNone) {
		t.Errorf("the error is %v", err)
	}
}

func TestEndingASessionCountsAtOnceAndForgetsItsKeys(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.person("marcus")
	mine, other := d.login(id), d.login(id)
	me, them := d.identify(mine), d.identify(other)
	for _, want := range []bool{true, false} {
		ended, err := d.End(t.Context(), me, them.SessionID)
		d.must(err)
		if ended != want {
			t.Errorf("there was a session to end: %v, want %v", ended, want)
		}
	}
	if len(d.forgotten) != 1 || d.forgotten[0] != them.Key() || them.Key() == me.Key() {
		t.Errorf("forgotten were %q, want %q", d.forgotten, them.Key())
	}
	if _, err := d.Identify(t.Context(), other); !errors.Is(err, session.ErrNone) {
		t.Errorf("a session that was ended is answered %v", err)
	}
	d.identify(mine)
}

func TestNobodyEndsOrSeesAnothersSessions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	marcus, tullius := d.login(d.person("marcus")), d.login(d.person("tullius"))
	me, them := d.identify(marcus), d.identify(tullius)
	ended, err := d.End(t.Context(), me, them.SessionID)
	if err != nil || ended || len(d.forgotten) != 0 {
		t.Errorf("ending another's session: %v, %v, forgotten %q", ended, err, d.forgotten)
	}
	d.must(d.EndOthers(t.Context(), me))
	d.identify(tullius)
	list, err := d.List(t.Context(), me)
	d.must(err)
	if len(list) != 1 || list[0].ID != me.SessionID {
		t.Errorf("listed are %+v", list)
	}
}

func TestEndingTheOthersKeepsTheOneThatAsks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.person("marcus")
	tokens := []string{d.login(id), d.login(id), d.login(id)}
	d.must(d.EndOthers(t.Context(), d.identify(tokens[1])))
	if !slices.Equal(d.forgottenUsers, []int64{id}) {
		t.Errorf("forgotten is what is remembered of %d, want of %d", d.forgottenUsers, id)
	}
	for i, token := range tokens {
		if _, err := d.Identify(t.Context(), token); (err == nil) != (i == 1) {
			t.Errorf("session %d: %v", i, err)
		}
	}
}

func TestSessionsAreListedNewestFirstWithTheirDevices(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.person("marcus")
	d.login(id)
	d.advance(time.Second)
	who := d.identify(d.login(id))
	list, err := d.List(t.Context(), who)
	d.must(err)
	if len(list) != 2 || list[0].ID != who.SessionID || !list[0].CreatedAt.After(list[1].CreatedAt) {
		t.Fatalf("listed are %+v", list)
	}
	if s := list[0]; s.Device != (session.Device{Client: "curl/8", Address: "192.0.2.1"}) || !s.ExpiresAt.Equal(s.CreatedAt.Add(session.Long)) {
		t.Errorf("the session is %+v", s)
	}
}

func TestOpeningDrawsATokenThatIsNowhereElse(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		o := session.Open(7, session.Device{}, session.Short, time.Unix(0, 0))
		if seen[o.Token] || seen[string(o.TokenHash)] {
			t.Fatal("a token came twice")
		}
		seen[o.Token], seen[string(o.TokenHash)] = true, true
		raw, err := base64.RawURLEncoding.DecodeString(o.Token)
		if err != nil || len(raw) != 40 || !bytes.Equal(hash(raw), o.TokenHash) {
			t.Fatalf("token %q, %v", o.Token, err)
		}
		if bytes.Contains(raw, o.TokenHash) || strings.Contains(o.Token, base64.RawURLEncoding.EncodeToString(o.TokenHash)) {
			t.Fatal("the token holds its hash")
		}
	}
}

func TestAClientsNameIsCutAtTwoHundredCharacters(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{strings.Repeat("密", 500): 200, strings.Repeat("a", 200): 200, "curl": 4, "\xff\xfe": 0, "": 0} {
		o := session.Open(1, session.Device{Client: name}, session.Short, time.Unix(0, 0))
		if got := o.Session.Device.Client; utf8.RuneCountInString(got) != want || !utf8.ValidString(got) {
			t.Errorf("%.10q is kept as %.10q, of %d characters", name, got, utf8.RuneCountInString(got))
		}
	}
}

func FuzzIdentify(f *testing.F) {
	o := session.Open(7, session.Device{}, session.Short, time.Unix(0, 0))
	for _, seed := range []string{o.Token, "", "A", o.Token + "=", o.Token[:53] + "B", o.Token[:40] + strings.Repeat("\r\n", 7)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		asked := false
		s := session.NewService(asking{func(userID int64, tokenHash []byte) {
			asked = true
			raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
			if err != nil || base64.RawURLEncoding.EncodeToString(raw) != token || userID <= 0 || !bytes.Equal(hash(raw), tokenHash) {
				t.Errorf("the store was asked for %q", token)
			}
		}}, nil, time.Now, slog.New(slog.DiscardHandler))
		if _, err := s.Identify(t.Context(), token); !errors.Is(err, session.ErrNone) {
			t.Errorf("%q is answered %v", token, err)
		}
		if asked && len(token) != len(o.Token) {
			t.Errorf("the store was asked for a token of %d bytes", len(token))
		}
	})
}

// asking is a store without sessions.
type asking struct {
	asked func(userID int64, tokenHash []byte)
}

func (a asking) FindSession(_ context.Context, userID int64, tokenHash []byte, _ time.Time) (session.Identity, error) {
	a.asked(userID, tokenHash)
	return session.Identity{}, session.ErrNone
}

func (asking) TouchSession(context.Context, int64, int64, time.Time) error { return nil }

func (asking) Sessions(context.Context, int64, time.Time) ([]session.Session, error) {
	return nil, nil
}

func (asking) EndSession(context.Context, int64, int64) (bool, error) { return false, nil }

func (asking) EndOtherSessions(context.Context, int64, int64) error { return nil }
