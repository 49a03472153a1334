package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// The default ports of submission (RFC 6409) and of submission in TLS from the first byte (RFC 8314).
const (
	submissionPort  = "587"
	submissionsPort = "465"
)

// NewSMTP returns the transport to a mail server, which is
//
//	smtp://[user:password@]host[:port]     STARTTLS, which the server must offer unless it is on loopback
//	smtps://[user:password@]host[:port]    TLS from the first byte
//
// with the ports 587 and 465 where none is given. The server has to show a certificate for its host name
// that the system trusts; `?ca=file` trusts the certificates (PEM) of a file instead. On loopback, where mail
// may travel in the clear, STARTTLS without `ca` takes any certificate. `?from=address` is the sender, see
// From. The host is not asked for anything yet. Errors do not repeat the URL, which holds a password.
func NewSMTP(rawURL string) (*SMTP, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("parse mail server: not a URL")
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("parse mail server: the URL must start with smtp:// or smtps://")
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, errors.New("parse mail server: the URL must be smtp://[user:password@]host[:port], with ?ca= and ?from= at most")
	}
	s := &SMTP{
		host: u.Hostname(), port: u.Port(), implicit: u.Scheme == "smtps", loopback: isLoopback(u.Hostname()),
		tls: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}, dial: new(net.Dialer).DialContext,
	}
	if err := s.setPort(); err != nil {
		return nil, err
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.user == "" || s.password == "" {
			return nil, errors.New("parse mail server: a user needs a password, and a password a user")
		}
	}
	if err := s.setOptions(u.RawQuery); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *SMTP) setPort() error {
	if s.port == "" {
		s.port = submissionPort
		if s.implicit {
			s.port = submissionsPort
		}
		return nil
	}
	if n, err := strconv.ParseUint(s.port, 10, 16); err != nil || n == 0 {
		return errors.New("parse mail server: the port must be 1 to 65535")
	}
	return nil
}

func (s *SMTP) setOptions(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("parse mail server: what follows the question mark is malformed")
	}
	for name, value := range values {
		if len(value) != 1 {
			return fmt.Errorf("parse mail server: %q is given more than once", name)
		}
		switch name {
		case "from":
			if s.from, err = ParseAddress(value[0]); err != nil {
				return fmt.Errorf("parse mail server: from: %w", err)
			}
		case "ca":
			pem, err := os.ReadFile(value[0])
			if err != nil {
				return fmt.Errorf("read certificates of mail server: %w", err)
			}
			s.tls.RootCAs = x509.NewCertPool()
			if !s.tls.RootCAs.AppendCertsFromPEM(pem) {
				return fmt.Errorf("read certificates of mail server: %s holds none in PEM", value[0])
			}
		default:
			return fmt.Errorf("parse mail server: %q is not known: there are ca and from", name)
		}
	}
	return nil
}

// From is the sender that the URL named, or the zero value.
func (s *SMTP) From() Address { return s.from }

// String returns the URL without what is secret or optional in it, for the log.
func (s *SMTP) String() string {
	scheme := "smtp"
	if s.implicit {
		scheme = "smtps"
	}
	return scheme + "://" + net.JoinHostPort(s.host, s.port)
}

// isLoopback reports whether a host is this machine by its very name, whatever a resolver says.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
