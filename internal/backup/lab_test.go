package backup_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
	"caesar/internal/blob"
	"caesar/internal/keyring"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
)

var noon = time.Unix(1_800_000_000, 0)

// lab is a service over a real database and a real folder.
type lab struct {
	testing.TB
	*backup.Service

	store  *sqlstore.Store
	blobs  *blob.Dir
	keys   *backup.Keys
	root   *rootkey.Ring
	folder string // of the blobs
	key    string // path of the age identity
	log    *bytes.Buffer
}

const (
	fileMax = 4 << 20
	quota   = 8 << 20
	keep    = 3
)

func newLab(t testing.TB) *lab {
	t.Helper()
	return newLabIn(t, filepath.Join(t.TempDir(), "blobs"))
}

func newLabIn(t testing.TB, folder string) *lab {
	t.Helper()
	dir := t.TempDir()
	l := &lab{TB: t, folder: folder, key: filepath.Join(dir, "backup.age"), log: &bytes.Buffer{}}
	var err error
	l.root, err = rootkey.LoadOrCreate(filepath.Join(dir, "root.key"))
	l.must(err)
	l.keys, err = backup.LoadOrCreateKeys(l.key, noon)
	l.must(err)
	l.store, err = sqlstore.OpenSQLite(t.Context(), filepath.Join(dir, "caesar.db"))
	l.must(err)
	t.Cleanup(func() {
		if err := l.store.Close(); err != nil {
			t.Error(err)
		}
	})
	l.blobs, err = blob.OpenDir(folder)
	l.must(err)
	l.Service = l.service(func(*backup.Config) {})
	return l
}

// service makes another service over the same data.
func (l *lab) service(change func(*backup.Config)) *backup.Service {
	c := backup.Config{
		Store: l.store, Blobs: l.blobs, Keys: l.keys, Root: l.root,
		FileMax: fileMax, Retention: backup.Retention{Keep: keep, Quota: quota},
		Now: func() time.Time { return noon.Add(500 * time.Millisecond) },
		Log: slog.New(slog.NewTextHandler(l.log, nil)),
	}
	change(&c)
	return backup.NewService(c)
}

// wide is a change to a service that takes whatever is sent.
func wide(c *backup.Config) {
	c.FileMax, c.Retention = 1<<40, backup.Retention{Keep: 1, Quota: 1 << 40}
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// person registers somebody who asks.
func (l *lab) person(name string) session.Asker {
	l.Helper()
	id, err := l.store.Register(l.Context(), user.NewUser{
		Profile:    user.Profile{Name: name, RealName: name, Email: name + "@example.org", Phone: "1"},
		NameHandle: user.Handle(name), EmailHandle: user.Handle(name + "@example.org"),
		Status: user.Active, Language: phrase.English,
		Bind:    func(int64) ([]byte, *keyring.Record, error) { return []byte("password"), nil, nil },
		EraseAt: noon, Now: noon,
	})
	l.must(err)
	return l.enter(id)
}

// enter opens a session of a person.
func (l *lab) enter(userID int64) session.Asker {
	l.Helper()
	o := session.Open(userID, session.Device{}, session.Long, noon)
	u, err := l.store.UserByID(l.Context(), userID)
	l.must(err)
	signed, err := l.store.SignIn(l.Context(), user.SignIn{Opening: o, Credential: u.Credential, Language: u.Language})
	l.must(err)
	if !signed {
		l.Fatal("no session was opened")
	}
	who, err := l.store.FindSession(l.Context(), userID, o.TokenHash, noon)
	l.must(err)
	return session.Asker{Identity: who}
}

// upload keeps a file that nothing is wrong with.
func (l *lab) upload(who session.Asker, name string, content []byte) backup.Version {
	l.Helper()
	v, err := l.Upload(l.Context(), who, name, bytes.NewReader(content))
	l.must(err)
	return v
}

// download returns a version, read as io.ReadAll does.
func (l *lab) download(who session.Asker, id int64) []byte {
	l.Helper()
	c, err := l.Open(l.Context(), who, id)
	l.must(err)
	defer c.Close()
	got, err := io.ReadAll(c)
	l.must(err)
	return got
}

// names are those of a person's versions, newest first.
func (l *lab) names(who session.Asker) []string {
	l.Helper()
	listing, err := l.List(l.Context(), who)
	l.must(err)
	var names []string
	for _, v := range listing.Versions {
		names = append(names, v.Name)
	}
	return names
}

// files are those in the folder of the blobs.
func (l *lab) files() []string {
	l.Helper()
	entries, err := os.ReadDir(l.folder)
	l.must(err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// noise returns n bytes that do not repeat, each time the same.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint64(n)*0x9e3779b97f4a7c15 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
}

// stream yields n bytes, a few KiB at a time as a multipart reader does, without holding them.
type stream struct {
	n    int64
	step int
	data []byte
}

func newStream(n int64) *stream { return &stream{n, 4 << 10, noise(1 << 20)} }

func (s *stream) Read(p []byte) (int, error) {
	if s.n == 0 {
		return 0, io.EOF
	}
	at := int(s.n % int64(len(s.data)-s.step))
	n := copy(p[:min(int64(len(p)), int64(s.step), s.n)], s.data[at:])
	s.n -= int64(n)
	return n, nil
}

// writerOnly hides whatever else a writer can do.
type writerOnly struct{ io.Writer }

func sha(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }

func joined(names []string) string { return strings.Join(names, " ") }
