package mail

import (
	"context"
	"net"
)

// DialWith lets a test say where a host name leads.
func (s *SMTP) DialWith(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	s.dial = dial
}
