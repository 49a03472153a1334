package e2e_test

import (
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// crowdSize is how many requests are made at the same moment where the test is about that.
const crowdSize = 50

// crowd starts a server as open does, for tests with many requests at once: the connections of a whole
// crowd are kept between requests, and are closed before the server is, which would wait for those that
// were opened and never used.
func crowd(t *testing.T, options ...testbed.Option) *lab {
	t.Helper()
	l := open(t, options...)
	base := &http.Transport{
		MaxIdleConns: 8 * crowdSize, MaxIdleConnsPerHost: 8 * crowdSize, ExpectContinueTimeout: 10 * time.Second,
	}
	t.Cleanup(base.CloseIdleConnections)
	return (&lab{Server: l.Server, t: t, base: base}).in(t)
}

// proxied are the options of a server that believes the addresses which its test gives itself.
func proxied() []testbed.Option {
	return append(quick(), testbed.Env("CAESAR_TRUSTED_PROXIES", "127.0.0.1/32"))
}

// forwarded sends requests as a proxy does that heard them from an address.
type forwarded struct {
	base    http.RoundTripper
	address string
}

func (f forwarded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", f.address)
	return f.base.RoundTrip(r)
}

// behind is the same lab at another address, if the server believes it.
func (l *lab) behind(address string) *lab {
	l.t.Helper()
	return (&lab{Server: l.Server, t: l.t, base: forwarded{l.base, address}}).in(l.t)
}

// enrol makes a person whom the test has described somebody who is active and logged in here.
func (l *lab) enrol(p *person) *person {
	l.t.Helper()
	p.Client = l.client()
	var err error
	if p.id, err = p.Register(l.t.Context(), p.Registration); err != nil {
		l.t.Fatalf("register: %v", err)
	}
	if err := p.Activate(l.t.Context(), p.Email, l.code(p, client.ForActivation)); err != nil {
		l.t.Fatalf("activate: %v", err)
	}
	p.token = l.login(p)
	p.SetToken(p.token)
	return p
}

// elsewhere is the same person with a session of its own, from where the lab is.
func (l *lab) elsewhere(p *person) *person {
	l.t.Helper()
	again := *p
	again.Client = l.client()
	again.token = l.login(p)
	again.SetToken(again.token)
	return &again
}

// tryLogin is the error of a login, from where the lab is.
func (l *lab) tryLogin(name, password string) error {
	return l.client().Login(l.t.Context(), client.Credentials{
		UserName: name, Password: password, Captcha: "any", CaptchaID: "any",
	})
}

// raced is what came of many requests: how many of each slug, those that succeeded under "".
type raced map[string]int

// race makes as many requests at the same moment and tells what came of them.
func (l *lab) race(requests int, request func(i int) error) raced {
	l.t.Helper()
	came := raced{}
	var mu sync.Mutex
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(requests)
	for i := range requests {
		done.Go(func() {
			ready.Done()
			<-start
			err := request(i)
			mu.Lock()
			defer mu.Unlock()
			if _, answered := errors.AsType[*client.Error](err); err != nil && !answered {
				l.t.Errorf("request %d was not answered: %v", i, err)
			}
			came[client.Slug(err)]++
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return came
}

// only fails the test where something came of a race that is not one of these slugs.
func (r raced) only(t testing.TB, slugs ...string) {
	t.Helper()
	for came, times := range r {
		if !strings.Contains("\n"+strings.Join(slugs, "\n")+"\n", "\n"+came+"\n") {
			t.Errorf("%d of the requests came to %q; in all: %v", times, came, r)
		}
	}
}

// counted counts rows beside the server, and does not stay in the database after that.
func (l *lab) counted(query string, args ...any) int {
	l.t.Helper()
	db := l.Database()
	defer func() { _ = db.Close() }()
	return one[int](l.t, db, "SELECT count(*) FROM "+query, args...)
}

// one reads one value out of the database.
func one[T any](t testing.TB, db *sql.DB, query string, args ...any) T {
	t.Helper()
	var value T
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// change changes the database as an intruder would, and fails the test where it changes nothing.
func change(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed %d rows: %v", statement, n, err)
	}
}
