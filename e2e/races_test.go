package e2e_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"caesar/client"
)

func TestOfFiftyWhoShowTheSameCodeOneActivates(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.newcomer()
	code := l.code(p, client.ForActivation)
	came := l.race(crowdSize, func(int) error { return p.Activate(t.Context(), p.Email, code) })
	came.only(t, "", client.CodeWrong, client.TooMany) // the throttle lets no fifty through
	if came[""] != 1 || came[client.CodeWrong] == 0 {
		t.Errorf("it came to %v", came)
	}
	l.aDayPasses() // the others have used up the guesses
	if err := l.tryLogin(p.UserName, p.Password); err != nil {
		t.Errorf("the one is not active: %v", err)
	}
}

func TestOfFiftyWhoShowTheSameCaptchaOneGetsIn(t *testing.T) {
	t.Parallel()
	l := crowd(t, cheapKDF())
	captcha := func() (id, answer string) {
		drawn, err := l.client().Captcha(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return drawn.ID, l.readCaptcha(drawn.ID)
	}
	p := l.stranger()
	p.CaptchaID, p.Registration.Captcha = captcha()
	if _, err := p.Register(t.Context(), p.Registration); err != nil {
		t.Fatal(err)
	}
	if err := p.Activate(t.Context(), p.Email, l.code(p, client.ForActivation)); err != nil {
		t.Fatal(err)
	}
	id, answer := captcha()
	came := l.race(crowdSize, func(int) error {
		return l.client().Login(t.Context(), client.Credentials{
			UserName: p.UserName, Password: p.Password, CaptchaID: id, Captcha: answer,
		})
	})
	if came[""] != 1 || came[client.CaptchaWrong] != crowdSize-1 {
		t.Errorf("it came to %v", came)
	}
}

func TestOfFiftyWhoDeleteTheSameItemOneFindsIt(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	id := l.keep(p, "GitHub")
	came := l.race(crowdSize, func(int) error { return p.DeleteItem(t.Context(), id, p.MainPassword) })
	if came[""] != 1 || came[client.NotFound] != crowdSize-1 {
		t.Errorf("it came to %v", came)
	}
	if n := l.logged(p, client.Deleted); n != 1 {
		t.Errorf("the deletion is logged %d times", n)
	}
}

// logged counts the entries of a type in the newest 200 of a person's log.
func (l *lab) logged(p *person, what client.EventType) int {
	l.t.Helper()
	page, err := p.Log(l.t.Context(), client.Paging{PageSize: 200})
	if err != nil {
		l.t.Fatal(err)
	}
	n := 0
	for _, e := range page.Data {
		if e.Type == what {
			n++
		}
	}
	return n
}

func TestFiftyWhoEditTheSameItemAllDoAndNoneIsMixedWithAnother(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	id := l.keep(p, "GitHub")
	came := l.race(crowdSize, func(i int) error {
		text := fmt.Sprint(i)
		if i%5 == 4 { // and some look on
			seen, err := p.RevealItem(t.Context(), id, p.MainPassword)
			if err == nil && seen.Email != "" && seen.Name != seen.Email {
				t.Errorf("two edits are mixed: %+v", seen)
			}
			return err
		}
		_, err := p.EditItem(t.Context(), id, p.MainPassword, client.ItemEdit{Name: text, Email: text, Password: text})
		return err
	})
	came.only(t, "")
	seen, err := p.RevealItem(t.Context(), id, p.MainPassword)
	if err != nil || seen.Name != seen.Email || seen.Email != seen.Password {
		t.Errorf("in the end it holds %+v: %v", seen, err)
	}
	if n := l.logged(p, client.Edited); n != crowdSize-crowdSize/5 {
		t.Errorf("%d edits are logged", n)
	}
}

func TestOfFiftyWhoEndTheSameSessionOneFindsIt(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	other := l.elsewhere(p)
	sessions, err := p.Sessions(t.Context())
	if err != nil || len(sessions) != 2 {
		t.Fatalf("%d sessions: %v", len(sessions), err)
	}
	came := l.race(crowdSize, func(int) error { return p.EndSession(t.Context(), sessions[0].ID) })
	if came[""] != 1 || came[client.NotFound] != crowdSize-1 {
		t.Errorf("it came to %v", came)
	}
	if _, err := other.Profile(t.Context()); client.Slug(err) != client.Unauthenticated {
		t.Errorf("the session goes on: %v", err)
	}
}

func TestAfterFiftySignOutsAtOnceTheSessionIsOver(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	clients := make([]*client.Client, crowdSize)
	for i := range clients {
		clients[i] = l.client(client.WithToken(p.token))
	}
	came := l.race(crowdSize, func(i int) error { return clients[i].SignOut(t.Context()) })
	came.only(t, "", client.Unauthenticated)
	if came[""] == 0 {
		t.Errorf("it came to %v", came)
	}
	if _, err := p.Profile(t.Context()); client.Slug(err) != client.Unauthenticated {
		t.Errorf("the session goes on: %v", err)
	}
}

func TestOfFiftyWhoRegisterTheSameNameOneGetsIt(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	strangers := make([]*person, crowdSize)
	spellings := []string{"王小明 Ada", "王小明 ADA", "王小明  ada", "王小明 Ａｄａ"}
	for i := range strangers {
		strangers[i] = l.stranger()
		strangers[i].UserName = spellings[i%len(spellings)]
	}
	came := l.race(crowdSize, func(i int) error {
		_, err := strangers[i].Register(t.Context(), strangers[i].Registration)
		return err
	})
	if came[""] != 1 || came[client.Taken] != crowdSize-1 {
		t.Errorf("it came to %v", came)
	}
	l.onlyOneUser()
}

// onlyOneUser looks for what would be left of users who should not be there.
func (l *lab) onlyOneUser() {
	l.t.Helper()
	db := l.Database()
	for table, want := range map[string]int{"users": 1, "handles": 2, "key_records": 1, "erasures": 1, "sessions": 0} {
		if n := one[int](l.t, db, "SELECT count(*) FROM "+table); n != want {
			l.t.Errorf("there are %d %s, not %d", n, table, want)
		}
	}
	if one[int](l.t, db, "SELECT count(*) FROM handles WHERE user_id = (SELECT id FROM users)") != 2 {
		l.t.Error("a name or an email is nobody's")
	}
}

// Until an email is proven the next registration takes the place of the one before: of many at once
// one is left, and it alone can be activated.
func TestOfFiftyWhoRegisterTheSameEmailOneIsLeft(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	strangers := make([]*person, crowdSize)
	for i := range strangers {
		strangers[i] = l.stranger()
		strangers[i].Email = []string{"Ada@example.org", "ada@EXAMPLE.org"}[i%2]
		strangers[i].Password = fmt.Sprint("the password of ", i)
	}
	came := l.race(crowdSize, func(i int) error {
		_, err := strangers[i].Register(t.Context(), strangers[i].Registration)
		return err
	})
	came.only(t, "")
	l.onlyOneUser()
	db := l.Database()
	name, email := one[string](t, db, "SELECT name FROM users"), one[string](t, db, "SELECT email FROM users")
	if err := l.client().SendCode(t.Context(), email, client.ForActivation); err != nil {
		t.Fatal(err)
	}
	if err := l.client().Activate(t.Context(), "ADA@example.org", l.Code(email, "activation")); err != nil {
		t.Fatal(err)
	}
	for _, p := range strangers {
		if err := l.tryLogin(p.UserName, p.Password); (err == nil) != (p.UserName == name) {
			t.Errorf("%s is left, and of %s: %v", name, p.UserName, err)
		}
		if err := l.tryLogin(p.UserName, p.Password); p.UserName != name && client.Slug(err) != client.LoginWrong {
			break // the throttle has had enough of it
		}
	}
}

func TestOfManyWhoChangeToTheSameEmailOneGetsIt(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	var people []*person
	for range 4 {
		people = append(people, l.person())
	}
	came := l.race(crowdSize, func(i int) error {
		p := people[i%len(people)]
		return p.UpdateProfile(t.Context(), client.ProfileUpdate{RealName: p.RealName, Email: "wanted@example.org", Phone: p.Phone})
	})
	came.only(t, "", client.Taken, client.TooMany) // as a user can move only so often
	holders := 0
	for _, p := range people {
		profile, err := p.Profile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if profile.Email == "wanted@example.org" {
			holders++
		} else if profile.Email != p.Email {
			t.Errorf("the email is %s", profile.Email)
		}
	}
	if holders != 1 {
		t.Errorf("%d people have the email", holders)
	}
}

func TestOfFiftyWhoResetAPasswordWithTheSameCodeOneDoes(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	code := l.code(p, client.ForPassword)
	var mu sync.Mutex
	var set []string
	came := l.race(crowdSize, func(i int) error {
		password := fmt.Sprint("new password ", i)
		err := p.ResetPassword(t.Context(), p.Email, code, password)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			set = append(set, password)
		}
		return err
	})
	came.only(t, "", client.CodeWrong, client.TooMany)
	if len(set) != 1 {
		t.Fatalf("it came to %v", came)
	}
	l.aDayPasses()
	if err := l.tryLogin(p.UserName, set[0]); err != nil {
		t.Errorf("the new password is not right: %v", err)
	}
	if err := l.tryLogin(p.UserName, p.Password); client.Slug(err) != client.LoginWrong {
		t.Errorf("the old password: %v", err)
	}
}

// aDayPasses lets every bucket of the throttle fill up again.
func (l *lab) aDayPasses() {
	l.t.Helper()
	// Marks of addresses last for 30 days, buckets for minutes: both lose a day.
	db := l.Database()
	defer func() { _ = db.Close() }()
	change(l.t, db, "UPDATE throttles SET until_ns = until_ns - $1", int64(24*time.Hour))
	change(l.t, db, "UPDATE codes SET sent_at = sent_at - 86400, expires_at = expires_at - 86400")
}

func TestOfManyWhoChangeAPasswordFromTheSameOldOneOneDoes(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	const racers = 9 // the throttle lets ten guess at once
	for _, c := range []struct {
		name   string
		change func(p *person, next string) error
		holds  func(p *person, password string) bool
		slug   string
	}{
		{
			"login password",
			func(p *person, next string) error { return p.ChangePassword(t.Context(), p.Password, next) },
			func(p *person, password string) bool { return l.tryLogin(p.UserName, password) == nil },
			client.LoginWrong,
		},
		{
			"main password",
			func(p *person, next string) error { return p.SetMainPassword(t.Context(), p.MainPassword, next) },
			func(p *person, password string) bool {
				_, err := p.CreateItem(t.Context(), password, client.NewItem{Name: "n", Password: "p", Platform: "p"})
				return err == nil
			},
			client.MainPasswordWrong,
		},
	} {
		p := l.person()
		came := l.race(racers, func(i int) error { return c.change(p, fmt.Sprint("next password ", i)) })
		came.only(t, "", c.slug)
		if came[""] != 1 {
			t.Errorf("%s: it came to %v", c.name, came)
		}
		l.aDayPasses()
		holding := 0
		for i := range racers {
			if c.holds(p, fmt.Sprint("next password ", i)) {
				holding++
			}
		}
		if holding != 1 {
			t.Errorf("%s: %d passwords hold", c.name, holding)
		}
	}
}

// A client that opens all that a person keeps, at once, with the right password, guesses at nothing.
func TestFiftyFirstViewsAtOnceWithTheRightPasswordAllSucceed(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	id := l.keep(p, "GitHub")
	fresh := l.elsewhere(p)
	came := l.race(crowdSize, func(int) error {
		_, err := fresh.RevealItem(t.Context(), id, p.MainPassword)
		return err
	})
	came.only(t, "")
}

// However many guess at the same moment, no more than the throttle's ten are looked at.
func TestOfFiftyWrongGuessesAtOnceTenAreLookedAt(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	id := l.keep(p, "GitHub")
	p.SetToken(l.login(p)) // a session that has not shown the main password
	for door, guess := range map[string]func(i int) error{
		client.LoginWrong: func(i int) error { return l.tryLogin(p.UserName, fmt.Sprint("guess ", i)) },
		client.MainPasswordWrong: func(i int) error {
			_, err := p.RevealItem(t.Context(), id, fmt.Sprint("guess ", i))
			return err
		},
	} {
		came := l.race(crowdSize, guess)
		came.only(t, door, client.TooMany)
		if looked := came[door]; looked < 1 || looked > 10 {
			t.Errorf("%s: %d guesses were looked at", door, looked)
		}
		l.aDayPasses()
	}
	if status := l.ask(question{method: http.MethodGet, path: "/healthz"}).status; status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
}
