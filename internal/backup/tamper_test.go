package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/internal/backup"
)

// altered is a store whose rows somebody has changed.
type altered struct {
	backup.Store
	change func(*backup.Version)
}

func (a altered) Version(ctx context.Context, userID, id int64) (backup.Version, error) {
	v, err := a.Store.Version(ctx, userID, id)
	a.change(&v)
	return v, err
}

func (a altered) Versions(ctx context.Context, userID int64) ([]backup.Version, error) {
	versions, err := a.Store.Versions(ctx, userID)
	for i := range versions {
		a.change(&versions[i])
	}
	return versions, err
}

func TestAnAlteredRowIsNoAnswer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	l.upload(ada, "x", []byte("x"))
	other := l.upload(ada, "y", []byte("y"))
	for name, change := range map[string]func(*backup.Version){
		"id":          func(v *backup.Version) { v.ID++ },
		"user":        func(v *backup.Version) { v.UserID++ },
		"name":        func(v *backup.Version) { v.Name += "x" },
		"size":        func(v *backup.Version) { v.Size++ },
		"hash":        func(v *backup.Version) { v.SHA256[0]++ },
		"blob":        func(v *backup.Version) { v.Blob = other.Blob + "x" },
		"header size": func(v *backup.Version) { v.HeaderSize-- },
		"header hash": func(v *backup.Version) { v.HeaderHash[31]++ },
		"time":        func(v *backup.Version) { v.CreatedAt = v.CreatedAt.Add(time.Second) },
		"mac":         func(v *backup.Version) { v.MAC = slices.Concat(v.MAC[:5], []byte{v.MAC[5] ^ 1}, v.MAC[6:]) },
		"no mac":      func(v *backup.Version) { v.MAC = nil },
	} {
		s := l.service(func(c *backup.Config) { c.Store = altered{l.store, change} })
		if _, err := s.Open(t.Context(), ada, 0); !errors.Is(err, backup.ErrTampered) || kindOf(err) != 0 {
			t.Errorf("%s altered: opening it says %v", name, err)
		}
		if listing, err := s.List(t.Context(), ada); err != nil || len(listing.Versions) != 0 {
			t.Errorf("%s altered: listed are %+v, %v", name, listing.Versions, err)
		}
	}
}

func TestAnAlteredRowShutsNobodyOut(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	l.upload(ada, "sound", []byte("sound"))
	broken := l.upload(ada, "broken", []byte("broken"))
	l.Service = l.service(func(c *backup.Config) {
		c.Store = altered{l.store, func(v *backup.Version) {
			if v.ID == broken.ID {
				v.Name += "x"
			}
		}}
	})
	l.must(l.Admit(t.Context(), ada, 1))
	l.upload(ada, "after", []byte("after"))
	listing, err := l.List(t.Context(), ada)
	l.must(err)
	if names := l.names(ada); joined(names) != "after sound" || listing.Used != 16 {
		t.Errorf("listed are %v, which use %d", names, listing.Used)
	}
	if log := l.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, fmt.Sprintf("version=%d ", broken.ID)) {
		t.Errorf("the log says %q", log)
	}
	l.must(l.Delete(t.Context(), ada, broken.ID))
	if n := len(l.files()); n != 2 {
		t.Errorf("with the broken one deleted there are %d files", n)
	}
}

// rewrite changes the file of a blob.
func (l *lab) rewrite(blob string, change func([]byte) []byte) {
	l.Helper()
	path := filepath.Join(l.folder, blob+".age")
	content, err := os.ReadFile(path)
	l.must(err)
	l.must(os.WriteFile(path, change(content), 0o600))
}

// readable says with which error a version can't be read to its end.
func (l *lab) readable(v backup.Version) error {
	l.Helper()
	who := l.enter(v.UserID)
	c, err := l.Open(l.Context(), who, v.ID)
	if err != nil {
		return err
	}
	defer c.Close()
	got, err := io.ReadAll(c)
	if sent := noise(int(v.Size)); len(got) > len(sent) || !bytes.Equal(got, sent[:len(got)]) {
		l.Errorf("%d bytes came back that were never sent", len(got))
	}
	return err
}

func TestABlobThatWasSwappedIsNoAnswer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada, eve := l.person("ada"), l.person("eve")
	adas, eves := l.upload(ada, "x", noise(1000)), l.upload(eve, "x", noise(1000))
	stolen, err := os.ReadFile(filepath.Join(l.folder, adas.Blob+".age"))
	l.must(err)
	l.rewrite(eves.Blob, func([]byte) []byte { return stolen })
	if err := l.readable(eves); !errors.Is(err, backup.ErrTampered) || kindOf(err) != 0 {
		t.Errorf("another's blob says %v", err)
	}
	l.must(l.readable(adas))
}

func TestABlobThatWasAlteredIsNoAnswer(t *testing.T) {
	t.Parallel()
	const size = 200_000 // three chunks and a part
	for name, change := range map[string]func(b []byte, header int) []byte{
		"cut to nothing":         func(b []byte, _ int) []byte { return nil },
		"cut in the header":      func(b []byte, header int) []byte { return b[:header/2] },
		"cut after the header":   func(b []byte, header int) []byte { return b[:header] },
		"cut after a chunk":      func(b []byte, header int) []byte { return b[:header+65536+16] },
		"cut by a byte":          func(b []byte, _ int) []byte { return b[:len(b)-1] },
		"longer by a byte":       func(b []byte, _ int) []byte { return append(b, 0) },
		"a bit of the version":   func(b []byte, _ int) []byte { b[3] ^= 1; return b },
		"a bit of the stanza":    func(b []byte, _ int) []byte { b[40] ^= 1; return b },
		"a bit of the nonce":     func(b []byte, header int) []byte { b[header-1] ^= 1; return b },
		"a bit of chunk 0":       func(b []byte, header int) []byte { b[header] ^= 1; return b },
		"a bit of chunk 2":       func(b []byte, header int) []byte { b[header+2*65552+5] ^= 1; return b },
		"a bit of the last tag":  func(b []byte, _ int) []byte { b[len(b)-1] ^= 1; return b },
		"two chunks interchange": swapChunks,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			v := l.upload(l.person("ada"), "x", noise(size))
			l.must(l.readable(v))
			l.rewrite(v.Blob, func(b []byte) []byte { return change(b, int(v.HeaderSize)) })
			if err := l.readable(v); err == nil || kindOf(err) != 0 {
				t.Errorf("reading it says %v", err)
			}
		})
	}
}

func swapChunks(b []byte, header int) []byte {
	const chunk = 65552
	first := slices.Clone(b[header : header+chunk])
	copy(b[header:], b[header+chunk:header+2*chunk])
	copy(b[header+chunk:], first)
	return b
}

func TestOneWhoseKeyIsGoneGetsNoAnswer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := l.person("ada")
	l.upload(ada, "x", []byte("x"))
	others, err := backup.LoadOrCreateKeys(filepath.Join(t.TempDir(), "backup.age"), noon)
	l.must(err)
	s := l.service(func(c *backup.Config) { c.Keys = others })
	if _, err := s.Open(t.Context(), ada, 0); err == nil || kindOf(err) != 0 {
		t.Errorf("the error is %v", err)
	}
}

func TestNothingLiesOnDiskInTheClear(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	secret := bytes.Repeat([]byte("attack at dawn. "), 20_000)
	v := l.upload(l.person("ada"), "x", secret)
	l.rewrite(v.Blob, func(b []byte) []byte {
		if bytes.Contains(b, []byte("attack at dawn")) {
			t.Error("it does")
		}
		return b
	})
}
