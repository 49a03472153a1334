package e2e_test

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"caesar/client"
	"caesar/internal/backup"
	"caesar/internal/rootkey"
	"caesar/internal/testbed"
)

// places are where replicas keep what they share: a postgres:// URL and an s3+http:// URL.
type places struct{ database, blobs string }

// shared are fresh places on the servers that all tests share.
func shared(t *testing.T) places {
	t.Helper()
	alone(t)
	return places{database: testbed.Postgres(t), blobs: testbed.S3(t)}
}

// alone skips a test of replicas where the tests run once more on their kind of back end: it would be the same.
func alone(t *testing.T) {
	t.Helper()
	if os.Getenv("CAESAR_TEST_BACKEND") != "" {
		t.Skip("it ran with the tests of the embedded back end")
	}
}

// options has a server use the places, and believe the addresses that its test, or a balancer, tells it.
func (p places) options() []testbed.Option {
	return []testbed.Option{
		testbed.Env("CAESAR_DATABASE", p.database), testbed.Env("CAESAR_BLOBS", p.blobs),
		testbed.Env("CAESAR_TRUSTED_PROXIES", "127.0.0.1/32"), testbed.Args("--database-pool", "10"), cheapKDF(),
	}
}

// replicas are servers over the same places, each with a data folder of its own. Their mails come to one
// folder, as if one person read all their outboxes.
type replicas struct {
	places
	t   testing.TB
	all []*lab
}

// threeReplicas starts three replicas at once, each by start: open and its like.
func threeReplicas(t *testing.T, start func(*testing.T, ...testbed.Option) *lab, p places, options ...testbed.Option) *replicas {
	t.Helper()
	r := &replicas{places: p, t: t, all: make([]*lab, 3)}
	keys, outbox := newKeys(t), t.TempDir()
	var starting sync.WaitGroup
	for i := range r.all {
		data := t.TempDir()
		keys.copyTo(t, filepath.Join(data, "keys"))
		if err := os.Symlink(outbox, filepath.Join(data, "outbox")); err != nil {
			t.Fatal(err)
		}
		starting.Go(func() {
			r.all[i] = start(t, slices.Concat(p.options(), []testbed.Option{testbed.Folder(data)}, options)...)
		})
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow() // one has not started
	}
	return r
}

// captchaOff adds to options that nobody is asked for a captcha.
func captchaOff(options ...testbed.Option) []testbed.Option {
	return append(options, testbed.Args("--captcha", "off"))
}

// keyFiles is a folder with the key files of a server.
type keyFiles string

// newKeys makes the keys of a server that was never started, as the one who runs replicas does.
func newKeys(t *testing.T) keyFiles {
	t.Helper()
	keys := keyFiles(t.TempDir())
	if _, err := rootkey.LoadOrCreate(keys.root()); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.LoadOrCreateKeys(keys.backup(), time.Now()); err != nil {
		t.Fatal(err)
	}
	return keys
}

func (k keyFiles) root() string   { return filepath.Join(string(k), "root.key") }
func (k keyFiles) backup() string { return filepath.Join(string(k), "backup.age") }

// copyTo carries the keys over to another machine.
func (k keyFiles) copyTo(t testing.TB, folder string) {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{k.root(), k.backup()} {
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, filepath.Base(path)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// from is the same replicas for a subtest, asked from an address.
func (r *replicas) from(t testing.TB, address string) *replicas {
	t.Helper()
	there := &replicas{places: r.places, t: t}
	for _, l := range r.all {
		there.all = append(there.all, (&lab{Server: l.Server, t: t, base: forwarded{l.base, address}}).in(t))
	}
	return there
}

// any is a replica for the i-th of many requests.
func (r *replicas) any(i int) *lab { return r.all[i%len(r.all)] }

// with is the same session at each replica.
func (r *replicas) with(token string) []*client.Client {
	r.t.Helper()
	var at []*client.Client
	for _, l := range r.all {
		at = append(at, l.client(client.WithToken(token)))
	}
	return at
}

// query reads one value out of the database beside the replicas.
func query[T any](r *replicas, statement string, args ...any) (value T) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.database)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = conn.Close(r.t.Context()) }()
	if err := conn.QueryRow(r.t.Context(), statement, args...).Scan(&value); err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// order changes the database as an intruder would, and says how many rows it changed.
func (r *replicas) order(statement string, args ...any) int64 {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.database)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = conn.Close(r.t.Context()) }()
	done, err := conn.Exec(r.t.Context(), statement, args...)
	if err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
	return done.RowsAffected()
}

// objects are the keys of all that lies in the store, and of the uploads that were begun there and not ended.
func (r *replicas) objects() (whole, begun []string) {
	r.t.Helper()
	u, err := url.Parse(r.blobs)
	if err != nil {
		r.t.Fatal(err)
	}
	secret, _ := u.User.Password()
	store, err := minio.New(u.Query().Get("endpoint"), &minio.Options{
		Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Region: "us-east-1",
	})
	if err != nil {
		r.t.Fatal(err)
	}
	prefix := strings.TrimPrefix(u.Path, "/")
	for object := range store.ListObjects(r.t.Context(), u.Host, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			r.t.Fatal(object.Err)
		}
		if path.Base(object.Key) != "place" { // which says whose they are
			whole = append(whole, object.Key)
		}
	}
	for upload := range store.ListIncompleteUploads(r.t.Context(), u.Host, prefix, true) {
		if upload.Err != nil {
			r.t.Fatal(upload.Err)
		}
		begun = append(begun, upload.Key)
	}
	return whole, begun
}

// person makes somebody who is active and logged in, where mails go to the post office.
func (o *postOffice) person(l *lab) *person {
	l.t.Helper()
	p := l.newcomer()
	if err := p.SendCode(l.t.Context(), p.Email, client.ForActivation); err != nil {
		l.t.Fatal(err)
	}
	code := numberLine.FindSubmatch(o.await(l, p.Email, 1)[0].raw)
	if code == nil {
		l.t.Fatal("no code stands in the mail")
	}
	if err := p.Activate(l.t.Context(), p.Email, string(code[1])); err != nil {
		l.t.Fatal(err)
	}
	p.token = l.login(p)
	p.SetToken(p.token)
	return p
}
