package mail_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"caesar/internal/mail"
	"caesar/internal/phrase"
)

// as is a user and a password as they stand in a URL.
func as(user, password string) string { return url.UserPassword(user, password).String() + "@" }

// to returns the transport that a URL describes.
func to(t *testing.T, rawURL string) *mail.SMTP {
	t.Helper()
	s, err := mail.NewSMTP(rawURL)
	if err != nil {
		t.Fatalf("new SMTP: %v", err)
	}
	return s
}

// mailTo is a mail for sending by hand.
func mailTo(t *testing.T) mail.Rendered {
	t.Helper()
	return mail.Rendered{
		ID: "abc", Date: time.Now(), To: address(t, "Alice@example.com"), Language: phrase.Chinese,
		Subject: "题目", Text: "密码\n.\n..dots\n", HTML: "<p>密码</p>",
	}
}

func send(t *testing.T, s *mail.SMTP) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return s.Send(ctx, address(t, "caesar@vault.example"), mailTo(t))
}

// delivered demands that the server got the one mail, whole.
func delivered(t *testing.T, s *server, inTLS bool, user string) {
	t.Helper()
	inbox := s.inbox()
	if len(inbox) != 1 {
		t.Fatalf("the server has %d mails", len(inbox))
	}
	got := inbox[0]
	if got.from != "caesar@vault.example" || got.to != "Alice@example.com" || got.inTLS != inTLS || got.as != user {
		t.Errorf("from %s to %s, TLS %v, as %q", got.from, got.to, got.inTLS, got.as)
	}
	r := parse(t, got.raw)
	if r.subject != "题目" || r.text != "密码\n.\n..dots\n" || r.html != "<p>密码</p>" {
		t.Errorf("subject %q, text %q, HTML %q", r.subject, r.text, r.html)
	}
}

// failed demands an error of a stage that tells neither address, nor content, nor password.
func failed(t *testing.T, err error, stage string, code int, permanent bool) {
	t.Helper()
	var failure *mail.SendError
	if !errors.As(err, &failure) {
		t.Fatalf("error is %v", err)
	}
	if failure.Stage != stage || failure.Code != code || failure.Permanent != permanent {
		t.Errorf("failed at %s with %d, for good %v; want %s, %d, %v (%v)",
			failure.Stage, failure.Code, failure.Permanent, stage, code, permanent, err)
	}
	for cause := error(failure); cause != nil; cause = errors.Unwrap(cause) {
		for _, secret := range []string{"Alice", "题目", "密码", "p@ss", "wrong"} {
			if strings.Contains(cause.Error(), secret) {
				t.Errorf("the error tells %q: %v", secret, cause)
			}
		}
	}
}

func TestPlainTextIsForLoopback(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		s := serve(t, "", nil, false)
		_, port, err := net.SplitHostPort(s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := send(t, to(t, "smtp://"+net.JoinHostPort(host, port))); err != nil {
			t.Fatal(err)
		}
		delivered(t, s, false, "")
	}
}

func TestLoopbackUsesTLSWhereItIsOfferedWhoeverSignedIt(t *testing.T) {
	t.Parallel()
	certificate, _ := newCertificate(t, "someone.else")
	s := serve(t, "", certificate, false)
	if err := send(t, to(t, "smtp://"+s.addr)); err != nil {
		t.Fatal(err)
	}
	delivered(t, s, true, "")
}

func TestStartTLSWithAPrivateCA(t *testing.T) {
	t.Parallel()
	certificate, ca := newCertificate(t, "127.0.0.1")
	s := serve(t, "", certificate, false)
	if err := send(t, to(t, "smtp://"+s.addr+"?ca="+url.QueryEscape(ca))); err != nil {
		t.Fatal(err)
	}
	delivered(t, s, true, "")
}

func TestImplicitTLSWithAPrivateCA(t *testing.T) {
	t.Parallel()
	certificate, ca := newCertificate(t, "127.0.0.1")
	s := serve(t, "", certificate, true)
	if err := send(t, to(t, "smtps://"+as(serverUser, serverPassword)+s.addr+"?ca="+url.QueryEscape(ca))); err != nil {
		t.Fatal(err)
	}
	delivered(t, s, true, serverUser)
}

func TestCertificateThatIsNotTrustedStopsTheMail(t *testing.T) {
	t.Parallel()
	certificate, ca := newCertificate(t, "someone.else")
	_, otherCA := newCertificate(t, "127.0.0.1")
	explicit, implicit := serve(t, "", certificate, false), serve(t, "", certificate, true)
	for name, test := range map[string]struct{ url, stage string }{
		"signed by nobody":            {"smtps://" + implicit.addr, "connect"},
		"for another host":            {"smtps://" + implicit.addr + "?ca=" + url.QueryEscape(ca), "connect"},
		"by another CA":               {"smtps://" + implicit.addr + "?ca=" + url.QueryEscape(otherCA), "connect"},
		"for another host, STARTTLS":  {"smtp://" + explicit.addr + "?ca=" + url.QueryEscape(ca), "STARTTLS"},
		"by another CA, STARTTLS":     {"smtp://" + explicit.addr + "?ca=" + url.QueryEscape(otherCA), "STARTTLS"},
		"plain text where TLS begins": {"smtps://" + explicit.addr, "connect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed(t, send(t, to(t, test.url)), test.stage, 0, false)
		})
	}
	t.Cleanup(func() { // runs after all of the above
		if n := len(explicit.inbox()) + len(implicit.inbox()); n != 0 {
			t.Errorf("%d mails went out", n)
		}
	})
}

// beyond returns the transport to a host that is not loopback by name, though the test leads it there.
func beyond(t *testing.T, rawURL string, s *server) *mail.SMTP {
	t.Helper()
	transport := to(t, rawURL)
	transport.DialWith(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.addr)
	})
	return transport
}

func TestBeyondLoopbackNothingIsSentWithoutTLS(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil, false)
	s.needLogin = true
	for _, credentials := range []string{"", as(serverUser, serverPassword)} {
		failed(t, send(t, beyond(t, "smtp://"+credentials+"mail.example.com", s)), "STARTTLS", 0, false)
	}
	if len(s.inbox()) != 0 {
		t.Fatal("a mail went out in the clear")
	}
}

func TestBeyondLoopbackTheCertificateMustBeTheHosts(t *testing.T) {
	t.Parallel()
	certificate, ca := newCertificate(t, "mail.example.com")
	s := serve(t, "", certificate, false)
	failed(t, send(t, beyond(t, "smtp://mail.example.com", s)), "STARTTLS", 0, false)
	failed(t, send(t, beyond(t, "smtp://other.example.com?ca="+url.QueryEscape(ca), s)), "STARTTLS", 0, false)
	if err := send(t, beyond(t, "smtp://"+as(serverUser, serverPassword)+"mail.example.com?ca="+url.QueryEscape(ca), s)); err != nil {
		t.Fatal(err)
	}
	delivered(t, s, true, serverUser)
}

func TestPasswordIsShownByPlainOrLogin(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "", nil, false)
			s.mechanisms, s.needLogin = []string{mechanism}, true
			if err := send(t, to(t, "smtp://"+as(serverUser, serverPassword)+s.addr)); err != nil {
				t.Fatal(err)
			}
			delivered(t, s, false, serverUser)
		})
	}
}

func TestWrongPasswordAndMissingLoginWaitForTheOperator(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil, false)
	s.needLogin = true
	failed(t, send(t, to(t, "smtp://"+as(serverUser, "wrong")+s.addr)), "AUTH", 535, false)
	failed(t, send(t, to(t, "smtp://"+s.addr)), "MAIL", 502, false)
	s.mechanisms = []string{"XOAUTH2"}
	failed(t, send(t, to(t, "smtp://"+as(serverUser, serverPassword)+s.addr)), "AUTH", 0, false)
}

func TestRepliesAreForGoodOnlyWhereTheyAreAboutTheMail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stage     string
		code      int
		permanent bool
	}{
		{"MAIL", 451, false},
		{"MAIL", 550, false},
		{"RCPT", 450, false},
		{"RCPT", 550, true},
		{"DATA", 452, false},
		{"DATA", 554, true},
	} {
		t.Run(test.stage, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "", nil, false)
			s.answer(test.stage, &smtp.SMTPError{Code: test.code, Message: "<Alice@example.com>: no such user"})
			transport := to(t, "smtp://"+s.addr)
			failed(t, send(t, transport), test.stage, test.code, test.permanent)
			s.answer(test.stage, nil)
			if err := send(t, transport); err != nil {
				t.Fatalf("once the server takes it: %v", err)
			}
		})
	}
}

// script starts something on loopback that says one thing to whoever connects, and then nothing.
func script(t *testing.T, says string) (addr string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			_, _ = conn.Write([]byte(says))
			if says == "" {
				_ = conn.Close()
			}
		}
	}()
	return listener.Addr().String()
}

func TestServerThatFallsSilentIsLeftInTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ says, url, stage string }{
		"before its greeting": {"2", "smtp://", "greeting"},
		"after its greeting":  {"220 hello\r\n", "smtp://", "EHLO"},
		"within its TLS":      {"\x16", "smtps://", "connect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := to(t, test.url+script(t, test.says)).Send(ctx, address(t, "c@d"), mailTo(t))
			failed(t, err, test.stage, 0, false)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestServerThatTalksNonsenseIsNotRepeated(t *testing.T) {
	t.Parallel()
	failed(t, send(t, to(t, "smtp://"+script(t, "Alice, p@ss\r\n"))), "greeting", 0, false)
	failed(t, send(t, to(t, "smtp://"+script(t, "554 no Alice here\r\n"))), "greeting", 554, false)
	failed(t, send(t, to(t, "smtp://"+script(t, ""))), "greeting", 0, false)
}

func TestServerThatIsDownLosesNoMail(t *testing.T) {
	t.Parallel()
	first := serve(t, "", nil, false)
	first.stop()
	o := newOffice(t, to(t, "smtp://"+first.addr))
	defer o.work(t)()
	id := o.queue(letter(t))
	waitFor(t, func() bool { q, _ := o.store.get(id); return q.Attempts == 1 })
	second := serve(t, first.addr, nil, false)
	waitFor(t, func() bool { return len(second.inbox()) == 1 && o.store.left() == 0 })
	if r := parse(t, second.inbox()[0].raw); !strings.Contains(r.text, "\n    zyxwvu\n") {
		t.Errorf("what arrived is not what was queued:\n%s", r.text)
	}
	for _, secret := range []string{"alice", "zyxwvu", "Liddell"} {
		if strings.Contains(o.log.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, o.log)
		}
	}
}

func TestURLsOfMailServersThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	notPEM := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(notPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, rawURL := range []string{
		"", "mail.example.com", "mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://:25",
		"smtp://u:secret@host:0", "smtp://u:secret@host:70000", "smtp://u:secret@host:x", "smtp://u:secret@host/path",
		"smtp://u:secret@host#x", "smtp://u@host", "smtp://:secret@host", "smtp://u:secret@host?tls=no",
		"smtp://u:secret@host?from=a", "smtp://u:secret@host?from=A+<a@b>", "smtp://u:secret@host?from=a@b&from=c@d",
		"smtp://u:secret@host?ca=/no/such/file", "smtp://u:secret@host?ca=" + url.QueryEscape(notPEM),
		"smtp://u:secret@host?%zz", "smtp://u:secret%@host", "smtp://u:secret@ho st",
	} {
		_, err := mail.NewSMTP(rawURL)
		if err == nil {
			t.Errorf("%s was taken", rawURL)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestURLOfAMailServerIsShownWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	for rawURL, want := range map[string]string{
		"smtp://u:secret@mail.example.com":                         "smtp://mail.example.com:587",
		"smtps://u:secret@mail.example.com":                        "smtps://mail.example.com:465",
		"smtp://mail.example.com:25/":                              "smtp://mail.example.com:25",
		"smtp://u:secret@[::1]:2525?from=caesar%2Bx@vault.example": "smtp://[::1]:2525",
	} {
		s := to(t, rawURL)
		if s.String() != want {
			t.Errorf("%s is shown as %s", rawURL, s)
		}
	}
	if got := to(t, "smtp://host?from=caesar%2Bx@vault.example").From().String(); got != "caesar+x@vault.example" {
		t.Errorf("from is %q", got)
	}
	if got := to(t, "smtp://host").From(); got != (mail.Address{}) {
		t.Errorf("from is %q where none was given", got)
	}
}

// TLS 1.1 has been deprecated since RFC 8996.
func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	certificate, ca := newCertificate(t, "127.0.0.1")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, conn) // shakes hands first, or does not
			_ = conn.Close()
		}
	}()
	failed(t, send(t, to(t, "smtps://"+listener.Addr().String()+"?ca="+url.QueryEscape(ca))), "connect", 0, false)
}
