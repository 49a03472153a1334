package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"caesar/client"
)

// The throttle's measures, as SECURITY.md gives them.
const (
	guessesAtUser      = 10 // from all addresses where the user was never right
	guessesFromAddress = 50
)

// door is a place where a secret of a person can be guessed at, from where a lab is.
type door struct {
	name  string
	wrong string // the slug of a guess that was looked at
	guess func(from *lab, p *person) error
}

// doors are all there are, the logins under every spelling. The person has the session in whose name the
// main and the old password are guessed at.
func doors(item int64) []door {
	login := func(spell func(*person) string) func(*lab, *person) error {
		return func(from *lab, p *person) error { return from.tryLogin(spell(p), "a wrong guess") }
	}
	inside := func(do func(c *client.Client, p *person, from *lab) error) func(*lab, *person) error {
		return func(from *lab, p *person) error { return do(from.client(client.WithToken(p.token)), p, from) }
	}
	edit := client.ItemEdit{Name: "n", Email: "e", Password: "p"}
	return []door{
		{"the name", client.LoginWrong, login(func(p *person) string { return p.UserName })},
		{"the name in capitals", client.LoginWrong, login(func(p *person) string { return strings.ToUpper(p.UserName) })},
		{"the name full-width", client.LoginWrong, login(func(p *person) string { return fullWidth(p.UserName) })},
		{"the name with spaces around", client.LoginWrong, login(func(p *person) string { return "  " + p.UserName + " " })},
		{"the email", client.LoginWrong, login(func(p *person) string { return p.Email })},
		{"the email in capitals", client.LoginWrong, login(func(p *person) string { return strings.ToUpper(p.Email) })},
		{"the email full-width", client.LoginWrong, login(func(p *person) string { return fullWidth(p.Email) })},
		{"the activation code", client.CodeWrong, func(from *lab, p *person) error {
			return from.client().Activate(from.t.Context(), strings.ToUpper(p.Email), "123456")
		}},
		{"the code for a new password", client.CodeWrong, func(from *lab, p *person) error {
			return from.client().ResetPassword(from.t.Context(), p.Email, "123456", "another password")
		}},
		{"a view", client.MainPasswordWrong, inside(func(c *client.Client, _ *person, from *lab) error {
			_, err := c.RevealItem(from.t.Context(), item, "a wrong guess")
			return err
		})},
		{"an edit", client.MainPasswordWrong, inside(func(c *client.Client, _ *person, from *lab) error {
			_, err := c.EditItem(from.t.Context(), item, "a wrong guess", edit)
			return err
		})},
		{"a deletion", client.MainPasswordWrong, inside(func(c *client.Client, _ *person, from *lab) error {
			return c.DeleteItem(from.t.Context(), item, "a wrong guess")
		})},
		{"a new item", client.MainPasswordWrong, inside(func(c *client.Client, _ *person, from *lab) error {
			_, err := c.CreateItem(from.t.Context(), "a wrong guess", client.NewItem{Name: "n", Password: "p", Platform: "p"})
			return err
		})},
		{"the old main password", client.MainPasswordWrong, inside(func(c *client.Client, _ *person, from *lab) error {
			return c.SetMainPassword(from.t.Context(), "a wrong guess", "another password")
		})},
		{"the old password", client.LoginWrong, inside(func(c *client.Client, _ *person, from *lab) error {
			return c.ChangePassword(from.t.Context(), "a wrong guess", "another password")
		})},
		{"erasing", client.LoginWrong, inside(func(c *client.Client, _ *person, from *lab) error {
			return c.Erase(from.t.Context(), "a wrong guess")
		})},
	}
}

// fullWidth writes what ASCII can in the width of Chinese characters.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if '!' <= r && r <= '~' {
			return r + 0xfee0
		}
		return r
	}, s)
}

// waits fails the test where an error is not the throttle's, with how long to wait.
func waits(t testing.TB, what string, err error) {
	t.Helper()
	refusal, ok := errors.AsType[*client.Error](err)
	if !ok || refusal.Status != http.StatusTooManyRequests || refusal.Slug != client.TooMany ||
		refusal.RetryAfter < time.Second || refusal.RetryAfter > time.Minute {
		t.Errorf("%s: not throttled: %v", what, err)
	}
}

// known makes somebody with an Ada of their own for a name, at home at an address.
func (l *lab) known(home string) *person {
	l.t.Helper()
	p := l.stranger()
	p.UserName = "Ada " + strconv.FormatInt(people.Load(), 10)
	return l.behind(home).enrol(p)
}

// atDoors returns the doors of one kind: those before a session, those that take a mailed code, and those
// behind a session. Guesses are counted together at all of a kind.
func atDoors(kind string, item int64) []door {
	return slices.DeleteFunc(doors(item), func(d door) bool {
		at := "inside"
		switch {
		case strings.HasPrefix(d.name, "the name"), strings.HasPrefix(d.name, "the email"):
			at = "outside"
		case d.wrong == client.CodeWrong:
			at = "code"
		}
		return at != kind
	})
}

func TestGuessesAtOneUserAreCountedTogetherOverTheDoorsOfAKindAndEverySpelling(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	const home = "192.0.2.1"
	for net, kind := range []string{"outside", "code", "inside"} {
		p := l.known(home)
		item := l.behind(home).keep(p, "GitHub")
		at := atDoors(kind, item)
		for i := range guessesAtUser + 2*len(at) { // each door is once beyond the tenth guess
			d := at[i%len(at)]
			err := d.guess(l.behind(fmt.Sprintf("198.51.%d.%d", 1+net, 1+i)), p)
			switch {
			case i >= guessesAtUser:
				waits(t, fmt.Sprintf("guess %d, at %s", i+1, d.name), err)
			case client.Slug(err) != d.wrong:
				t.Errorf("guess %d, at %s: %v", i+1, d.name, err)
			}
		}
		// The doors of the other kinds are open from afar, and all are at home.
		for _, other := range []string{"outside", "code", "inside"} {
			d := atDoors(other, item)[0]
			err := d.guess(l.behind("203.0.113.98"), p)
			if other == kind {
				waits(t, "after guesses "+kind+", "+d.name+" from afar", err)
			} else if client.Slug(err) != d.wrong {
				t.Errorf("after guesses %s, %s from afar: %v", kind, d.name, err)
			}
		}
		if err := l.behind(home).tryLogin(p.Email, p.Password); err != nil {
			t.Errorf("the owner is locked out at home: %v", err)
		}
		if _, err := p.RevealItem(t.Context(), item, p.MainPassword); err != nil {
			t.Errorf("the owner's vault is locked at home: %v", err)
		}
	}
}

// A stranger who guesses without end shuts the password logins from strange addresses. The owner who is
// somewhere else still has two ways: a session that is there already, and a code that is mailed.
func TestAnOwnerSomewhereElseIsNotLockedOutByAStranger(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	p := l.known("192.0.2.1")
	item := l.behind("192.0.2.1").keep(p, "GitHub")
	for i := range guessesAtUser + 1 {
		_ = l.behind(fmt.Sprintf("198.51.100.%d", 1+i)).tryLogin(p.Email, "a wrong guess")
	}
	away := l.behind("203.0.113.7")
	waits(t, "the right password from elsewhere", away.tryLogin(p.Email, p.Password))
	if _, err := away.client(client.WithToken(p.token)).RevealItem(t.Context(), item, p.MainPassword); err != nil {
		t.Errorf("a session that is there: %v", err)
	}
	if err := away.client().SendCode(t.Context(), p.Email, client.ForPassword); err != nil {
		t.Fatal(err)
	}
	if err := away.client().ResetPassword(t.Context(), p.Email, l.Code(p.Email, "password"), "another password"); err != nil {
		t.Fatalf("a code that was mailed: %v", err)
	}
	if err := away.tryLogin(p.Email, "another password"); err != nil {
		t.Errorf("the login after it: %v", err)
	}
}

// useUp makes all the guesses that an address has, each at somebody else, at the door that answers the
// quickest: every ten seconds one more is let through. The address is given anew for each.
func (l *lab) useUp(address func(i int) string) {
	l.t.Helper()
	for i := range guessesFromAddress {
		nobody := fmt.Sprintf("nobody.%d@example.org", people.Add(1))
		err := l.behind(address(i)).client().Activate(l.t.Context(), nobody, "123456")
		if client.Slug(err) != client.CodeWrong {
			l.t.Fatalf("guess %d from %s: %v", i+1, address(i), err)
		}
	}
}

func TestGuessesFromOneAddressAreCountedTogetherOverAllUsers(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	p := l.known("192.0.2.1")
	for network, addresses := range map[string]func(i int) string{
		"an IPv4 address":               func(int) string { return "198.51.100.7" },
		"an IPv4 address, also in IPv6": func(i int) string { return []string{"198.51.100.9", "::ffff:198.51.100.9"}[i%2] },
		"an IPv6 network of 64 bits":    func(i int) string { return fmt.Sprintf("2001:db8:7:7:%x::%x", i, i+1) },
	} {
		l.useUp(addresses)
		waits(t, network, l.behind(addresses(guessesFromAddress)).tryLogin("nobody at all", "a wrong guess"))
		waits(t, network, l.behind(addresses(guessesFromAddress+1)).tryLogin(p.UserName, p.Password))
	}
	for _, other := range []string{"198.51.100.8", "2001:db8:7:8::1"} {
		if err := l.behind(other).tryLogin(p.UserName, p.Password); err != nil {
			t.Errorf("%s pays for another address: %v", other, err)
		}
	}
	// Whoever was right there before is not kept out by those who share the address.
	if err := l.behind("192.0.2.1").tryLogin(p.UserName, p.Password); err != nil {
		t.Errorf("at home: %v", err)
	}
}

func TestTheThrottleRemembersOverARestartAndForgetsInTime(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	p := l.known("192.0.2.1")
	far := l.behind("198.51.100.7")
	for _, name := range []string{p.UserName, "nobody at all"} {
		for range guessesAtUser {
			if err := far.tryLogin(name, "a wrong guess"); client.Slug(err) != client.LoginWrong {
				t.Fatal(err)
			}
		}
	}
	l.Kill()
	l.Restart()
	waits(t, "a known user", far.tryLogin(p.UserName, p.Password))
	waits(t, "an unknown user", far.tryLogin("nobody at all", p.Password))
	waits(t, "another spelling of it", far.tryLogin("NOBODY  at ａｌｌ", p.Password))

	// A minute on, there is one guess more: whoever is right with it is known from then on.
	change(t, l.Database(), "UPDATE throttles SET until_ns = until_ns - $1", int64(time.Minute))
	if err := far.tryLogin(p.UserName, p.Password); err != nil {
		t.Errorf("a minute later: %v", err)
	}
	if err := far.tryLogin(p.UserName, p.Password); err != nil {
		t.Errorf("from an address that is known now: %v", err)
	}
	if err := l.behind("198.51.100.8").tryLogin(p.UserName, "a wrong guess"); client.Slug(err) != client.LoginWrong {
		t.Errorf("the one guess more: %v", err)
	}
	waits(t, "the next", l.behind("198.51.100.9").tryLogin(p.UserName, "a wrong guess"))
}

func TestRightPasswordsAreNotCounted(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	p := l.known("192.0.2.1")
	for i := range 2 * guessesAtUser {
		for _, from := range []string{"192.0.2.1", fmt.Sprintf("198.51.100.%d", 1+i)} {
			if err := l.behind(from).tryLogin(p.UserName, p.Password); err != nil {
				t.Fatalf("login %d from %s: %v", i+1, from, err)
			}
		}
	}
	for i := range 2 * guessesAtUser { // each in a session that has not shown it yet
		if _, err := l.behind("198.51.100.1").elsewhere(p).CreateItem(t.Context(), p.MainPassword, client.NewItem{
			Name: "n", Password: "p", Platform: "p",
		}); err != nil {
			t.Fatalf("main password %d: %v", i+1, err)
		}
	}
}

// An owner who mistypes at home is slowed there, and a stranger's guesses leave the home alone.
func TestAKnownAddressHasGuessesOfItsOwn(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	const home = "192.0.2.1"
	p := l.known(home)
	for i := range 3 * guessesAtUser {
		err := l.behind(fmt.Sprintf("198.51.100.%d", 1+i)).tryLogin(p.UserName, "a wrong guess")
		if i >= guessesAtUser {
			waits(t, "a stranger", err)
		}
	}
	for i := range guessesAtUser {
		if err := l.behind(home).tryLogin(p.UserName, "mistyped"); client.Slug(err) != client.LoginWrong {
			t.Fatalf("guess %d at home: %v", i+1, err)
		}
	}
	waits(t, "at home", l.behind(home).tryLogin(p.UserName, p.Password))
}

func TestAnAddressIsBelievedFromATrustedProxyOnly(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	l.useUp(func(i int) string { return fmt.Sprintf("198.51.100.%d, 203.0.113.%d", i, i) })
	waits(t, "with a forged address", l.behind("198.51.100.99").tryLogin("nobody at all", "a wrong guess"))
	waits(t, "without one", l.tryLogin("nobody at all", "a wrong guess"))
}

func TestOfForwardedAddressesTheOneThatTheProxyHeardCounts(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	// The client forges what stands before what the proxy adds.
	l.useUp(func(i int) string { return fmt.Sprintf("203.0.113.%d, 198.51.100.7", i) })
	waits(t, "the same client", l.behind("203.0.113.99, 198.51.100.7").tryLogin("nobody at all", "a wrong guess"))
	if err := l.behind("198.51.100.7, 203.0.113.99").tryLogin("nobody at all", "a wrong guess"); client.Slug(err) != client.LoginWrong {
		t.Errorf("a client that was only claimed to be that one: %v", err)
	}
	p := l.known("192.0.2.200")
	sessions, err := p.Sessions(t.Context())
	if err != nil || len(sessions) != 1 || sessions[0].Address != "192.0.2.200" {
		t.Errorf("the sessions are %+v: %v", sessions, err)
	}
}

// alike sends the same kind of request about several people and fails the test where an answer tells one
// from another: its status, its headers or its words, but for what differs with every answer and for
// seconds that pass meanwhile.
func (l *lab) alike(what string, times int, requests map[string]question) (statuses []int) {
	l.t.Helper()
	for i := range times {
		var first, of string
		for who, q := range requests {
			r := l.ask(q)
			statuses = append(statuses, r.status)
			for _, differs := range []string{"Date", "X-Request-Id"} {
				r.header.Del(differs)
			}
			if after := r.header.Get("Retry-After"); after != "" {
				if seconds, err := strconv.Atoi(after); err != nil || seconds < 1 || seconds > 60 {
					l.t.Errorf("%s, %s: Retry-After is %s", what, who, after)
				}
				r.body = bytes.ReplaceAll(r.body, []byte(after), []byte("N"))
				r.header.Set("Retry-After", "N")
				r.header.Del("Content-Length")
			}
			told := fmt.Sprintf("%d %v %s", r.status, r.header, r.body)
			if first == "" {
				first, of = told, who
			} else if told != first {
				l.t.Errorf("%s, time %d: of %s it tells\n%s\nand of %s\n%s", what, i+1, of, first, who, told)
			}
		}
	}
	return statuses
}

func TestNoAnswerTellsAKnownUserFromAnUnknownOne(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	active, closing, pending := l.known("192.0.2.1"), l.known("192.0.2.1"), l.stranger()
	if err := closing.CloseAccount(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := pending.Register(t.Context(), pending.Registration); err != nil {
		t.Fatal(err)
	}
	people := map[string]*person{"an active user": active, "a closing user": closing, "a pending user": pending, "nobody": l.stranger()}
	ask := func(method, path, language string, fields func(p *person) []string) map[string]question {
		requests := map[string]question{}
		for who, p := range people {
			header := asJSON.header()
			header.Set("Accept-Language", language)
			requests[who] = question{method: method, path: path, header: header, body: jsonBody(t, fields(p)...)}
		}
		return requests
	}
	address := 0
	for _, language := range []string{"zh", "en"} {
		for path, fields := range map[string]func(p *person) []string{
			"/api/login": func(p *person) []string {
				return []string{"user_name", p.UserName, "password", "a wrong guess", "captcha", "", "captcha_id", ""}
			},
			"/api/login by email": func(p *person) []string {
				return []string{"user_name", p.Email, "password", "a wrong guess", "captcha", "", "captcha_id", ""}
			},
			"/api/activation": func(p *person) []string { return []string{"email", p.Email, "code", "123456"} },
			"/api/password": func(p *person) []string {
				return []string{"email", p.Email, "code", "123456", "password", "another one", "re_password", "another one"}
			},
		} {
			address++
			from := l.behind(fmt.Sprintf("198.51.100.%d", address))
			bare, _, _ := strings.Cut(path, " ")
			statuses := from.alike(path, guessesAtUser+2, ask(http.MethodPost, bare, language, fields))
			if !slices.Contains(statuses, http.StatusBadRequest) || !slices.Contains(statuses, http.StatusTooManyRequests) {
				t.Errorf("%s: %v", path, statuses)
			}
			l.aDayPasses()
		}
	}
	for _, purpose := range []client.Purpose{client.ForActivation, client.ForPassword} {
		statuses := l.alike("/api/email", 3, ask(http.MethodPut, "/api/email", "zh", func(p *person) []string {
			return []string{"email", p.Email, "type", string(purpose)}
		}))
		if !slices.Contains(statuses, http.StatusOK) || !slices.Contains(statuses, http.StatusTooManyRequests) {
			t.Errorf("/api/email: %v", statuses)
		}
	}
}

// The work that a guess makes is the same too: for nobody a password is hashed as for anybody.
func TestAGuessAtNobodyTakesAsLongAsOneAtSomebody(t *testing.T) {
	t.Parallel()
	l := crowd(t, proxied()...)
	p := l.known("192.0.2.1")
	quickest := map[string]time.Duration{}
	for range 8 {
		for _, name := range []string{p.UserName, "nobody at all"} {
			began := time.Now()
			if err := l.tryLogin(name, "a wrong guess"); client.Slug(err) != client.LoginWrong {
				t.Fatal(err)
			}
			if took := time.Since(began); quickest[name] == 0 || took < quickest[name] {
				quickest[name] = took
			}
		}
	}
	known, unknown := quickest[p.UserName], quickest["nobody at all"]
	if known > 3*unknown || unknown > 3*known {
		t.Errorf("%v for somebody, %v for nobody", known, unknown)
	}
}

func TestFiveWrongTriesEndACode(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	for tries, want := range map[int]string{4: "", 5: client.CodeWrong} {
		p := l.newcomer()
		code := l.code(p, client.ForActivation)
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		for range tries {
			if err := p.Activate(t.Context(), p.Email, wrong); client.Slug(err) != client.CodeWrong {
				t.Fatal(err)
			}
		}
		if err := p.Activate(t.Context(), p.Email, code); client.Slug(err) != want {
			t.Errorf("the right code after %d wrong ones: %v", tries, err)
		}
	}
}
