package e2e_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"caesar/client"
	"caesar/internal/testbed"
)

// The one who may send through the mail server; in a URL, much of it has to be written otherwise.
const (
	mailUser     = "caesar@example.org"
	mailPassword = "p@ss: word/?#%"
)

// postOffice is a mail server of go-smtp that runs in the test.
type postOffice struct {
	t           *testing.T
	addr        string
	certificate *tls.Certificate // nil for one without TLS
	implicit    bool             // TLS from the first byte

	mu      sync.Mutex
	letters []letter
}

// letter is a mail as the post office got it.
type letter struct {
	from, to, as string
	inTLS        bool
	raw          []byte
}

func (o *postOffice) open() {
	o.t.Helper()
	if o.addr == "" {
		o.addr = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(o.t.Context(), "tcp", o.addr)
	if err != nil {
		o.t.Fatal(err)
	}
	o.addr = listener.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &counter{office: o, conn: c}, nil
	}))
	server.Domain, server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	if o.certificate != nil {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*o.certificate}, MinVersion: tls.VersionTLS12}
		if o.implicit {
			listener = tls.NewListener(listener, server.TLSConfig)
		}
	}
	go func() { _ = server.Serve(listener) }()
	o.t.Cleanup(func() { _ = listener.Close(); _ = server.Close() })
}

// port is where the post office is, or will be.
func (o *postOffice) port() string {
	_, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		o.t.Fatal(err)
	}
	return port
}

// await waits until so many letters to an address have come.
func (o *postOffice) await(l *lab, to string, least int) []letter {
	l.t.Helper()
	var got []letter
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got = got[:0]
		o.mu.Lock()
		for _, received := range o.letters {
			if received.to == to {
				got = append(got, received)
			}
		}
		o.mu.Unlock()
		if len(got) >= least {
			return got
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%d letters came to %s, not %d", len(got), to, least)
		}
	}
}

// counter is one connection to a post office.
type counter struct {
	office *postOffice
	conn   *smtp.Conn
	got    letter
}

func (c *counter) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *counter) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != mailUser || password != mailPassword {
			return smtp.ErrAuthFailed
		}
		c.got.as = user
		return nil
	}), nil
}

func (c *counter) Mail(from string, _ *smtp.MailOptions) error {
	if c.office.certificate != nil && c.got.as == "" {
		return smtp.ErrAuthRequired
	}
	_, c.got.inTLS = c.conn.TLSConnectionState()
	c.got.from = from
	return nil
}

func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error { c.got.to = to; return nil }

func (c *counter) Data(r io.Reader) (err error) {
	if c.got.raw, err = io.ReadAll(r); err != nil {
		return err
	}
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	c.office.letters = append(c.office.letters, c.got)
	return nil
}

func (c *counter) Reset()        {}
func (c *counter) Logout() error { return nil }

// certified returns a certificate for localhost that it signed itself, and the file that holds it.
func certified(t *testing.T) (*tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// numberLine is the line of a letter's text on which a code stands alone.
var numberLine = regexp.MustCompile(`(?m)^ *(\d{6}) *\r?$`)

// activate goes through a registration by the codes that the post office gets.
func (o *postOffice) activate(l *lab) letter {
	l.t.Helper()
	p := l.newcomer()
	if err := p.SendCode(l.t.Context(), p.Email, client.ForActivation); err != nil {
		l.t.Fatal(err)
	}
	received := o.await(l, p.Email, 1)[0]
	code := numberLine.FindSubmatch(received.raw)
	if code == nil {
		l.t.Fatalf("no code stands in\n%s", received.raw)
	}
	if err := p.Activate(l.t.Context(), p.Email, string(code[1])); err != nil {
		l.t.Fatal(err)
	}
	return received
}

func TestMailGoesThroughAServerWithTLSOfEitherKindAndAPassword(t *testing.T) {
	t.Parallel()
	for _, implicit := range []bool{false, true} {
		t.Run(fmt.Sprintf("implicit=%v", implicit), func(t *testing.T) {
			t.Parallel()
			certificate, ca := certified(t)
			office := &postOffice{t: t, certificate: certificate, implicit: implicit}
			office.open()
			address := &url.URL{
				Scheme: "smtp", User: url.UserPassword(mailUser, mailPassword), Host: "localhost:" + office.port(),
				RawQuery: url.Values{"ca": {ca}, "from": {"vault@example.org"}}.Encode(),
			}
			setting := testbed.Env("CAESAR_SMTP", address.String())
			if implicit {
				address.Scheme = "smtps"
				file := filepath.Join(t.TempDir(), "smtp")
				if err := os.WriteFile(file, []byte(address.String()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				setting = testbed.Env("CAESAR_SMTP_FILE", file)
			}
			l := crowd(t, append(quick(), setting, testbed.Args("--log-level", "debug"))...)
			received := office.activate(l)
			if !received.inTLS || received.as != mailUser || received.from != "vault@example.org" {
				t.Errorf("in TLS: %v, as %q, from %q", received.inTLS, received.as, received.from)
			}
			for _, secret := range []string{mailPassword, url.UserPassword("", mailPassword).String()[1:], received.to} {
				if strings.Contains(l.Log(), secret) {
					t.Errorf("the log holds %q", secret)
				}
			}
			if _, err := os.Stat(filepath.Join(l.Data, "outbox")); !os.IsNotExist(err) {
				t.Errorf("there is an outbox too: %v", err)
			}
		})
	}
}

// A server whose certificate nobody vouches for gets neither mail nor password.
func TestMailWaitsForAServerThatCanShowWhoItIs(t *testing.T) {
	t.Parallel()
	certificate, _ := certified(t)
	_, another := certified(t)
	office := &postOffice{t: t, certificate: certificate, implicit: true}
	office.open()
	l := crowd(t, append(quick(), testbed.Env("CAESAR_SMTP", fmt.Sprintf("smtps://%s@localhost:%s?ca=%s",
		url.UserPassword(mailUser, mailPassword), office.port(), url.QueryEscape(another))))...)
	p := l.newcomer()
	if err := p.SendCode(t.Context(), p.Email, client.ForActivation); err != nil {
		t.Errorf("the request fails with the mail: %v", err)
	}
	l.eventually("the mail is put off", func() bool { return strings.Contains(l.Log(), `msg="mail put off"`) })
	if l.counted("mail_queue") != 1 {
		t.Error("the mail is lost")
	}
}

func TestAServerThatIsDownLosesNoMailAndFailsNoRequest(t *testing.T) {
	t.Parallel()
	office := &postOffice{t: t, addr: reserved(t)}
	l := crowd(t, append(quick(), testbed.Env("CAESAR_SMTP", "smtp://127.0.0.1:"+office.port()))...)
	var newcomers []*person
	for range 3 {
		p := l.newcomer()
		if err := p.SendCode(t.Context(), p.Email, client.ForActivation); err != nil {
			t.Fatalf("the request fails with the mail: %v", err)
		}
		newcomers = append(newcomers, p)
	}
	l.eventually("the mails are put off", func() bool { return strings.Count(l.Log(), `msg="mail put off"`) >= len(newcomers) })
	office.open()
	for _, p := range newcomers {
		code := numberLine.FindSubmatch(office.await(l, p.Email, 1)[0].raw)
		if code == nil {
			t.Fatal("no code stands in the mail")
		}
		if err := p.Activate(t.Context(), p.Email, string(code[1])); err != nil {
			t.Errorf("with the code that came late: %v", err)
		}
	}
}

// reserved returns an address on which nobody listens.
func reserved(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestAMailThatWasQueuedOutlivesSIGKILL(t *testing.T) {
	t.Parallel()
	// A mail server that takes the connection and never says a word: the mail is on its way, and not sent.
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	office := &postOffice{t: t, addr: silent.Addr().String()}
	l := crowd(t, append(quick(), testbed.Env("CAESAR_SMTP", "smtp://"+office.addr))...)
	p := l.newcomer()
	if err := p.SendCode(t.Context(), p.Email, client.ForActivation); err != nil {
		t.Fatal(err)
	}
	connection, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	l.Kill()
	_ = connection.Close()
	_ = silent.Close()
	// For a minute and a half the mail is that process's own. The test can't wait so long.
	change(t, l.Database(), "UPDATE mail_queue SET due_at_ms = due_at_ms - 90000")
	office.open()
	l.Restart()
	received := office.await(l, p.Email, 1)
	if code := numberLine.FindSubmatch(received[0].raw); code == nil {
		t.Error("no code stands in the mail")
	} else if err := p.Activate(t.Context(), p.Email, string(code[1])); err != nil {
		t.Error(err)
	}
	l.eventually("the queue is empty", func() bool { return l.counted("mail_queue") == 0 })
}

// Whatever somebody calls themselves, a mail has the headers that it has, and goes to one address.
func TestNoNameReachesAHeaderOfAMail(t *testing.T) {
	t.Parallel()
	office := &postOffice{t: t}
	office.open()
	l := crowd(t, append(quick(), testbed.Env("CAESAR_SMTP", "smtp://"+office.addr))...)
	plain := office.activate(l)
	expected := headersOf(t, plain)
	for i, name := range []string{
		"Bcc: eve", "=?utf-8?q?=0D=0ABcc:_eve?=", "<script>alert(1)</script>", `"quoted" <eve>`, "{{.Code}} %s %0d%0aBcc:eve",
		"--part-", "evil\u202egpj", "\u2028Bcc: eve", // U+202E and U+2028 would rearrange the text around them
	} {
		p := l.stranger()
		p.UserName, p.RealName = name, name
		_, err := p.Register(t.Context(), p.Registration)
		if refused, ok := errors.AsType[*client.Error](err); ok && refused.Slug == client.Invalid && refused.Fields["user_name"] != "" {
			continue // what can't be seen is no name
		}
		if err != nil {
			t.Errorf("name %d: %v", i, err)
			continue
		}
		if err := p.SendCode(t.Context(), p.Email, client.ForActivation); err != nil {
			t.Fatal(err)
		}
		received := office.await(l, p.Email, 1)[0]
		if got := headersOf(t, received); !slices.Equal(got, expected) {
			t.Errorf("%q: the headers are %v, not %v", name, got, expected)
		}
		if !bytes.Contains(received.raw, []byte("Content-Type: text/html")) || bytes.Contains(received.raw, []byte("<script")) {
			t.Errorf("%q: it is not escaped in HTML:\n%s", name, received.raw)
		}
	}
	l.refusesLineBreaks()
}

// headersOf returns the names of a letter's headers, sorted, and checks what stands in them.
func headersOf(t *testing.T, received letter) []string {
	t.Helper()
	message, err := mail.ReadMessage(bytes.NewReader(received.raw))
	if err != nil {
		t.Fatal(err)
	}
	to, err := message.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != received.to {
		t.Errorf("the mail to %s is addressed to %v: %v", received.to, to, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil || subject != "凯撒密码：激活码" {
		t.Errorf("it is about %q: %v", subject, err)
	}
	if got := message.Header.Get("Auto-Submitted"); got != "auto-generated" {
		t.Errorf("Auto-Submitted is %q", got)
	}
	if _, err := message.Header.Date(); err != nil || message.Header.Get("Message-Id") == "" {
		t.Errorf("it has no date or no id: %v", err)
	}
	return slices.Sorted(maps.Keys(message.Header))
}

// refusesLineBreaks tries to end a line within what could stand in a header.
func (l *lab) refusesLineBreaks() {
	l.t.Helper()
	for field, value := range map[string]string{
		"name": "Eve\r\nBcc: eve@example.org", "email": "ada@example.org\r\nBcc: eve@example.org",
		"email with a name": "Ada <ada@example.org>", "two emails": "ada@example.org,eve@example.org",
	} {
		p := l.stranger()
		if field == "name" {
			p.UserName = value
		} else {
			p.Email = value
			if err := p.SendCode(l.t.Context(), value, client.ForActivation); client.Slug(err) != client.Invalid {
				l.t.Errorf("a code for %s: %v", field, err)
			}
		}
		if _, err := p.Register(l.t.Context(), p.Registration); client.Slug(err) != client.Invalid {
			l.t.Errorf("%s: %v", field, err)
		}
	}
}
