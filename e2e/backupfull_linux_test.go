package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caesar/client"
	"caesar/internal/testbed"
)

// smallDisk mounts a file system of some MiB, which takes root.
func smallDisk(t *testing.T, mebibytes int) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mebibytes)); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("a full disk can't be tested, as a small file system can't be mounted: %v", err)
		}
		t.Skipf("a full disk is not tested: only root can mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fillUp writes a file until there is room for not a byte more, and returns where it is.
func fillUp(t *testing.T, folder string) (path string) {
	t.Helper()
	path = filepath.Join(folder, "filler")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 64<<10)
	for len(block) > 0 {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// fullDisk is a server on a disk that is all but full, and two who were there before.
type fullDisk struct {
	*lab
	m    *member
	p    *person
	item int64
	old  string
}

func newFullDisk(t *testing.T) *fullDisk {
	t.Helper()
	// Answers of 507 are what it looks for. The disk of another machine is not the server's.
	l := troubled(t, append(quick(), testbed.Folder(smallDisk(t, 24)), testbed.Embedded())...)
	d := &fullDisk{lab: l, m: l.member(), p: l.person(), old: random(1, 1<<20)}
	l.uploaded(d.m.token, "old", d.old)
	d.item = l.keep(d.p, "kept")
	return d
}

func TestOnAFullDiskUploadsAreRefusedAndAllGoesOnWhenThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	d := newFullDisk(t)
	before := d.holdings(d.m.token)
	// A file for which there is no room: it is seen while it is being written.
	for _, inChunks := range []bool{false, true} {
		q := upload(d.m.token, "too large for the disk", random(2, 40<<20))
		q.chunked = inChunks
		d.ask(q).full(t, "an upload of 40 MiB")
		if d.holdings(d.m.token) != before {
			t.Error("an upload that found no room left something")
		}
	}
	d.kept(t, "the version before", d.m.token, d.old)
	d.uploaded(d.m.token, "small", random(3, 1<<20)) // for this one there is room
	before = d.holdings(d.m.token)

	filler := fillUp(t, d.Data)
	for range 3 {
		d.ask(upload(d.m.token, "x", random(4, 300_000))).full(t, "an upload")
		d.ask(upload(d.m.token, "x", "x")).full(t, "an upload of a byte")
	}
	d.othersSayClearly(t)
	d.readersSeeAll(t)
	if d.holdings(d.m.token) != before {
		t.Error("something was kept or left")
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	d.goesOn(t)
	d.Restart()
	d.goesOn(t)
	if strings.Contains(d.Log(), " status=500 ") {
		t.Error("a full disk was answered with 500")
	}
	d.Stop()
	if said := one[string](t, d.Database(), "PRAGMA integrity_check"); said != "ok" {
		t.Errorf("the database is not sound: %s", said)
	}
}

// full demands the answer that there is no room.
func (r reply) full(t *testing.T, what string) {
	t.Helper()
	if r.status != http.StatusInsufficientStorage || !strings.HasPrefix(string(r.body), `{"code":507,"message":"`) || !strings.Contains(string(r.body), `"request_id":"`) {
		t.Errorf("%s answers %d %s", what, r.status, r.body)
	}
}

// othersSayClearly has all else that writes done until it is refused for want of room: the database may
// still have some to itself.
func (d *fullDisk) othersSayClearly(t *testing.T) {
	t.Helper()
	n := 0
	text := func() string { n++; return fmt.Sprintf("%d %s", n, strings.Repeat("x", 50)) }
	for what, q := range map[string]func() question{
		"an item": func() question {
			return question{method: http.MethodPost, path: "/api/auth/account", token: d.p.token, body: jsonBody(t,
				"name", strings.Repeat("n", 4000), "email", "", "password", "p", "main_password", d.p.MainPassword, "platform", text(), "url", "")}
		},
		"a profile": func() question { return asForm.form("/user/update_user_info/", d.m.token, "career", text()) },
		"a login":   func() question { return d.m.logIn("1") },
		"a code": func() question {
			return question{method: http.MethodGet, path: fmt.Sprintf("/user/captcha/?email=%d@example.com", people.Add(1))}
		},
		"a registration": func() question {
			s := d.stranger()
			return question{method: http.MethodPost, path: "/api/register", body: jsonBody(t, "user_name", s.UserName, "real_name", s.RealName, "email", s.Email,
				"phone", s.Phone, "password", s.Password, "re_password", s.Password, "main_password", s.MainPassword, "captcha", "", "captcha_id", "")}
		},
	} {
		refused := false
		for range 400 {
			ask := q()
			if strings.HasPrefix(ask.path, "/api/") {
				ask.header = asJSON.header()
			}
			r := d.ask(ask)
			if r.status == http.StatusInsufficientStorage || r.status == http.StatusServiceUnavailable {
				refused = true
				break
			}
			if r.status != http.StatusOK {
				t.Errorf("%s answers %d %s", what, r.status, r.body)
				break
			}
		}
		if !refused {
			t.Errorf("%s was never refused", what)
		}
	}
}

// readersSeeAll demands that whoever only reads is answered.
func (d *fullDisk) readersSeeAll(t *testing.T) {
	t.Helper()
	for _, q := range []question{
		{method: http.MethodGet, path: "/user/get_user_info/", token: d.m.token},
		{method: http.MethodGet, path: "/api/auth/me", token: d.p.token},
		{method: http.MethodGet, path: "/api/auth/account", token: d.p.token},
		{method: http.MethodGet, path: "/healthz"},
		{method: http.MethodGet, path: "/docs"},
	} {
		if r := d.ask(q); r.status != http.StatusOK {
			t.Errorf("%s %s answers %d %s", q.method, q.path, r.status, r.body)
		}
	}
	backups, err := d.m.Versions(t.Context())
	if err != nil || len(backups.Files) != 2 {
		t.Fatalf("%+v, %v", backups, err)
	}
	old, err := d.m.DownloadVersion(t.Context(), backups.Files[1].ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if got, err := io.ReadAll(old); err != nil || string(got) != d.old {
		t.Errorf("%d bytes come back: %v", len(got), err)
	}
}

// goesOn demands that everything can be written again, at once.
func (d *fullDisk) goesOn(t *testing.T) {
	t.Helper()
	content := random(5, 500_000)
	d.uploaded(d.m.token, "again", content)
	d.kept(t, "when there is room again", d.m.token, content)
	if err := d.m.Member.UpdateProfile(t.Context(), client.MemberUpdate{Career: new("again")}); err != nil {
		t.Errorf("a profile, when there is room again: %v", err)
	}
	d.keep(d.p, "again")
	if secret, err := d.p.RevealItem(t.Context(), d.item, d.p.MainPassword); err != nil || secret.Password != "s3kr1t" {
		t.Errorf("an item from before: %+v, %v", secret, err)
	}
	d.member() // whose mail is sent, too
}

func TestAServerThatFindsNoRoomToStartSaysSoInOneLine(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(folder string){
		"a new folder": func(string) {},
		"one in use": func(folder string) {
			l := troubled(t, append(quick(), testbed.Folder(folder), testbed.Embedded())...)
			l.member()
			l.Stop()
			if err := os.RemoveAll(filepath.Join(folder, "blobs")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		folder := smallDisk(t, 8)
		prepare(folder)
		filler := fillUp(t, folder)
		answer, said := testbed.Refuse(t, testbed.Folder(folder), testbed.Embedded())
		if answer != 1 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "caesar: ") || !strings.Contains(said, folder) && !strings.Contains(said, "space") && !strings.Contains(said, "full") {
			t.Errorf("%s: it answered %d and said:\n%s", name, answer, said)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		l := troubled(t, append(quick(), testbed.Folder(folder), testbed.Embedded())...)
		l.member()
		l.Stop()
	}
}
