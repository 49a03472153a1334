package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caesar/client"
	"caesar/internal/testbed"
)

func TestSIGTERMLetsARequestThatIsUnderWayFinish(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	body := jsonBody(t, "user_name", p.UserName, "password", p.Password, "captcha", "", "captcha_id", "")

	underWay := make(chan struct{}) // the server asks for the body: it is at the request
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(underWay) }})
	half, rest := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.URL+"/api/login", half)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = int64(len(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Expect", "100-continue")
	answered := make(chan *http.Response, 1)
	go func() {
		response, err := l.http.Do(request)
		if err != nil {
			t.Errorf("the request was cut off: %v", err)
		}
		answered <- response
	}()
	<-underWay
	if _, err := rest.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	pid := l.Pid()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	l.eventually("nobody else is let in", func() bool {
		connection, err := net.Dial("tcp", strings.TrimPrefix(l.URL, "http://"))
		if err == nil {
			_ = connection.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if _, err := rest.Write(body[len(body)/2:]); err != nil || rest.Close() != nil {
		t.Fatal(err)
	}
	response := <-answered
	if response == nil {
		return
	}
	var session struct{ Token string }
	if err := json.NewDecoder(response.Body).Decode(&session); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%s: %v", response.Status, err)
	}
	_ = response.Body.Close()
	l.eventually("the process has ended", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	l.Restart() // which also looks at how it ended
	if _, err := l.client(client.WithToken(session.Token)).Profile(t.Context()); err != nil {
		t.Errorf("what it answered on its way out does not hold: %v", err)
	}
}

// refuses starts a server where it has to say no: in one line that names what is wrong, with the answer 1,
// and with nothing changed in the database.
func (l *lab) refuses(options []testbed.Option, names ...string) {
	t := l.t
	t.Helper()
	before := l.stored()
	answer, said := testbed.Refuse(t, append([]testbed.Option{testbed.Over(l.Server)}, options...)...)
	if answer != 1 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "caesar: ") {
		t.Errorf("it answered %d and said:\n%s", answer, said)
	}
	for _, name := range names {
		if !strings.Contains(said, name) {
			t.Errorf("it does not name %q:\n%s", name, said)
		}
	}
	if after := l.stored(); !maps.EqualFunc(before, after, bytes.Equal) {
		t.Error("the database was changed")
	}
}

// stored is the file of the database, without its log, or all rows where there is none.
func (l *lab) stored() map[string][]byte {
	l.t.Helper()
	if l.OnPostgres() {
		return l.Tables()
	}
	file, err := os.ReadFile(filepath.Join(l.Data, "caesar.db"))
	if err != nil {
		l.t.Fatal(err)
	}
	return map[string][]byte{"caesar.db": file}
}

func TestAServerThatCannotRunSaysWhyInOneLineAndChangesNothing(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	item := l.keep(p, "GitHub")
	l.refuses([]testbed.Option{testbed.Args("--listen", strings.TrimPrefix(l.URL, "http://"))},
		strings.TrimPrefix(l.URL, "http://"), "another program has this address")
	l.Stop()

	db := l.Database()
	change(t, db, "INSERT INTO migrations (version) VALUES (9999)")
	if !l.OnPostgres() { // into the file, which is looked at
		if _, err := db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
	}
	l.refuses(nil, "newer version of caesar", "9999")
	change(t, db, "DELETE FROM migrations WHERE version = 9999")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	key := filepath.Join(l.Data, "keys", "root.key")
	secret, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644} {
		if err := os.Chmod(key, mode); err != nil {
			t.Fatal(err)
		}
		l.refuses(nil, "chmod 600 "+key)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	gone, bring := "is gone", "bring back the key"
	if l.OnPostgres() { // where other replicas have it
		gone, bring = "there is no root key", "bring the same key file"
	}
	l.refuses(nil, key, gone)
	l.refuses(nil, key, gone) // the second time is no first start either
	for content, want := range map[string]string{
		"": "there is no key in it", "c2hvcnQ=\n": "line 1", "\x00\xff": "line 1", anotherRootKey: bring,
	} {
		if err := os.WriteFile(key, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		l.refuses(nil, key, want)
	}

	// The database was not harmed: with the key that it was sealed under all is there.
	if err := os.WriteFile(key, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	l.Restart()
	if _, err := p.RevealItem(t.Context(), item, p.MainPassword); err != nil {
		t.Error(err)
	}
}

// anotherRootKey is a root key as it stands in its file.
const anotherRootKey = "bmV3IHJvb3Qga2V5IG9mIDMyIGJ5dGVzLCBpbmRlZWQ=\n"

// A second line in the root key's file keeps what was sealed under an older key readable.
func TestANewRootKeyAboveTheOldOneLeavesAllReadable(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	item := l.keep(p, "GitHub")
	l.Stop()
	key := filepath.Join(l.Data, "keys", "root.key")
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, append([]byte(anotherRootKey), old...), 0o600); err != nil {
		t.Fatal(err)
	}
	l.Restart()
	if seen, err := p.RevealItem(t.Context(), item, p.MainPassword); err != nil || seen.Name != "name on GitHub" {
		t.Errorf("%+v: %v", seen, err)
	}
	if err := l.tryLogin(p.UserName, p.Password); err != nil {
		t.Error(err)
	}
	l.keep(p, "sealed under the new one")
}

func TestALoginKeepsAnAccountThatWasClosed(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	p := l.person()
	item := l.keep(p, "GitHub")
	other := l.elsewhere(p)
	if err := l.client(client.WithToken(p.token)).CloseAccount(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*person{p, other} {
		if _, err := c.Profile(t.Context()); client.Slug(err) != client.Unauthenticated {
			t.Errorf("a session goes on: %v", err)
		}
	}
	l.eventually("the owner is told", func() bool {
		for _, m := range l.Mails(p.Email, 1) {
			if m.Subject == "凯撒密码：账号已注销" {
				return true
			}
		}
		return false
	})
	l.Restart() // which sweeps
	again := l.elsewhere(p)
	if seen, err := again.RevealItem(t.Context(), item, p.MainPassword); err != nil || seen.Name != "name on GitHub" {
		t.Errorf("it is not as it was: %+v, %v", seen, err)
	}
	if n := l.counted("erasures"); n != 0 {
		t.Error("it is to be erased all the same")
	}
}

// marked makes up somebody of whom every text is distinctive, and returns those texts.
func (l *lab) marked() (p *person, texts map[string]string) {
	l.t.Helper()
	p = l.stranger()
	p.UserName, p.RealName, p.Phone = "Name "+rand.Text(), "Real "+rand.Text(), "+86 777-1234-56789"
	p.Email = "Mail." + rand.Text() + "@Example.org"
	return p, map[string]string{
		"name": p.UserName, "folded name": strings.ToLower(p.UserName), "real name": p.RealName, "phone": p.Phone,
		"email": p.Email, "folded email": strings.ToLower(p.Email),
	}
}

// noTrace looks for texts in the files of the database, or in the rows where those are not ours, byte for byte.
func (l *lab) noTrace(texts map[string]string) {
	l.t.Helper()
	for place, content := range l.atRest() {
		if !strings.HasPrefix(place, "caesar.db") && !strings.HasPrefix(place, "table ") {
			continue
		}
		for what, text := range texts {
			if n := bytes.Count(content, []byte(text)); n > 0 {
				l.t.Errorf("the %s stands in %s %d times", what, place, n)
			}
		}
	}
}

// noRows looks for rows of a user.
func (l *lab) noRows(id int64) bool {
	l.t.Helper()
	for table, column := range map[string]string{
		"users": "id", "handles": "user_id", "key_records": "user_id", "sessions": "user_id", "codes": "user_id",
		"items": "user_id", "item_log": "user_id", "erasures": "user_id",
	} {
		if l.counted(fmt.Sprintf("%s WHERE %s = $1", table, column), id) != 0 {
			return false
		}
	}
	return true
}

// fill has somebody keep enough for pages of the database to be split and joined, with another's rows between.
func (l *lab) fill(p, between *person, texts map[string]string) {
	l.t.Helper()
	texts["platform"], texts["url"] = "Platform "+rand.Text(), "https://"+strings.ToLower(rand.Text())+".example"
	texts["folded platform"] = strings.ToLower(texts["platform"])
	for i := range 120 {
		if _, err := p.CreateItem(l.t.Context(), p.MainPassword, client.NewItem{
			Name: "n", Password: "p", Platform: texts["platform"], URL: texts["url"] + strings.Repeat("/x", i),
		}); err != nil {
			l.t.Fatal(err)
		}
		if i%10 == 0 {
			l.keep(between, "between")
		}
	}
}

func TestOfAClosedAccountNothingIsLeftOnceTheGraceIsOver(t *testing.T) {
	t.Parallel()
	l := crowd(t, append(quick(), testbed.Args("--closing-grace", "1ms"))...)
	between := l.person()
	p, texts := l.marked()
	l.enrol(p)
	for range 30 { // others, for pages with more than one name on them
		l.newcomer()
	}
	l.fill(p, between, texts)
	if err := p.SendCode(t.Context(), p.Email, client.ForPassword); err != nil {
		t.Fatal(err)
	}
	if err := p.CloseAccount(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.Restart() // it sweeps when it starts, and every minute from then on
	l.eventually("the user is erased", func() bool { return l.noRows(p.id) })
	l.Stop()
	l.noTrace(texts)
	l.Restart()
	if err := l.tryLogin(p.UserName, p.Password); client.Slug(err) != client.LoginWrong {
		t.Errorf("who was erased: %v", err)
	}
	if page, err := between.ListItems(t.Context(), client.ItemQuery{}); err != nil || page.Count != 12 {
		t.Errorf("of another %d items are left: %v", page.Count, err)
	}
	if _, err := p.Register(t.Context(), p.Registration); err != nil {
		t.Errorf("the name and the email are not free again: %v", err)
	}
}

func TestWhoErasesThemselvesIsGoneAtOnceFromTheLogsOfTheDatabaseToo(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	between := l.person()
	p, texts := l.marked()
	l.enrol(p)
	l.fill(p, between, texts)
	if err := l.client(client.WithToken(p.token)).Erase(t.Context(), p.Password); err != nil {
		t.Fatal(err)
	}
	l.eventually("the user is erased", func() bool { return l.noRows(p.id) })
	l.Kill() // which leaves the write-ahead log as it is
	l.noTrace(texts)
}

func TestARegistrationThatWasNeverActivatedLeavesNothing(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	replaced, texts := l.marked()
	forgotten, more := l.marked()
	for _, p := range []*person{replaced, forgotten} {
		if _, err := p.Register(t.Context(), p.Registration); err != nil {
			t.Fatal(err)
		}
	}
	next := l.stranger()
	next.Email = strings.ToUpper(replaced.Email) // the same address, to whom it belongs
	l.enrol(next)
	delete(texts, "folded email") // it is the next one's
	l.keep(next, "GitHub")
	l.Stop()
	db := l.Database()
	change(t, db, "UPDATE erasures SET due_at = due_at - 86400 WHERE user_id = (SELECT id FROM users WHERE name = $1)", forgotten.UserName)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l.Restart()
	l.eventually("the one that nobody came back to is erased", func() bool {
		return l.counted("users") == 1
	})
	l.Stop()
	l.noTrace(texts)
	l.noTrace(more)
	l.Restart()
	if err := l.tryLogin(next.Email, next.Password); err != nil {
		t.Error(err)
	}
	if err := l.tryLogin(replaced.UserName, replaced.Password); client.Slug(err) != client.LoginWrong {
		t.Errorf("the one that was replaced: %v", err)
	}
}
