package e2e_test

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"caesar/client"
	"caesar/internal/rootkey"
)

// person is somebody whom the server knows.
type person struct {
	client.Registration
	id    int64
	token string
	*client.Client
}

// people counts those that the tests of this process made up, so that no two are the same.
var people atomic.Int64

// stranger makes up a person of whom the server knows nothing.
func (l *lab) stranger() *person {
	n := people.Add(1)
	return &person{
		Client: l.client(),
		Registration: client.Registration{
			UserName: fmt.Sprintf("王小明 %d", n), RealName: "王小明",
			Email: fmt.Sprintf("Xiao.Ming.%d@example.org", n), Phone: "+86 138-0013-8000",
			Password: "correct horse 马", MainPassword: "battery staple 钉",
			Captcha: "12345", CaptchaID: "any",
		},
	}
}

// newcomer registers somebody who has not proven the email yet.
func (l *lab) newcomer() *person {
	l.t.Helper()
	p := l.stranger()
	var err error
	if p.id, err = p.Register(l.t.Context(), p.Registration); err != nil {
		l.t.Fatalf("register: %v", err)
	}
	return p
}

// code has a code mailed to a person and reads it.
func (l *lab) code(p *person, purpose client.Purpose) string {
	l.t.Helper()
	if err := p.SendCode(l.t.Context(), p.Email, purpose); err != nil {
		l.t.Fatalf("have a code for %s mailed: %v", purpose, err)
	}
	return l.Code(p.Email, string(purpose))
}

// person makes somebody who is active and logged in.
func (l *lab) person() *person {
	l.t.Helper()
	p := l.newcomer()
	if err := p.Activate(l.t.Context(), p.Email, l.code(p, client.ForActivation)); err != nil {
		l.t.Fatalf("activate: %v", err)
	}
	p.token = l.login(p)
	p.SetToken(p.token)
	return p
}

// login opens a session of its own for a person and returns its token.
func (l *lab) login(p *person) string {
	l.t.Helper()
	c := l.client()
	with := client.Credentials{UserName: p.UserName, Password: p.Password, Captcha: "any", CaptchaID: "any"}
	if err := c.Login(l.t.Context(), with); err != nil {
		l.t.Fatalf("log in: %v", err)
	}
	return c.Token()
}

// keep keeps an item on a platform for a person and returns its id.
func (l *lab) keep(p *person, platform string) int64 {
	l.t.Helper()
	id, err := p.CreateItem(l.t.Context(), p.MainPassword, client.NewItem{
		Name: "name on " + platform, Password: "s3kr1t", Platform: platform,
	})
	if err != nil {
		l.t.Fatalf("keep an item: %v", err)
	}
	return id
}

// readCaptcha reads what a captcha shows out of its id, which the server's root key opens: no test should
// have to read pictures.
func (l *lab) readCaptcha(id string) string {
	l.t.Helper()
	root, err := rootkey.Load(filepath.Join(l.Data, "keys", "root.key"))
	if err != nil {
		l.t.Fatal(err)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		l.t.Fatalf("read captcha id: %v", err)
	}
	secret, err := root.Sealer("captcha").Open(sealed)
	if err != nil {
		l.t.Fatalf("open captcha id: %v", err)
	}
	return string(secret[len(secret)-5:])
}

// eventually asks again and again until something is so, and fails the test where it does not become so.
func (l *lab) eventually(what string, so func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("in 10 s it did not come about that %s", what)
		}
	}
}
