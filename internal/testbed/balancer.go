package testbed

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Balancer is an HAProxy in front of several servers: it gives each request to the next of those that
// answer /readyz, and tells the server in X-Forwarded-For who asks.
//
// A request that could not be handed to a server is given to another one, for then nothing of it was done;
// no other is ever sent twice. What a server answers is passed on as it is. In a server's place it answers
// only with 502, where the server was cut off within a request, and with 503, where none is ready.
type Balancer struct {
	URL string // http://127.0.0.1:port, without a trailing slash
}

// balancing is the configuration, but for the servers. The connection that it listens on is inherited.
const balancing = `global
	maxconn 2000

defaults
	mode http
	option httpclose
	option forwardfor
	option redispatch 1
	retries 3
	retry-on conn-failure
	timeout connect 1s
	timeout client 60s
	timeout server 60s
	timeout check 5s
	option httpchk
	http-check send meth GET uri /readyz
	http-check expect status 200
	default-server check inter 200ms fall 2 rise 2
	http-error status 503 content-type text/plain string "no server is ready" hdr Retry-After 1

listen caesar
	bind fd@3
	balance roundrobin
`

// Balance runs Debian's HAProxy in front of servers, which have to trust 127.0.0.1 as a proxy, until the
// test ends. Servers may be killed and restarted behind it. Where it is not installed the test is skipped,
// but fails with CI=true.
func Balance(t testing.TB, servers ...*Server) *Balancer {
	t.Helper()
	path, err := haproxy()
	if err != nil {
		without(t, err.Error())
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("testbed: %v", err)
	}
	b := &Balancer{URL: "http://" + listener.Addr().String()}
	p, output, err := runBalancer(path, filepath.Join(t.TempDir(), "haproxy.cfg"), listener, servers)
	if closed := listener.Close(); err == nil {
		err = closed // it has one of its own
	}
	if err != nil {
		t.Fatalf("testbed: start haproxy: %v", err)
	}
	t.Cleanup(func() {
		if !p.running() {
			t.Errorf("testbed: haproxy had ended by itself: %v", p.err)
		}
		p.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("haproxy logged:\n%s", output)
		}
	})
	b.await(t, p)
	return b
}

// haproxy returns where HAProxy is: on the PATH, or where Debian's package puts it.
func haproxy() (path string, err error) {
	for _, name := range []string{"haproxy", "/usr/sbin/haproxy"} {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("HAProxy is not installed")
}

// runBalancer starts HAProxy with a configuration that it writes, on a copy of a listener.
func runBalancer(path, config string, listener net.Listener, servers []*Server) (*process, *log, error) {
	var text strings.Builder
	text.WriteString(balancing)
	for i, s := range servers {
		fmt.Fprintf(&text, "\tserver replica%d %s\n", i+1, strings.TrimPrefix(s.URL, "http://"))
	}
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		return nil, nil, err
	}
	inherited, err := listener.(*net.TCPListener).File() //nolint:errcheck,forcetypeassert // "tcp" was asked for
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = inherited.Close() }()
	output := &log{listening: make(chan string, 1)}
	cmd := exec.Command(path, "-db", "-f", config)
	cmd.ExtraFiles = []*os.File{inherited} // as 3
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = mortal()
	p, err := begin(cmd)
	return p, output, err
}

// await waits until a server answers through the balancer.
func (b *Balancer) await(t testing.TB, p *process) {
	t.Helper()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	deadline := time.After(startsWithin)
	for !ready(client, b.URL+"/readyz") {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-p.ended:
			t.Fatalf("testbed: haproxy ended: %v", p.err)
		case <-deadline:
			t.Fatalf("testbed: haproxy was not ready within %v", startsWithin)
		}
	}
}
