package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// SMTP is a Transport to a mail server (RFC 5321). It is safe for concurrent use; each mail has a
// connection of its own.
type SMTP struct {
	host, port     string
	implicit       bool // TLS from the first byte, not by STARTTLS
	loopback       bool
	user, password string // both empty where the server asks for none
	tls            *tls.Config
	from           Address
	dial           func(ctx context.Context, network, address string) (net.Conn, error)
}

// The stages whose 5xx replies are about this one mail. At any other, a 5xx is about the settings (a wrong
// password, a sender that is not allowed), which somebody will mend: the mail waits until then.
const (
	stageRecipient = "RCPT"
	stageContent   = "DATA"
)

// Send implements Transport.
func (s *SMTP) Send(ctx context.Context, from Address, m Rendered) error {
	msg, err := compose(from, m, gomail.EncodingQP)
	if err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return failedAt(ctx, "connect", err)
	}
	// Closing twice is harmless, and this way no return leaves a connection open.
	defer func() { _ = conn.Close() }()
	// A mail server that falls silent is left when ctx ends: reads and writes then fail at once.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	client, stage, err := s.greet(conn)
	if err != nil {
		return failedAt(ctx, stage, err)
	}
	if stage, err := hand(client, from, m.To, msg); err != nil {
		return failedAt(ctx, stage, err)
	}
	_ = client.Quit() // the server has the mail: how it takes its leave changes nothing
	return nil
}

func (s *SMTP) connect(ctx context.Context) (net.Conn, error) {
	conn, err := s.dial(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil || !s.implicit {
		return conn, err
	}
	secure := tls.Client(conn, s.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

// greet brings a connection to where mail can be handed over, and tells the stage at which it failed.
func (s *SMTP) greet(conn net.Conn) (client *smtp.Client, stage string, err error) {
	if client, err = smtp.NewClient(conn, s.host); err != nil {
		return nil, "greeting", err
	}
	client.SkipSMTPUTF8(true) // all we send in commands is ASCII
	if err := client.Hello(ownName()); err != nil {
		return nil, "EHLO", err
	}
	if err := s.secure(client); err != nil {
		return nil, "STARTTLS", err
	}
	if s.user != "" {
		if err := s.authenticate(client); err != nil {
			return nil, "AUTH", err
		}
	}
	return client, "", nil
}

// errNoTLS and errNoAuth are what a server lacks.
var (
	errNoTLS  = errors.New("the server does not offer TLS, and only on loopback does mail go without")
	errNoAuth = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
)

// secure goes over to TLS, unless the connection is in TLS already, or it is on loopback and the server does
// not offer it.
func (s *SMTP) secure(client *smtp.Client) error {
	if s.implicit {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		if s.loopback && s.tls.RootCAs == nil {
			return nil
		}
		return errNoTLS
	}
	config := s.tls.Clone()
	// Mail servers on loopback commonly have a certificate that nobody signed. To refuse it would gain
	// nothing where plain text is allowed.
	config.InsecureSkipVerify = s.loopback && s.tls.RootCAs == nil
	return client.StartTLS(config)
}

// authenticate sends the password, which secure has seen to be safe: in TLS, or on loopback.
func (s *SMTP) authenticate(client *smtp.Client) error {
	_, offered := client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return client.Auth(smtp.PlainAuth("", s.user, s.password, s.host, true))
	case slices.Contains(mechanisms, "LOGIN"):
		return client.Auth(smtp.LoginAuth(s.user, s.password, s.host, true))
	}
	return errNoAuth
}

// hand gives the server one mail. It has taken the responsibility for it when the error is nil.
func hand(client *smtp.Client, from, to Address, msg io.WriterTo) (stage string, err error) {
	if err := client.Mail("<" + from.String() + ">"); err != nil {
		return "MAIL", err
	}
	if err := client.Rcpt("<" + to.String() + ">"); err != nil {
		return stageRecipient, err
	}
	content, err := client.Data()
	if err != nil {
		return stageContent, err
	}
	if _, err := msg.WriteTo(content); err != nil {
		return stageContent, err
	}
	if err := content.Close(); err != nil {
		return stageContent, err
	}
	return "", nil
}

// failedAt turns an error into one that is fit for a log: only what is known not to hold the server's words
// is kept as the cause.
func failedAt(ctx context.Context, stage string, err error) *SendError {
	var (
		reply       *textproto.Error
		network     *net.OpError
		certificate *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.As(err, &reply):
		permanent := reply.Code >= 500 && (stage == stageRecipient || stage == stageContent)
		return &SendError{Stage: stage, Code: reply.Code, Permanent: permanent}
	case ctx.Err() != nil:
		return &SendError{Stage: stage, Cause: ctx.Err()}
	case errors.As(err, &network):
		return &SendError{Stage: stage, Cause: network}
	case errors.As(err, &certificate):
		return &SendError{Stage: stage, Cause: certificate}
	case errors.As(err, &notTLS):
		return &SendError{Stage: stage, Cause: errors.New("the server does not speak TLS on this port")}
	case errors.As(err, &alert):
		return &SendError{Stage: stage, Cause: alert}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &SendError{Stage: stage, Cause: io.ErrUnexpectedEOF}
	case errors.Is(err, errNoTLS), errors.Is(err, errNoAuth):
		return &SendError{Stage: stage, Cause: err}
	}
	return &SendError{Stage: stage, Cause: errors.New("the server's reply makes no sense")}
}

// ownName is how this machine introduces itself.
func ownName() string {
	if name, err := os.Hostname(); err == nil && hostName(name) {
		return name
	}
	return "localhost"
}
