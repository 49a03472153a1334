package blob

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

// waits is how long the store may be silent.
type waits struct {
	dial   time.Duration // until a connection stands, and as much again for TLS
	answer time.Duration // until an answer begins, once the request is sent; one that joins parts may take longer
	stall  time.Duration // without a byte of a body that moves, either way
	brief  time.Duration // for a request without a body and its answer, all attempts together
}

// patient keeps every request within a minute, what is tidied up after it included.
var patient = waits{dial: 5 * time.Second, answer: 12 * time.Second, stall: 12 * time.Second, brief: 12 * time.Second}

// attempts is how often a request is tried. In between, minio-go waits up to 0.2 s, then 0.4 s.
const attempts = 3

// idle is how many connections stay open for the next request.
const idle = 64

// newCore returns a client of a place's store. Nothing is connected to.
func newCore(p *S3Place, w waits) (*minio.Core, error) {
	return minio.NewCore(p.endpoint, &minio.Options{
		Creds: p.creds, Secure: p.secure, Region: p.region,
		Transport: newTransport(w), MaxRetries: attempts,
	})
}

// transport is how requests reach the store.
type transport struct{ usual, joining *http.Transport }

func newTransport(w waits) *transport {
	dialer := &net.Dialer{Timeout: w.dial, KeepAlive: w.stall}
	usual := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &moving{conn, w.stall}, nil
		},
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   w.dial,
		ResponseHeaderTimeout: w.answer,
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true, // a blob comes as it is
		WriteBufferSize:       64 << 10,
		ReadBufferSize:        64 << 10,
	}
	joining := usual.Clone()
	joining.ResponseHeaderTimeout = 0 // by its context
	return &transport{usual, joining}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
		return t.joining.RoundTrip(r)
	}
	return t.usual.RoundTrip(r)
}

// joinsWithin is how long the store may take to make one object of the parts of an upload: some copy them
// first.
func joinsWithin(size int64) time.Duration {
	return 30*time.Second + time.Duration(size>>26)*time.Second // 64 MiB a second
}

// moving is a connection of which no write takes longer than stall. What is read is watched where it is
// waited for: an idle connection reads all the time.
type moving struct {
	net.Conn

	stall time.Duration
}

// Write implements net.Conn.
func (m *moving) Write(p []byte) (int, error) {
	if err := m.SetWriteDeadline(time.Now().Add(m.stall)); err != nil {
		return 0, err
	}
	return m.Conn.Write(p)
}
