package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"caesar/internal/fault"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// How long a database that is not there yet is waited for, as where both are started at once, and how long
// from one attempt to the next.
const (
	untilThere = 30 * time.Second
	tryAgainIn = time.Second
)

// reachDatabase opens PostgreSQL. One that can't be reached is tried again for a while; what only a person
// can mend, such as a wrong password, is an error at once. Errors hold no password.
func reachDatabase(ctx context.Context, s *settings.Settings, patience time.Duration, log *slog.Logger) (*sqlstore.Store, error) {
	place, err := placeOf(s.Database.Reveal())
	if err != nil {
		return nil, err
	}
	if place.inClear {
		log.WarnContext(ctx, "the connection to the database may go in the clear: who listens gets the password and the data; add sslmode=verify-full to CAESAR_DATABASE", "database", place.String())
	}
	deadline := time.Now().Add(patience)
	for told := false; ; told = true {
		store, err := sqlstore.OpenPostgres(ctx, s.Database.Reveal(), s.DatabasePool)
		if err == nil {
			return store, nil
		}
		again, why := isAway(err), oneLine(err)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("open database %s: %w", place, ctx.Err())
		case !again:
			return nil, fmt.Errorf("open database %s: %s", place, why)
		case !time.Now().Before(deadline):
			return nil, fmt.Errorf("the database %s could not be reached for %s: %s", place, patience, why)
		case !told:
			log.WarnContext(ctx, "the database cannot be reached yet; it is waited for", "database", place.String(), "for", patience, "err", why)
		}
		select {
		case <-ctx.Done():
		case <-time.After(tryAgainIn):
		}
	}
}

// isAway says whether a database may be reached a little later. A server that answers and lets nobody in, or
// has no such database, stays as it is until a person mends it, and so does a certificate that is not trusted.
func isAway(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Unavailable {
		return false
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return !slices.Contains([]string{"28", "3D", "42"}, answer.Code[:min(2, len(answer.Code))])
	}
	_, distrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return !distrusted
}

// oneLine is what an error says, in one line and without what is said to clients.
func oneLine(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && errors.Unwrap(f) != nil {
		err = errors.Unwrap(f)
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// place is where a PostgreSQL database is.
type place struct {
	hosts   []string // host:port, or the folder of a socket
	name    string
	inClear bool // whether a connection to another machine may go without TLS
}

// placeOf reads a URL of PostgreSQL, as its driver does.
func placeOf(databaseURL string) (*place, error) {
	config, err := pgconn.ParseConfig(databaseURL)
	if unread, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, senseless(fmt.Errorf("CAESAR_DATABASE: %w", unread)) // the file of a certificate
	}
	if err != nil {
		return nil, senseless(fmt.Errorf("CAESAR_DATABASE: %w", sqlstore.ErrDatabaseURL))
	}
	p := &place{name: config.Database}
	if p.name == "" {
		p.name = config.User // what PostgreSQL takes then
	}
	p.add(config.Host, config.Port, config.TLSConfig != nil)
	for _, other := range config.Fallbacks {
		p.add(other.Host, other.Port, other.TLSConfig != nil)
	}
	return p, nil
}

func (p *place) add(host string, port uint16, byTLS bool) {
	network, _ := pgconn.NetworkAddress(host, port)
	at := url.PathEscape(host)
	if network != "unix" {
		at = net.JoinHostPort(host, strconv.Itoa(int(port)))
		p.inClear = p.inClear || (!byTLS && !isLoopback(host))
	}
	if !slices.Contains(p.hosts, at) {
		p.hosts = append(p.hosts, at)
	}
}

// String returns where the database is, without who it is asked as.
func (p *place) String() string {
	return "postgres://" + strings.Join(p.hosts, ",") + "/" + url.PathEscape(p.name)
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && address.Unmap().IsLoopback())
}
