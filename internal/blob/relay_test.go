package blob_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// relay stands between a store and those who use it, and notes what they ask for.
type relay struct {
	place  string // by way of it
	pass   http.Handler
	server *httptest.Server

	mu     sync.Mutex
	asked  []*http.Request
	meddle func(w http.ResponseWriter, r *http.Request) (done bool)
}

func newRelay(t testing.TB, place string) *relay {
	t.Helper()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	target := &url.URL{Scheme: "http", Host: u.Query().Get("endpoint")}
	// The host that was signed stays, and so does whatever went wrong.
	r := &relay{pass: &httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(target); p.Out.Host = p.In.Host },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	u.RawQuery = "endpoint=" + r.server.Listener.Addr().String()
	r.place = u.String()
	return r
}

// byTLS returns the place by way of the relay and TLS, and a file of the certificate that it shows.
func (r *relay) byTLS(t testing.TB) (place, certificate string) {
	t.Helper()
	server := httptest.NewUnstartedServer(r)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of those who do not trust it
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate = filepath.Join(t.TempDir(), "store.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(certificate, block, 0o600); err != nil {
		t.Fatal(err)
	}
	place = strings.Replace(r.place, "s3+http://", "s3://", 1)
	return strings.Replace(place, r.server.Listener.Addr().String(), server.Listener.Addr().String(), 1), certificate
}

func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.asked = append(r.asked, request)
	meddle := r.meddle
	r.mu.Unlock()
	if meddle == nil || !meddle(w, request) {
		r.pass.ServeHTTP(w, request)
	}
}

// with has a function answer requests from now on; those that it has not done pass.
func (r *relay) with(meddle func(w http.ResponseWriter, r *http.Request) (done bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meddle = meddle
}

// lines returns what was asked for since the last call, each as the method and the range or what is asked
// of the object.
func (r *relay) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, request := range r.asked {
		line := request.Method
		for _, word := range []string{"uploads", "uploadId", "partNumber", "location", "list-type"} {
			if request.URL.Query().Has(word) {
				line += " " + word
			}
		}
		if asked := request.Header.Get("Range"); asked != "" {
			line += " " + asked
		}
		lines = append(lines, line)
	}
	r.asked = nil
	return lines
}

// store is the client of a test that looks at a place by itself.
type store struct {
	*minio.Core

	t              testing.TB
	bucket, prefix string
}

func lookAt(t testing.TB, place string) *store {
	t.Helper()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	core, err := minio.NewCore(u.Query().Get("endpoint"), &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	prefix := strings.TrimPrefix(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &store{core, t, u.Host, prefix}
}

// objects returns the keys of all that is in the place, without its prefix.
func (s *store) objects() []string {
	s.t.Helper()
	var keys []string
	for o := range s.ListObjectsIter(context.Background(), s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
		if o.Err != nil {
			s.t.Fatal(o.Err)
		}
		keys = append(keys, strings.TrimPrefix(o.Key, s.prefix))
	}
	slices.Sort(keys)
	return keys
}

// uploads returns the keys of all uploads of parts that were not ended, likewise.
func (s *store) uploads() []string {
	s.t.Helper()
	page, err := s.ListMultipartUploads(context.Background(), s.bucket, s.prefix, "", "", "", 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	var keys []string
	for _, u := range page.Uploads {
		keys = append(keys, strings.TrimPrefix(u.Key, s.prefix))
	}
	return keys
}

func (s *store) put(key, content string) {
	s.t.Helper()
	if _, err := s.Client.PutObject(context.Background(), s.bucket, s.prefix+key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// nothing fails where anything is in the place.
func (s *store) nothing() {
	s.t.Helper()
	if objects, uploads := s.objects(), s.uploads(); len(objects)+len(uploads) > 0 {
		s.t.Errorf("what is left: objects %v, uploads %v", objects, uploads)
	}
}

// noise returns bytes that do not repeat soon.
func noise(n int) []byte {
	b, x := make([]byte, n), uint64(n)*0x9e3779b97f4a7c15+1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
}

// same compares a blob with what was written.
func same(t testing.TB, r io.ReaderAt, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := r.ReadAt(got, 0); n != len(want) || (err != nil && err != io.EOF) || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d came back, the same: %t, and %v", n, len(want), bytes.Equal(got, want), err)
	}
}
