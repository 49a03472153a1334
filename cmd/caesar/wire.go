package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"caesar/api"
	"caesar/internal/backup"
	"caesar/internal/httpd"
	"caesar/internal/httpd/memberapi"
	"caesar/internal/httpd/vaultapi"
	httpwire "caesar/internal/httpd/wire"
	"caesar/internal/mail"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
)

// wire puts the server together: the only place where stores, services and surfaces meet. It listens
// first and claims the data folder next, so that a second server on either fails before it touches anything.
// What it opened is closed again where it fails, and by app.run otherwise.
func wire(ctx context.Context, s *settings.Settings, log *slog.Logger) (_ *app, err error) {
	a := &app{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	listener, err := a.occupy(ctx, s)
	if err != nil {
		return nil, err
	}
	root, store, err := openStorage(ctx, s, log)
	if store != nil {
		a.closers = append(a.closers, store.Close)
	}
	if err != nil {
		return nil, err
	}
	courier, err := newCourier(s, a.url)
	if err != nil {
		return nil, err
	}
	a.mails = courier.where
	post := mail.NewPost(root, store, courier.transport, courier.from, s.PublicURL, time.Now, log)
	place, err := openBlobs(ctx, s)
	if err != nil {
		return nil, err
	}
	a.blobs = place.where
	if err := place.claim(ctx, s, store, log); err != nil {
		return nil, err
	}
	backups, err := wireBackups(ctx, s, root, store, place, log)
	if err != nil {
		return nil, err
	}
	services := wireServices(s, root, store, backups, post, log)
	a.workers = append(a.workers, post.Run, func(ctx context.Context) error { return place.warn(ctx, log) })
	for _, c := range []chore{sweep(store, services.Users), sweepBackups(backups, place.bucket != nil)} {
		a.workers = append(a.workers, func(ctx context.Context) error { return c.run(ctx, store, log) })
	}

	server, err := newServer(s, services, backups, store, log)
	if err != nil {
		return nil, err
	}
	a.serve = func(ctx context.Context) error { return server.Serve(ctx, listener) }
	return a, nil
}

// occupy takes what only one server can have: the address, and the data folder where something lies in it
// that is this server's alone. Otherwise the folder is not even made.
func (a *app) occupy(ctx context.Context, s *settings.Settings) (listener net.Listener, err error) {
	if a.database, err = checkPlaces(s); err != nil {
		return nil, err
	}
	if listener, err = httpd.Listen(ctx, s.Listen); err != nil {
		return nil, err
	}
	a.url = reached(s.Listen, listener.Addr())
	a.closers = append(a.closers, unlessClosed(listener))
	if !s.InDataFolder() {
		return listener, nil
	}
	release, err := claim(s.Data)
	if err != nil {
		return nil, err
	}
	a.data = s.Data
	a.closers = append(a.closers, release)
	return listener, nil
}

// newServer puts the surfaces on a server.
func newServer(s *settings.Settings, services vaultapi.Services, backups *backup.Service, store *sqlstore.Store, log *slog.Logger) (*httpd.Server, error) {
	return httpd.New(httpd.Options{
		Pages:    pages(),
		Surfaces: surfaces(services, backups),
		// The database alone: a balancer must not take the vault away where the store of backups is.
		Ready:          func(ctx context.Context) map[string]error { return map[string]error{"database": store.Ready(ctx)} },
		PublicURL:      s.PublicURL,
		Origins:        s.Origins,
		TrustedProxies: s.TrustedProxies,
		Log:            log,
	})
}

// pages are what there is to read at the server itself.
func pages() []httpd.Page {
	return []httpd.Page{
		{Path: "/openapi.yaml", ContentType: "application/yaml", Body: api.Spec},
		{Path: "/docs", ContentType: "text/html; charset=utf-8", Body: api.Docs},
		{Path: "/docs.css", ContentType: "text/css; charset=utf-8", Body: api.DocsStyle},
	}
}

// surfaces are the interfaces of the two documents.
func surfaces(services vaultapi.Services, backups *backup.Service) []httpwire.Surface {
	return []httpwire.Surface{
		vaultapi.New(services),
		memberapi.New(memberapi.Services{Users: services.Users, Sessions: services.Sessions, Backups: backups}),
	}
}

// unlessClosed closes a listener that the server may have closed already.
func unlessClosed(listener net.Listener) func() error {
	return func() error {
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// courier is how mails leave the server.
type courier struct {
	transport mail.Transport
	from      mail.Address
	where     string // where mails go, for people to read
}

// newCourier sends to the mail server of the settings, or writes to the outbox. Mails come from the
// address that the settings name, or the mail server's URL, or else from caesar at the server's own host.
func newCourier(s *settings.Settings, url string) (courier, error) {
	var c courier
	if s.SMTP.Reveal() == "" {
		folder := filepath.Join(s.Data, "outbox")
		outbox, err := mail.NewOutbox(folder)
		if err != nil {
			return courier{}, err
		}
		c = courier{transport: outbox, where: folder}
	} else {
		server, err := mail.NewSMTP(s.SMTP.Reveal())
		if err != nil {
			return courier{}, err
		}
		c = courier{transport: server, from: server.From(), where: server.String()}
	}
	switch {
	case s.MailFrom != "":
		from, err := mail.ParseAddress(s.MailFrom)
		if err != nil {
			return courier{}, fmt.Errorf("read sender of mails: %w", err)
		}
		c.from = from
	case c.from == mail.Address{} && s.PublicURL != "":
		c.from = mail.DefaultSender(s.PublicURL)
	case c.from == mail.Address{}:
		c.from = mail.DefaultSender(url)
	}
	return c, nil
}

// reached returns the URL of an address that is listened on, by the name under which it was asked for.
func reached(listen string, addr net.Addr) string {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	return "http://" + net.JoinHostPort(host, port)
}
