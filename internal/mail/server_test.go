package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The one who may log in at the server.
const (
	serverUser     = "sender"
	serverPassword = "p@ss: word/?"
)

// received is a mail as the server got it.
type received struct {
	from, to string
	raw      []byte
	inTLS    bool
	as       string // who logged in
}

// server is a mail server of go-smtp.
type server struct {
	*smtp.Server
	addr string
	stop func()

	mu         sync.Mutex
	mails      []received
	refuse     map[string]*smtp.SMTPError // by stage: MAIL, RCPT, DATA
	mechanisms []string
	needLogin  bool
}

// serve starts a mail server on loopback, at an address where one is given; TLS is spoken from the first byte
// where it is implicit, and offered where there is a certificate.
func serve(t *testing.T, addr string, certificate *tls.Certificate, implicit bool) *server {
	t.Helper()
	s := &server{refuse: map[string]*smtp.SMTPError{}, mechanisms: []string{sasl.Plain, sasl.Login}}
	s.Server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	s.Domain = "localhost"
	s.AllowInsecureAuth = true
	s.ErrorLog = log.New(io.Discard, "", 0)
	var config net.ListenConfig
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := config.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	if certificate != nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}
	}
	if implicit {
		listener = tls.NewListener(listener, s.TLSConfig)
	}
	go func() { _ = s.Serve(listener) }()
	s.stop = func() {
		_ = listener.Close() // which the server only knows of once Serve runs
		_ = s.Close()
	}
	t.Cleanup(s.stop)
	return s
}

func (s *server) inbox() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

func (s *server) answer(stage string, reply *smtp.SMTPError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse[stage] = reply
}

func (s *server) refusal(stage string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reply := s.refuse[stage]; reply != nil {
		return reply
	}
	return nil
}

// session is one connection to a server.
type session struct {
	server *server
	conn   *smtp.Conn
	got    received
}

func (s *session) AuthMechanisms() []string { return s.server.mechanisms }

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	login := func(user, password string) error {
		if user != serverUser || password != serverPassword {
			return smtp.ErrAuthFailed
		}
		s.got.as = user
		return nil
	}
	if mechanism == sasl.Login {
		return &loginServer{login: login}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return login(user, password) }), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.needLogin && s.got.as == "" {
		return smtp.ErrAuthRequired
	}
	_, s.got.inTLS = s.conn.TLSConnectionState()
	s.got.from = from
	return s.server.refusal("MAIL")
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.got.to = to
	return s.server.refusal("RCPT")
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.server.refusal("DATA"); err != nil {
		return err
	}
	s.got.raw = raw
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.got)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// loginServer speaks AUTH LOGIN (draft-murchison-sasl-login), which go-sasl only does as a client.
type loginServer struct {
	login func(user, password string) error
	step  int
	user  string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	case 3:
		return nil, true, l.login(l.user, string(response))
	}
	return nil, false, errors.New("one step too many")
}

// newCertificate returns a certificate that it signed itself, for the names and addresses, and the file that
// holds it in PEM.
func newCertificate(t *testing.T, names ...string) (*tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
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
