//go:build linux

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"caesar/bench/fill"
	"caesar/bench/peer"
	"caesar/bench/proc"
	"caesar/bench/side"
	"caesar/bench/speak"
	"caesar/internal/testbed"
)

// scaleLab is Caesar as it is shipped, and a PostgreSQL of its own that syncs, with its database filled.
type scaleLab struct {
	b       *testing.B
	program string
	server  *testbed.PostgresServer
	pid     int
	conn    *pgx.Conn
	keys    string // the data folder that the database was filled with
}

// setup is one server or more over one database, with everybody logged in at each.
type setup struct {
	name     string
	sides    []*side.Side
	embedded bool
}

func newScaleLab(b *testing.B) *scaleLab {
	b.Helper()
	l := &scaleLab{b: b}
	root, err := peer.Root(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	built, err := peer.BuildCaesar(b.Context(), root, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	l.program = built.Path
	folder, err := os.MkdirTemp("/var/tmp", "caesar-scaling-") //nolint:usetesting // the server may run as another user, who has to be able to come by, and /tmp may lie in memory
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(folder) })
	if l.server, err = testbed.RunPostgres(folder, true); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := l.server.Stop(); err != nil {
			b.Error(err)
		}
	})
	if l.pid, err = peer.PostgresPID(filepath.Join(folder, "data")); err != nil {
		b.Fatal(err)
	}
	if l.conn, err = pgx.Connect(b.Context(), l.server.URL()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.conn.Close(context.WithoutCancel(b.Context())) })
	l.keys = l.filled(l.server.URL())
	machine := proc.Describe()
	fmt.Fprintf(os.Stdout, "%s, %d cores, %s, Linux %s, PostgreSQL %s; %d people with %d items each\n", machine.Processor, machine.Cores,
		machine.System, machine.Kernel, l.text("SHOW server_version"), scaled.People, scaled.Items)
	return l
}

// filled returns a data folder whose server has everybody's items, in its own database or another one.
func (l *scaleLab) filled(database string) (folder string) {
	l.b.Helper()
	folder = filepath.Join(l.b.TempDir(), "data")
	l.stop(l.start(folder, database)) // it makes the keys and the tables
	if err := fill.Caesar(l.b.Context(), folder, database, scaled); err != nil {
		l.b.Fatal(err)
	}
	return folder
}

func (l *scaleLab) start(folder, database string) *peer.Process {
	l.b.Helper()
	// Not with the context of the test, which ends before its cleanup.
	p, err := peer.StartCaesar(context.WithoutCancel(l.b.Context()), l.program, folder, database)
	if err != nil {
		l.b.Fatal(err)
	}
	return p
}

func (l *scaleLab) stop(p *peer.Process) {
	if err := p.Stop(); err != nil {
		l.b.Error(err)
	}
}

// open starts so many replicas on a database, or a server on SQLite where there is none, and logs
// everybody in at each.
func (l *scaleLab) open(b *testing.B, name, database string, replicas int) *setup {
	b.Helper()
	s := &setup{name: name, embedded: database == ""}
	for range replicas {
		var folder string
		if s.embedded {
			folder = l.filled("")
		} else {
			folder = l.withKeys()
		}
		p := l.start(folder, database)
		b.Cleanup(func() { l.stop(p) })
		one := &side.Side{Name: name, Address: p.Address, PID: p.PID, Vault: speak.Caesar{}, Files: speak.Caesar{}, Size: asking}
		if err := one.Enter(b.Context()); err != nil {
			b.Fatal(err)
		}
		s.sides = append(s.sides, one)
	}
	return s
}

// withKeys returns a data folder with the keys that the database was sealed under.
func (l *scaleLab) withKeys() (folder string) {
	l.b.Helper()
	folder = l.b.TempDir()
	keyFiles(filepath.Join(l.keys, "keys")).copyTo(l.b, filepath.Join(folder, "keys"))
	return folder
}

// used tells what a setup and the asker have used until now.
func (l *scaleLab) used(ctx context.Context, s *setup) (u used, err error) {
	for _, one := range s.sides {
		cpu, err := proc.CPU(one.PID)
		if err != nil {
			return u, err
		}
		u.caesar += cpu
	}
	if !s.embedded {
		if u.postgres, err = proc.CPU(l.pid); err != nil {
			return u, err
		}
		if u.wal, err = l.wal(ctx); err != nil {
			return u, err
		}
	}
	if u.asker, err = proc.Self(); err != nil {
		return u, err
	}
	u.busy, err = proc.Busy()
	u.at = time.Now()
	return u, err
}

// wal returns how many bytes of the log PostgreSQL has written since it was made.
func (l *scaleLab) wal(ctx context.Context) (bytes int64, err error) {
	err = l.conn.QueryRow(ctx, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&bytes)
	return bytes, err
}

// text asks PostgreSQL for one value.
func (l *scaleLab) text(query string) (value string) {
	l.b.Helper()
	if err := l.conn.QueryRow(l.b.Context(), query).Scan(&value); err != nil {
		l.b.Fatalf("%s: %v", query, err)
	}
	return value
}

// order has PostgreSQL carry out statements.
func (l *scaleLab) order(statements string, args ...any) {
	l.b.Helper()
	if _, err := l.conn.Exec(l.b.Context(), statements, args...); err != nil {
		l.b.Fatalf("%s: %v", statements, err)
	}
}

// traffic is what has gone through a relay: bytes both ways, and how often what went there was waited for.
type traffic struct{ there, back, turns int64 }

// relay passes connections on to the host of a URL, and returns the URL with its own in its place, and what
// tells the traffic.
func relay(b *testing.B, to string) (through string, counted func() traffic) {
	b.Helper()
	u, err := url.Parse(to)
	if err != nil {
		b.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	r := &relaying{host: u.Host}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			go r.pass(client)
		}
	}()
	u.Host = listener.Addr().String()
	return u.String(), func() traffic {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.traffic
	}
}

type relaying struct {
	host string
	mu   sync.Mutex
	traffic
}

func (r *relaying) pass(client net.Conn) {
	defer client.Close()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", r.host)
	if err != nil {
		return
	}
	defer server.Close()
	answered := true
	var both sync.WaitGroup
	both.Go(func() {
		r.copy(server, client, func(n int64) {
			r.there += n
			if answered {
				r.turns++
			}
			answered = false
		})
		_ = server.Close()
	})
	r.copy(client, server, func(n int64) { r.back += n; answered = true })
	_ = client.Close()
	both.Wait()
}

func (r *relaying) copy(to io.Writer, from io.Reader, count func(n int64)) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		r.mu.Lock()
		if n > 0 {
			count(int64(n))
		}
		r.mu.Unlock()
		if n > 0 {
			_, failed := to.Write(buf[:n])
			err = errors.Join(err, failed)
		}
		if err != nil {
			return
		}
	}
}
