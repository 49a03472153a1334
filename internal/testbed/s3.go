package testbed

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Bucket is the bucket of every S3Server.
const s3Bucket = "caesar"

// S3Server is a private S3 server: versitygw over a folder, on a port of the loopback interface, with
// credentials drawn at random and one bucket.
type S3Server struct {
	folder, address string
	access, secret  string
	process         *process // nil while it is not running
}

// RunS3 starts a server that keeps all it has in a folder, which exists. It is for programs too that are
// no tests; the caller must Stop it.
func RunS3(folder string) (*S3Server, error) {
	s := &S3Server{folder: folder, access: crand.Text(), secret: crand.Text()}
	for _, name := range []string{s.data(), s.meta()} {
		if err := os.MkdirAll(name, 0o700); err != nil {
			return nil, fmt.Errorf("make folder of S3 server: %w", err)
		}
	}
	var err error
	if s.address, err = freeAddress(); err != nil {
		return nil, err
	}
	return s, s.Start()
}

// freeAddress returns an address of the loopback interface that nobody uses, and that no client is given
// while its server is stopped: systems take the ports of clients from 32768 up.
func freeAddress() (string, error) {
	var err error
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(12_000)))
		var listener net.Listener
		if listener, err = net.Listen("tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", fmt.Errorf("find free port: %w", err)
}

func (s *S3Server) data() string { return filepath.Join(s.folder, "data") }
func (s *S3Server) meta() string { return filepath.Join(s.folder, "meta") }

// URL returns where its bucket is, credentials included, as CAESAR_BLOBS takes it.
func (s *S3Server) URL() string {
	u := url.URL{Scheme: "s3+http", User: url.UserPassword(s.access, s.secret), Host: s3Bucket, RawQuery: "endpoint=" + s.address}
	return u.String()
}

// versitygw builds the S3 server, which takes a minute the first time, and returns where it is: in the
// go command's cache.
var versitygw = sync.OnceValues(func() (path string, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	command := exec.Command("go", "tool", "-modfile=tools/go.mod", "-n", "versitygw")
	command.Dir = root
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("build versitygw: %w\n%s", err, &said)
	}
	return strings.TrimSpace(string(out)), nil
})

// Start starts the server, again after Stop: on the same port and folder, with the same credentials. It
// returns once the server answers.
func (s *S3Server) Start() error {
	path, err := versitygw()
	if err != nil {
		return err
	}
	output, err := os.OpenFile(s.logFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open log of S3 server: %w", err)
	}
	defer output.Close()
	// Extended attributes, in which it keeps what S3 says of an object, are not on every file system.
	cmd := exec.Command(path, "--port", s.address, "--keep-alive", "--quiet", "posix", "--sidecar", s.meta(), s.data())
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.access, "ROOT_SECRET_KEY="+s.secret)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = mortal()
	if s.process, err = begin(cmd); err != nil {
		return fmt.Errorf("start S3 server: %w", err)
	}
	if err := s.await(); err != nil {
		return errors.Join(fmt.Errorf("start S3 server: %w", err), s.Stop())
	}
	return nil
}

// await waits until the server has its bucket.
func (s *S3Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startsWithin)
	defer cancel()
	client, err := s3Client(s.URL())
	if err != nil {
		return err
	}
	for {
		err := client.MakeBucket(ctx, s3Bucket, minio.MakeBucketOptions{})
		if minio.ToErrorResponse(err).Code == "BucketAlreadyOwnedByYou" {
			err = nil
		}
		if err == nil {
			return nil
		}
		select {
		case <-s.process.ended:
			return fmt.Errorf("it ended: %w\n%s", s.process.err, s.Log())
		case <-ctx.Done():
			return fmt.Errorf("it did not answer within %v: %w\n%s", startsWithin, err, s.Log())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop ends the server at once, as a machine that fails would. A server that is not running is no error.
func (s *S3Server) Stop() error {
	p := s.process
	if p == nil {
		return nil
	}
	s.process = nil
	if !p.running() {
		return fmt.Errorf("stop S3 server: it had ended before: %w", p.err)
	}
	p.end(os.Kill)
	return nil
}

func (s *S3Server) logFile() string { return filepath.Join(s.folder, "versitygw.log") }

// Log returns all that the server has written so far, over all its starts.
func (s *S3Server) Log() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// StartS3 starts a private server that ends with the test: for tests that stop it.
func StartS3(t testing.TB) *S3Server {
	t.Helper()
	s, err := RunS3(t.TempDir())
	if err != nil {
		t.Fatalf("testbed: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("testbed: %v", err)
		}
		if t.Failed() {
			t.Logf("versitygw logged:\n%s", s.Log())
		}
	})
	return s
}

// S3 returns the URL of a fresh place in the bucket of CAESAR_TEST_S3, credentials included. What the
// test leaves there is deleted at its end. Where that is not set the test is skipped, but fails with CI=true.
func S3(t testing.TB) (place string) {
	t.Helper()
	of := os.Getenv("CAESAR_TEST_S3")
	if of == "" {
		without(t, "CAESAR_TEST_S3 is not set: make test starts an S3 server")
	}
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal("testbed: CAESAR_TEST_S3 is no URL")
	}
	u = u.JoinPath(strings.ToLower(crand.Text()))
	t.Cleanup(func() {
		if err := emptyS3(u); err != nil {
			t.Errorf("testbed: empty %s: %v", u.Path, err)
		}
	})
	return u.String()
}

// emptyS3 deletes all below a place.
func emptyS3(place *url.URL) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopsWithin)
	defer cancel()
	client, err := s3Client(place.String())
	if err != nil {
		return err
	}
	bucket, prefix := place.Host, strings.TrimPrefix(place.Path, "/")+"/"
	for upload := range client.ListIncompleteUploads(ctx, bucket, prefix, true) {
		if upload.Err != nil {
			return upload.Err
		}
		if err := client.RemoveIncompleteUpload(ctx, bucket, upload.Key); err != nil {
			return err
		}
	}
	objects := client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true})
	for failed := range client.RemoveObjects(ctx, bucket, objects, minio.RemoveObjectsOptions{}) {
		if failed.Err != nil {
			return failed.Err
		}
	}
	return nil
}

// s3Client speaks to the server of a URL such as CAESAR_BLOBS takes it. It tries nothing twice.
func s3Client(place string) (*minio.Client, error) {
	u, err := url.Parse(place)
	if err != nil {
		return nil, errors.New("the place is no URL")
	}
	secret, _ := u.User.Password()
	return minio.New(u.Query().Get("endpoint"), &minio.Options{
		Creds:      credentials.NewStaticV4(u.User.Username(), secret, ""),
		Secure:     u.Scheme == "s3",
		Region:     "us-east-1",
		MaxRetries: 1,
	})
}
