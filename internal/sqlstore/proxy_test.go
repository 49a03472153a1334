package sqlstore_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a store and its PostgreSQL, and does to what they say what networks do.
type proxy struct {
	to string

	mu       sync.Mutex
	open     map[net.Conn]bool
	frozen   chan struct{} // closed while bytes pass
	cutAsked []byte        // what is cut, with the connection, on its way to the database
	cutTold  []byte        // what is cut on its way back
}

// between puts a proxy before a database, and returns it with the URL of the database behind it.
func between(t *testing.T, database string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: u.Host, open: map[net.Conn]bool{}, frozen: make(chan struct{})}
	close(p.frozen)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.thaw()
		p.mu.Lock()
		for conn := range p.open {
			_ = conn.Close()
		}
		p.mu.Unlock()
		running.Wait()
	})
	u.Host = listener.Addr().String()
	return p, u.String()
}

func (p *proxy) serve(client net.Conn) {
	p.pass() // a frozen server takes no connections, but its kernel does
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	cut := func() {
		_ = client.Close()
		_ = server.Close()
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client, &p.cutAsked, cut) })
	both.Go(func() { p.copy(client, server, &p.cutTold, cut) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

// copy hands on what comes, until it is to be cut.
func (p *proxy) copy(to, from net.Conn, cutAt *[]byte, cut func()) {
	defer cut()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.pass()
		p.mu.Lock()
		found := *cutAt != nil && bytes.Contains(buffer[:n], *cutAt)
		if found {
			*cutAt = nil // once
		}
		p.mu.Unlock()
		if found {
			return
		}
		if _, err := io.Copy(to, bytes.NewReader(buffer[:n])); err != nil {
			return
		}
	}
}

// pass waits while the proxy is frozen.
func (p *proxy) pass() {
	p.mu.Lock()
	gate := p.frozen
	p.mu.Unlock()
	<-gate
}

// freeze holds every byte back until thaw lets it pass.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = make(chan struct{})
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.frozen:
	default:
		close(p.frozen)
	}
}

// cutRequest breaks the connection in which a text goes to the database, before it gets there.
func (p *proxy) cutRequest(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAsked = []byte(text)
}

// cutAnswer breaks the connection in which a text comes from the database, before it gets here.
func (p *proxy) cutAnswer(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutTold = []byte(text)
}
