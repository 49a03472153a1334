package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// resident is somebody whose folder is moved, and all that they know of what they keep.
type resident struct {
	*person
	sight string // of all lists
	items map[int64]client.Secret
	files map[string]string // the hash of each backup, by its name
}

// settled makes somebody who keeps items and backups.
func (l *lab) settled() *resident {
	l.t.Helper()
	r := &resident{person: l.person(), items: map[int64]client.Secret{}, files: map[string]string{}}
	for i := range 3 {
		secret := client.Secret{Name: fmt.Sprintf("名 %d", i), Email: "a@example.org", Password: fmt.Sprintf("s3kr1t %d", i)}
		id, err := r.CreateItem(l.t.Context(), r.MainPassword, client.NewItem{
			Name: secret.Name, Email: secret.Email, Password: secret.Password, Platform: fmt.Sprintf("平台 %d", i),
		})
		if err != nil {
			l.t.Fatal(err)
		}
		r.items[id] = secret
	}
	for i, size := range []int64{0, 1000, 100_000, 9 << 20} {
		name := fmt.Sprintf("备份 %d.tar", i)
		v, err := r.Member().Upload(l.t.Context(), name, endless{uint64(people.Add(1))}.file(size))
		if err != nil {
			l.t.Fatal(err)
		}
		r.files[name] = v.SHA256
	}
	r.sight = l.sight(r.person)
	return r
}

// athome demands that all is as somebody left it: the session, what it shows, items and backups.
func (l *lab) athome(r *resident) {
	l.t.Helper()
	if now := l.sight(r.person); now != r.sight {
		l.t.Errorf("%s sees\n%s\nand saw\n%s", r.UserName, now, r.sight)
	}
	c := l.client(client.WithToken(l.login(r.person)))
	for id, secret := range r.items {
		if got, err := c.RevealItem(l.t.Context(), id, r.MainPassword); err != nil || got != secret {
			l.t.Errorf("item %d of %s holds %+v, not %+v: %v", id, r.UserName, got, secret, err)
		}
	}
	backups, err := c.Member().Versions(l.t.Context())
	if err != nil || len(backups.Files) != len(r.files) {
		l.t.Errorf("%s has %d backups, not %d: %v", r.UserName, len(backups.Files), len(r.files), err)
	}
	for _, v := range backups.Files {
		hash := sha256.New()
		download, err := c.Member().DownloadVersion(l.t.Context(), v.ID, 0)
		if err == nil {
			_, err = io.Copy(hash, download)
		}
		if got := hex.EncodeToString(hash.Sum(nil)); err != nil || got != r.files[v.Name] || got != v.SHA256 {
			l.t.Errorf("%s of %s comes back with the hash %s, not %s: %v", v.Name, r.UserName, got, r.files[v.Name], err)
		}
	}
}

// A folder is moved by a program that is killed again and again, at any moment; in between its old server
// runs once more. In the end the new one is as the old one was.
func TestAFolderIsMovedToPostgreSQLAndS3HoweverOftenThatIsKilled(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(quick(), testbed.Embedded())...)
	people := []*resident{old.settled(), old.settled()}
	m := newMoving(t, old.Data)
	m.fails("while the server runs", m.run(nil), "the server must be stopped while its data are moved", "another server runs on the data folder "+old.Data)
	old.Stop()
	movetest.Fill(t, m.folder, movetest.Folder{People: 500, Items: 5000, Versions: 40, Large: 2, LargeBytes: 17 << 20})

	killed, between := 0, 0
	for while := 150 * time.Millisecond; ; while += while / 3 {
		if while > time.Minute {
			t.Fatal("it comes to no end")
		}
		r := m.run(killAfter(while))
		if r.answer == 0 {
			break
		}
		if r.answer != -1 {
			t.Fatalf("it answers %d:\n%s%s", r.answer, r.said, r.told)
		}
		killed++
		if !strings.Contains(r.told, "rows:") || between == 2 {
			continue
		}
		// It has begun; and what is kept now is moved as well.
		m.refused()
		between++
		old.Restart()
		for _, p := range people {
			id := old.keep(p.person, "between two runs")
			p.items[id] = client.Secret{Name: "name on between two runs", Password: "s3kr1t"}
			p.sight = old.sight(p.person)
		}
		old.Stop()
	}
	t.Logf("it was killed %d times, and the old server ran %d times in between", killed, between)
	if killed < 5 || between < 2 {
		t.Error("it was killed too seldom: this tests nothing")
	}
	m.compare()

	again := m.finish()
	if !strings.Contains(again.said, "This move was finished before: nothing is left to be moved, and nothing was changed.\nThe backups are in s3+http://") || again.told != "" {
		t.Errorf("run once more it says %s%s", again.said, again.told)
	}
	m.compare()

	now := m.served(t, captchaOff()...)
	for _, p := range people {
		now.athome(p)
		p.Client = now.client(client.WithToken(p.token))
		id := now.keep(p.person, "afterwards")
		if highest := now.counted("items WHERE id < $1", id) + 1; highest != now.counted("items") {
			t.Errorf("the id %d was given before", id)
		}
		if _, err := p.Member().Upload(t.Context(), "afterwards", strings.NewReader("x")); client.Slug(err) != "" {
			t.Error(err)
		}
	}
}

func TestAMoveSaysWhatItMovedAndWhatIsLeftToDo(t *testing.T) {
	t.Parallel()
	alone(t)
	m := newMoving(t, t.TempDir())
	movetest.Fill(t, m.folder, movetest.Folder{People: 20, Items: 50, Versions: 3, Large: 3, LargeBytes: 1 << 20})
	r := m.finish()
	for _, words := range []string{
		"rows, 20 of them people and 49 items.", "Moved backups: 3, of 3.0 MiB, to s3+http://",
		m.folder + "/keys/root.key, to be named by CAESAR_ROOT_KEY_FILE", m.folder + "/keys/backup.age, to be named by CAESAR_BACKUP_KEY_FILE",
		"CAESAR_DATABASE_FILE=… CAESAR_BLOBS_FILE=… CAESAR_ROOT_KEY_FILE=… CAESAR_BACKUP_KEY_FILE=… caesar serve",
	} {
		if !strings.Contains(r.said, words) {
			t.Errorf("%q is not said in\n%s", words, r.said)
		}
	}
	for _, words := range []string{"copying rows: ", "checking rows: ", "copying backups and reading them back: 3.0 MiB in "} {
		if !strings.Contains(r.told, words) || strings.ContainsAny(r.told, "\r\x1b") {
			t.Errorf("%q is not told in lines:\n%s", words, r.told)
		}
	}
	_, place, _ := strings.Cut(r.said, "MiB, to ")
	place, _, _ = strings.Cut(place, ". Each")
	m.as = []testbed.Option{testbed.Env("LC_ALL", "zh_CN.UTF-8")}
	if r := m.finish(); !strings.Contains(r.said, "这次迁移早已完成，没有可迁移的内容，没有做任何更改。\n备份文件在 "+place+"。\n\n接下来：\n1. 把两个密钥文件带到运行服务器的机器。") {
		t.Errorf("in Chinese it says\n%s", r.said)
	}
}

// Without a place to move them to, the backups stay, and the server goes on in its folder.
func TestBackupsMayStayInTheDataFolder(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(quick(), testbed.Embedded())...)
	p := old.settled()
	old.Stop()
	m := newMoving(t, old.Data)
	m.blobs = ""
	r := m.finish()
	for _, words := range []string{"The backups stay in " + old.Data + "/blobs", "CAESAR_DATABASE_FILE=… caesar serve --data " + old.Data, old.Data + "/caesar.db is marked as moved"} {
		if !strings.Contains(r.said, words) {
			t.Errorf("%q is not said in\n%s", words, r.said)
		}
	}
	now := open(t, append(quick(), testbed.Folder(old.Data), testbed.Env("CAESAR_DATABASE", m.database))...)
	now.athome(p)
}

// A lost file of a backup does not pass unnoticed, keeps nothing else from being moved, and has to be
// accepted by whoever runs the move.
func TestALostBackupIsToldByWhoseItIsAndHasToBeAccepted(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(quick(), testbed.Embedded())...)
	p := old.settled()
	var lost []string
	for id := range int64(2) {
		name := one[string](t, old.Database(), fmt.Sprintf("SELECT blob FROM versions WHERE user_id = %d AND size = %d", p.id, []int64{1000, 100_000}[id]))
		lost = append(lost, old.Data+"/blobs/"+name+".age")
	}
	old.Stop()
	for _, path := range lost {
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
	}
	m := newMoving(t, old.Data)
	version := func(n int) string {
		return fmt.Sprintf("version %d of the user %d cannot be read: no such blob", n, p.id)
	}
	m.fails("with two lost", m.run(nil), version(2), version(3), "caesar: backups could not be read, 2 of them, as told above", "back to "+old.Data+"/blobs and run this again", "--despite-missing")
	m.refused()
	if err := os.Rename(lost[0]+".away", lost[0]); err != nil {
		t.Fatal(err)
	}
	r := m.run(nil)
	m.fails("with one lost", r, "caesar: backups could not be read, 1 of them")
	if (strings.Count(r.told, "cannot be read") != 1) || strings.Contains(r.told, version(2)) {
		t.Errorf("it tells of one that is back:\n%s", r.told)
	}
	m.refused()
	if r := m.finish("--despite-missing"); !strings.Contains(r.said, "could not be read, and were left out: 1.") || !strings.Contains(r.said, "Moved backups: 3, of 9.0 MiB") {
		t.Errorf("it says\n%s", r.said)
	}
	if now := m.served(t, captchaOff()...); now.sight(p.person) != p.sight {
		t.Error("something else is lost")
	}
}
