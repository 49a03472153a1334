package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"caesar/client"
	"caesar/internal/testbed"
)

// Everything that a person entrusts to the server or gets from it is drawn at random here, so that it
// can be looked for wherever it must not be: in any file, the write-ahead log and a killed process's
// leavings among them, in any row and any object where they are kept elsewhere, in the log at its most
// talkative, and in whatever is answered to a mistake.
func TestNothingAtRestInTheLogOrInAnErrorReadsASecret(t *testing.T) {
	t.Parallel()
	l, seen := secretive(t)
	p := l.stranger()
	p.Password, p.MainPassword = secretText("first login"), secretText("first main")
	life := &secretLife{lab: l, person: p, secrets: map[string]string{
		"login password": p.Password, "main password": p.MainPassword,
	}}
	life.join()
	life.keep()
	life.mistake()
	life.change()
	life.leave()

	l.Kill() // which leaves the write-ahead log as it is
	places := l.atRest()
	places["the log"] = []byte(l.Log())
	places["the answers to mistakes, and the lists"] = seen.all()
	for what, secret := range life.secrets {
		for place, content := range places {
			for form, look := range formsOf(secret) {
				if bytes.Contains(content, look) {
					t.Errorf("%s: the %s stands there, %s", place, what, form)
				}
			}
		}
	}
	life.lookForDigits(places)
	if t.Failed() {
		return
	}
	// The search finds what is there: the user's name is kept in the clear.
	rows := places["caesar.db-wal"]
	if l.OnPostgres() {
		rows = places["table users"]
	}
	if !bytes.Contains(rows, []byte(p.UserName)) || len(seen.all()) == 0 {
		t.Error("the search itself finds nothing")
	}
}

// secretive starts a server that logs all it ever logs and asks for captchas, and a lab that keeps what it
// answers to mistakes and in lists.
func secretive(t *testing.T) (*lab, *overheard) {
	t.Helper()
	l := open(t, cheapKDF(), testbed.Args("--log-level", "debug"))
	seen := &overheard{base: l.base}
	return (&lab{Server: l.Server, t: t, base: seen}).in(t), seen
}

// overheard keeps the answers that may hold no secret: errors, and all to GET but the captcha.
type overheard struct {
	base http.RoundTripper
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *overheard) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := o.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	o.mu.Lock()
	defer o.mu.Unlock()
	if response.StatusCode >= 400 || r.Method == http.MethodGet {
		o.text.Write(body)
	}
	_ = response.Header.Write(&o.text)
	return response, nil
}

func (o *overheard) all() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.text.Bytes())
}

// secretText is a secret that looks for its kind: with a space, and with letters that forms of text write
// otherwise, around a middle that all of them write alike.
func secretText(what string) string { return what + " é+/& " + rand.Text() + " ü" }

// secretLife is a person who does all that can be done, and every secret of it.
type secretLife struct {
	*lab
	*person
	secrets map[string]string
	digits  []string // captchas and codes
	item    int64
}

// solve draws a captcha and reads it.
func (s *secretLife) solve() (id, answer string) {
	s.t.Helper()
	drawn, err := s.client().Captcha(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	answer = s.readCaptcha(drawn.ID)
	s.digits = append(s.digits, answer)
	return drawn.ID, answer
}

func (s *secretLife) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// fails is for mistakes: they have to be answered as such.
func (s *secretLife) fails(slug string, err error) {
	s.t.Helper()
	if client.Slug(err) != slug {
		s.t.Errorf("it is answered by %v, not %s", err, slug)
	}
}

func (s *secretLife) signIn(name, password string) error {
	s.t.Helper()
	id, answer := s.solve()
	return s.Login(s.t.Context(), client.Credentials{UserName: name, Password: password, CaptchaID: id, Captcha: answer})
}

func (s *secretLife) join() {
	s.t.Helper()
	ctx := s.t.Context()
	s.CaptchaID, s.Registration.Captcha = s.solve()
	_, err := s.Register(ctx, s.Registration)
	s.must(err)
	s.fails(client.CaptchaWrong, func() error { _, err := s.Register(ctx, s.Registration); return err }())
	s.fails(client.NotActivated, s.signIn(s.Email, s.Password))
	code := s.code(s.person, client.ForActivation)
	s.digits = append(s.digits, code)
	s.fails(client.CodeWrong, s.Activate(ctx, s.Email, "000000x"))
	s.must(s.Activate(ctx, s.Email, code))
	s.must(s.signIn(s.UserName, s.Password))
	s.secrets["session token"] = s.Token()
}

// keep keeps, opens and edits items.
func (s *secretLife) keep() {
	s.t.Helper()
	ctx := s.t.Context()
	secret := func(what string) string {
		s.secrets[what] = secretText(what)
		return s.secrets[what]
	}
	var err error
	s.item, err = s.CreateItem(ctx, s.MainPassword, client.NewItem{
		Name: secret("item's name"), Email: secret("item's email"), Password: secret("item's password"), Platform: "GitHub",
	})
	s.must(err)
	_, err = s.RevealItem(ctx, s.item, s.MainPassword)
	s.must(err)
	_, err = s.EditItem(ctx, s.item, s.MainPassword, client.ItemEdit{
		Name: secret("item's new name"), Email: secret("item's new email"), Password: secret("item's new password"),
	})
	s.must(err)
	gone, err := s.CreateItem(ctx, s.MainPassword, client.NewItem{
		Name: secret("deleted item's name"), Password: secret("deleted item's password"), Platform: "GitHub",
	})
	s.must(err)
	s.must(s.DeleteItem(ctx, gone, s.MainPassword))
	_, err = s.ListItems(ctx, client.ItemQuery{Platform: "hub"})
	s.must(err)
}

// mistake shows secrets at the wrong places: they are nobody's, and must not be told either.
func (s *secretLife) mistake() {
	s.t.Helper()
	ctx := s.t.Context()
	wrong := func(what string) string {
		s.secrets[what] = secretText(what)
		return s.secrets[what]
	}
	s.fails(client.LoginWrong, s.signIn(s.UserName, wrong("wrong login password")))
	s.SetToken(s.secrets["session token"])
	_, err := s.RevealItem(ctx, s.item, wrong("wrong main password"))
	s.fails(client.MainPasswordWrong, err)
	s.fails(client.LoginWrong, s.ChangePassword(ctx, wrong("wrong old password"), wrong("password not set")))
	s.fails(client.Invalid, s.SetMainPassword(ctx, s.MainPassword, s.Password))
	_, err = s.CreateItem(ctx, s.MainPassword, client.NewItem{
		Name: wrong("refused item's name"), Password: wrong("refused item's password") + "\x00", Platform: "GitHub",
	})
	s.fails(client.Invalid, err)
	stray := s.client(client.WithToken(wrong("token that is none")))
	_, err = stray.Profile(ctx)
	s.fails(client.Unauthenticated, err)

	// A secret in the address, in a path that is none, and in bodies that are broken.
	for _, q := range []question{
		{method: http.MethodPost, path: "/api/login?password=" + url.QueryEscape(wrong("password in a query"))},
		{method: http.MethodGet, path: "/api/auth/me?token=" + url.QueryEscape(wrong("token in a query"))},
		{method: http.MethodPost, path: "/api/login", body: []byte(`{"password":"` + wrong("password in half a body") + `"`), header: asJSON.header()},
		{method: http.MethodPost, path: "/api/login", body: []byte(`{"` + wrong("password for a name") + `":1,"user_name":2}`), header: asJSON.header()},
		{method: http.MethodPost, path: "/api/login", body: []byte(wrong("password for a body")), header: http.Header{"Content-Type": {"text/plain"}}},
		{method: http.MethodPost, path: "/api/login", body: []byte("password=" + wrong("password in a form") + "%zz"), header: asForm.header()},
	} {
		if r := s.ask(q); r.status < 400 || r.status > 499 {
			s.t.Errorf("%s %s: %d", q.method, q.path, r.status)
		}
	}
}

// change changes every password there is.
func (s *secretLife) change() {
	s.t.Helper()
	ctx := s.t.Context()
	next := func(what string) string {
		s.secrets[what] = secretText(what)
		return s.secrets[what]
	}
	main := next("second main password")
	s.must(s.SetMainPassword(ctx, s.MainPassword, main))
	_, err := s.RevealItem(ctx, s.item, main)
	s.must(err)
	password := next("second login password")
	s.must(s.ChangePassword(ctx, s.Password, password))
	code := s.code(s.person, client.ForPassword)
	s.digits = append(s.digits, code)
	s.must(s.ResetPassword(ctx, s.Email, code, next("third login password")))
	s.must(s.signIn(s.Email, s.secrets["third login password"]))
	s.secrets["second session token"] = s.Token()
}

// leave signs out of one session, and in and out of another.
func (s *secretLife) leave() {
	s.t.Helper()
	s.must(s.SignOut(s.t.Context()))
	s.must(s.signIn(s.UserName, s.secrets["third login password"]))
	s.secrets["third session token"] = s.Token()
	s.must(s.CloseAccount(s.t.Context()))
}

// lookForDigits looks for captchas and codes. Five or six digits can stand anywhere by chance: one that
// does is let pass, a server that writes them down would write down all.
func (s *secretLife) lookForDigits(places map[string][]byte) {
	s.t.Helper()
	numbers := regexp.MustCompile(`(?:time|took|bytes|request_id|url)=\S+`) // what the log counts and measures
	for place, content := range places {
		if strings.HasPrefix(place, "outbox") {
			continue // which is where codes are meant to be read
		}
		if place == "the log" {
			content = numbers.ReplaceAll(content, nil)
		}
		found := 0
		for _, digits := range s.digits {
			for _, look := range formsOf(digits) {
				if bytes.Contains(content, look) {
					found++
					break
				}
			}
		}
		if found > 1 {
			s.t.Errorf("%s: %d of %d captchas and codes stand there", place, found, len(s.digits))
		}
	}
}

// atRest reads all that the server has left: every file in its data folder, by its path from there, and what
// it keeps elsewhere, the tables of PostgreSQL and the objects of an S3 store.
func (l *lab) atRest() map[string][]byte {
	l.t.Helper()
	places := map[string][]byte{}
	err := filepath.WalkDir(l.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(l.Data, path)
		if err != nil {
			return err
		}
		places[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	if l.OnPostgres() {
		for table, rows := range l.Tables() {
			places["table "+table] = rows
		}
	}
	if l.OnS3() {
		for _, b := range l.Blobs() {
			places["object "+b.Name] = l.ReadBlob(b.Name)
		}
	}
	return places
}

// middle finds what is random in a secret; a token and digits are random as a whole.
var middle = regexp.MustCompile(`[A-Z2-7]{26}`)

// formsOf are the forms in which a secret may be written, by their names. What is random in it stands in
// URLs, in JSON and in escapes as it is; in base64 it stands in one of three ways, by where it begins.
func formsOf(secret string) map[string][]byte {
	core := []byte(secret)
	if found := middle.FindString(secret); found != "" {
		core = []byte(found)
	}
	forms := map[string][]byte{
		"as it is":              core,
		"in hexadecimal":        []byte(hex.EncodeToString(core)),
		"in hexadecimal, large": []byte(strings.ToUpper(hex.EncodeToString(core))),
		"turned round":          reversed(core),
		"in UTF-16":             wide(core),
	}
	for shift, name := range []string{"in base64", "in base64, a byte on", "in base64, two bytes on"} {
		// Only groups of three bytes that are all the secret's own come out the same whatever is around.
		own := core[(3-shift)%3:]
		own = own[:len(own)/3*3]
		if len(own) < 6 {
			continue // short enough to stand anywhere by chance
		}
		forms[name] = []byte(base64.StdEncoding.EncodeToString(own))
		forms[name+" for URLs"] = []byte(base64.URLEncoding.EncodeToString(own))
	}
	// A token comes in base64 already: what is in it must not be there either.
	if raw, err := base64.RawURLEncoding.DecodeString(secret); err == nil && len(raw) > 32 {
		forms["decoded"] = raw[len(raw)-32:]
	}
	return forms
}

func reversed(b []byte) []byte {
	turned := make([]byte, 0, len(b))
	for _, c := range slices.Backward(b) {
		turned = append(turned, c)
	}
	return turned
}

func wide(b []byte) []byte {
	w := make([]byte, 0, 2*len(b))
	for _, c := range b {
		w = append(w, c, 0)
	}
	return w
}

// The search that looks for secrets above finds them in every form.
func TestASecretIsFoundInEveryFormThatItCanBeWrittenIn(t *testing.T) {
	t.Parallel()
	secret := secretText("password")
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, written := range map[string]string{
		"query":      url.QueryEscape(secret),
		"path":       url.PathEscape(secret),
		"quoted":     string(quoted),
		"hex":        hex.EncodeToString([]byte(secret)),
		"base64":     base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 + 1": base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"base64 + 2": base64.RawURLEncoding.EncodeToString([]byte("xx" + secret)),
	} {
		found := false
		for _, look := range formsOf(secret) {
			found = found || strings.Contains(written, string(look))
		}
		if !found {
			t.Errorf("%s: it is not found in %s", name, written)
		}
	}
}
