package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

func TestTheNewestTenVersionsAreKeptAndTheirFilesAlone(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m, other := l.member(), l.member()
	theirs := l.uploaded(other.token, "theirs", "theirs")
	l.ask(question{method: http.MethodGet, path: "/user/download_file/", token: m.token}).
		says(t, "nothing yet", 404, `{"code":404,"message":"没有可下载的备份文件"}`)
	l.ask(question{method: http.MethodGet, path: "/user/files", token: m.token}).
		says(t, "nothing yet", 200, `{"code":200,"message":"备份文件列表获取成功","data":{"files":[],"used":0,"quota":21474836480,"kept":10}}`)
	var all []client.Version
	for i := range 13 {
		content := strings.Repeat("x", i)
		v := l.uploaded(m.token, fmt.Sprintf("v%d", i), content)
		if time.Since(v.CreatedAt.Time()).Abs() > time.Minute || v.Size != int64(i) || len(all) > 0 && v.ID <= all[len(all)-1].ID {
			t.Errorf("version %d is %+v", i, v)
		}
		all = append(all, v)
		l.kept(t, v.Name, m.token, content)
	}
	backups, err := m.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(all[3:])
	slices.Reverse(want)
	if !slices.Equal(backups.Files, want) || backups.Used != 3+4+5+6+7+8+9+10+11+12 || backups.Kept != 10 {
		t.Errorf("kept are %+v", backups)
	}
	for i, v := range all {
		r := l.download(m.token, fmt.Sprintf("/user/files/%d/", v.ID), nil)
		if i < 3 {
			r.says(t, v.Name, 404, `{"code":404,"message":"没有可下载的备份文件"}`)
		} else {
			r.says(t, v.Name, 200, strings.Repeat("x", i))
		}
	}
	if files := l.blobs(); len(files) != 11 {
		t.Errorf("on the disk are %v", files)
	}
	if err := m.DeleteVersion(t.Context(), all[12].ID); err != nil {
		t.Fatal(err)
	}
	l.kept(t, "with the newest deleted", m.token, strings.Repeat("x", 11))
	l.ask(question{method: http.MethodDelete, path: fmt.Sprintf("/user/files/%d", all[12].ID), token: m.token}).
		says(t, "once more", 404, `{"code":404,"message":"没有可下载的备份文件"}`)
	l.ask(question{method: http.MethodDelete, path: fmt.Sprintf("/user/files/%d", all[11].ID), token: m.token}).
		says(t, "the next", 200, `{"code":200,"message":"备份文件已删除"}`)
	if files := l.blobs(); len(files) != 9 {
		t.Errorf("on the disk are %v", files)
	}
	l.Restart()
	if again, err := m.Versions(t.Context()); err != nil || !slices.Equal(again.Files, want[2:]) || again.Used != backups.Used-12-11 {
		t.Errorf("after a restart kept are %+v, %v", again, err)
	}
	l.kept(t, "another's", other.token, "theirs")
	if theirs.ID == 0 || len(l.blobs()) != 9 {
		t.Errorf("after a restart on the disk are %v", l.blobs())
	}
}

func TestManyUploadsAtOnceAreAsManyVersionsEachWhole(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	m := l.member()
	contents := map[string]string{}
	for i := range 8 {
		contents[fmt.Sprintf("v%d", i)] = random(uint64(100+i), 200_000+i)
	}
	came := l.race(len(contents), func(i int) error {
		name := fmt.Sprintf("v%d", i)
		v, err := m.Upload(t.Context(), name, strings.NewReader(contents[name]))
		if err == nil && (v.Name != name || v.Size != int64(len(contents[name]))) {
			t.Errorf("%s was answered as %+v", name, v)
		}
		return err
	})
	came.only(t, "")
	backups, err := m.Versions(t.Context())
	if err != nil || len(backups.Files) != len(contents) {
		t.Fatalf("%+v, %v", backups, err)
	}
	l.race(len(backups.Files), func(i int) error { // and all come back at once
		v := backups.Files[i]
		d, err := m.Member.DownloadVersion(t.Context(), v.ID, 0)
		if err != nil {
			return err
		}
		defer d.Close()
		if got, err := io.ReadAll(d); err != nil || string(got) != contents[v.Name] {
			t.Errorf("%s comes back with %d bytes: %v", v.Name, len(got), err)
		}
		return nil
	}).only(t, "")
	if files := l.blobs(); len(files) != len(contents) {
		t.Errorf("on the disk are %v", files)
	}
}

func TestUploadsAtOnceDoNotPassTheQuotaTogether(t *testing.T) {
	t.Parallel()
	l := crowd(t, append(quick(), testbed.Args("--backup-quota", "1MiB", "--backup-file-max", "1MiB", "--backup-keep", "100"))...)
	m := l.member()
	const size = 300_000
	var kept atomic.Int64
	came := l.race(12, func(i int) error {
		_, err := m.Upload(t.Context(), "x", strings.NewReader(random(uint64(i), size)))
		if err == nil {
			kept.Add(1)
		}
		return err
	})
	came.only(t, "", client.TooLarge)
	backups, err := m.Versions(t.Context())
	if err != nil || int64(len(backups.Files)) != kept.Load() || backups.Used != kept.Load()*size || backups.Used > 1<<20 || len(l.blobs()) != len(backups.Files) {
		t.Errorf("%d were answered, %+v, %v, %v", kept.Load(), backups, l.blobs(), err)
	}
	// Room that was used by what broke off is given back.
	for len(backups.Files) < 3 {
		l.uploaded(m.token, "x", random(1, size))
		backups.Files = append(backups.Files, client.Version{})
	}
	if r := l.ask(upload(m.token, "x", random(1, size))); r.status != 413 {
		t.Errorf("a fourth file of %d bytes answers %d %s", size, r.status, r.body)
	}
}

func TestTheOldestGivesWayWithinTheQuota(t *testing.T) {
	t.Parallel()
	l := open(t, append(quick(), testbed.Args("--backup-quota", "1MiB", "--backup-file-max", "1MiB", "--backup-keep", "2"))...)
	m := l.member()
	const half = 512 << 10
	for i := range 4 { // the one that gives way makes the room
		l.uploaded(m.token, fmt.Sprint(i), random(uint64(i), half))
	}
	if r := l.ask(upload(m.token, "4", random(4, half+1))); r.status != 413 {
		t.Errorf("one byte over the quota: %d %s", r.status, r.body)
	}
	l.kept(t, "the newest", m.token, random(3, half))
	if backups, err := m.Versions(t.Context()); err != nil || backups.Used != 2*half || len(backups.Files) != 2 || backups.Kept != 2 || len(l.blobs()) != 2 {
		t.Errorf("%+v, %v", backups, err)
	}
}

func TestAnothersVersionIsAnsweredAsOneThatIsNobodys(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	owner, m := l.member(), l.member()
	theirs := strconv.FormatInt(l.uploaded(owner.token, "theirs", "theirs").ID, 10)
	l.uploaded(m.token, "mine", "mine")
	before, own := l.holdings(owner.token), l.holdings(m.token)
	const absent = "9007199254740991"
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete} {
		for _, slash := range []string{"/", ""} {
			for what, header := range map[string]http.Header{
				"bare": nil, "a range": {"Range": {"bytes=0-1"}}, "no range": {"Range": {"bytes=1000-"}}, "any": {"If-None-Match": {"*"}},
				"If-Match": {"If-Match": {"*"}}, "in English": {"Accept-Language": {"en"}}, "a bad body": asJSON.header(),
			} {
				q := question{method: method, token: m.token, header: header}
				if what == "a bad body" {
					q.body = []byte("{")
				}
				ask := func(id string) reply {
					q.path = "/user/files/" + id + slash
					return l.ask(q)
				}
				foreign, nobodys := ask(theirs), ask(absent)
				compareReplies(t, method+slash+" "+what, foreign, nobodys)
				if want := map[bool]int{true: 400, false: 404}[what == "a bad body"]; foreign.status != want {
					t.Errorf("%s %s: another's version answers %d %s", method, what, foreign.status, foreign.body)
				}
			}
		}
	}
	for _, id := range []string{"0", "-1", "+1", "01", "1.0", "x", "9007199254740992", "99999999999999999999", "%31%00", "1%2f", "latest"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			r := l.ask(question{method: method, path: "/user/files/" + id + "/", token: m.token})
			var p struct{ Errors map[string]any }
			if err := json.Unmarshal(r.body, &p); err != nil || r.status != 400 || p.Errors["id"] == nil {
				t.Errorf("%s of the id %s answers %d %s", method, id, r.status, r.body)
			}
		}
	}
	if l.holdings(owner.token) != before || l.holdings(m.token) != own {
		t.Error("something was changed")
	}
}

func TestOfFiftyWhoDeleteTheSameVersionOneFindsIt(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	m := l.member()
	id := l.uploaded(m.token, "x", "x").ID
	came := l.race(crowdSize, func(int) error { return m.DeleteVersion(t.Context(), id) })
	if came.only(t, "", client.NotFound); came[""] != 1 {
		t.Errorf("it came to %v", came)
	}
	if files := l.blobs(); len(files) != 0 {
		t.Errorf("on the disk are %v", files)
	}
}

func TestWhatIsBeingDownloadedGoesOnAfterItsDeletion(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	content := random(7, 8<<20) // more than lies in buffers on the way
	id := l.uploaded(m.token, "x", content).ID
	d, err := m.DownloadVersion(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	begun := make([]byte, 1000)
	if _, err := io.ReadFull(d, begun); err != nil {
		t.Fatal(err)
	}
	if err := m.DeleteVersion(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(d)
	if got := string(begun) + string(rest); err != nil || got != content {
		t.Errorf("%d bytes came: %v", len(got), err)
	}
	if _, err := m.Download(t.Context()); client.Slug(err) != client.NotFound {
		t.Errorf("after its deletion: %v", err)
	}
}

func TestWithAUserAllTheirBackupsGo(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m, other := l.member(), l.member()
	for i := range 3 {
		l.uploaded(m.token, "x", random(uint64(i), 100_000))
	}
	l.uploaded(other.token, "theirs", "theirs")
	if err := m.Erase(t.Context(), m.password); err != nil {
		t.Fatal(err)
	}
	l.eventually("their files are gone", func() bool { return len(l.blobs()) == 1 })
	if r := l.download(m.token, "", nil); r.status != 401 {
		t.Errorf("who is gone is answered %d %s", r.status, r.body)
	}
	l.kept(t, "another's", other.token, "theirs")
	if n := l.counted("versions"); n != 1 {
		t.Errorf("%d rows are left", n)
	}
}

// The user is erased while the file is on its way.
func TestAnUploadThatOutlivesItsUserKeepsNothing(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	m := l.member()
	body, sending := io.Pipe()
	came := make(chan error, 1)
	go func() {
		_, err := m.Upload(t.Context(), "x", body)
		came <- err
	}()
	if _, err := sending.Write([]byte(random(1, seenAtAStore))); err != nil {
		t.Fatal(err)
	}
	l.eventually("the upload is under way", func() bool { return len(l.blobs()) == 1 })
	gone := l.client(client.WithToken(m.token))
	if err := gone.Erase(t.Context(), m.password); err != nil {
		t.Fatal(err)
	}
	if _, err := sending.Write([]byte("the rest")); err != nil || sending.Close() != nil {
		t.Fatal(err)
	}
	var refused *client.Error
	if err := <-came; !errors.As(err, &refused) || refused.Slug != client.Unauthenticated {
		t.Errorf("the upload came to %v", err)
	}
	l.eventually("nothing is left", func() bool { return len(l.blobs()) == 0 })
}
