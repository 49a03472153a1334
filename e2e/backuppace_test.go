package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"caesar/client"
)

func TestASlowUploadIsKept(t *testing.T) {
	t.Parallel()
	l, m, _ := brokenLab(t)
	body := parts(aFile)
	conn := l.dial()
	if _, err := io.WriteString(conn, l.head(m.token)+fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))); err != nil {
		t.Fatal(err)
	}
	for i := range body {
		if _, err := conn.Write(body[i : i+1]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // what is tested: that each byte may come alone
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 200" {
		t.Errorf("%q, %v", answer, err)
	}
	l.kept(t, "the slow one", m.token, "new\r\n--not a boundary")
}

// A body may take as long as it takes, but not stand still for more than a minute: the 30 seconds of other
// requests pass, and the minute does.
func TestAnUploadMayPauseButNotForAMinute(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for more than a minute")
	}
	l, m, before := brokenLab(t)
	body := string(parts(aFile))
	paused, stalled := l.dial(), l.dial()
	for _, conn := range []interface {
		io.Writer
		SetDeadline(time.Time) error
	}{paused, stalled} {
		if err := conn.SetDeadline(time.Now().Add(90 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, l.head(m.token)+fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))+body[:120]); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	time.Sleep(40 * time.Second) // longer than any other request may take
	if _, err := io.WriteString(paused, body[120:]); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(paused, answer); err != nil || string(answer) != "HTTP/1.1 200" {
		t.Errorf("after a pause: %q, %v", answer, err)
	}
	backups, err := m.Versions(t.Context())
	if err != nil || len(backups.Files) != 2 {
		t.Fatalf("%+v, %v", backups, err)
	}
	if err := m.DeleteVersion(t.Context(), backups.Files[0].ID); err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(stalled)
	if took := time.Since(began); took < 55*time.Second || took > 80*time.Second {
		t.Errorf("one who stands still is cut off after %v", took)
	}
	if len(said) > 0 && !strings.HasPrefix(string(said), "HTTP/1.1 400") {
		t.Errorf("one who stood still is told %.100q", said)
	}
	l.unchanged("one who stands still", m.token, before)
}

func TestTooLargeAFileIsRefusedBeforeItIsReadWhereItsLengthTellsAndElseWhileItIsRead(t *testing.T) {
	t.Parallel()
	l, m, _ := brokenLab(t) // takes 1 MiB for one file, and keeps 2 MiB
	const most = 1 << 20
	l.uploaded(m.token, "as large as may be", strings.Repeat("x", most))
	before := l.holdings(m.token)
	large := string(parts(part(`form-data; name="file"; filename="large"`, "", strings.Repeat("x", most+1))))
	huge := string(parts(part(`form-data; name="file"; filename="huge"`, "", strings.Repeat("x", 3<<20))))
	for name, c := range map[string]struct{ body, refusal string }{
		"one byte too many": {large, `{"code":413,"message":"备份空间不足（共 2 MiB），请先删除旧的备份"}`},
		"far too many":      {huge, `{"code":413,"message":"备份空间不足（共 2 MiB），请先删除旧的备份"}`},
	} {
		for _, inChunks := range []bool{false, true} {
			r := l.ask(question{method: http.MethodPost, path: "/user/upload_file/", token: m.token, header: asParts.header(), body: []byte(c.body), chunked: inChunks})
			r.says(t, name, 413, c.refusal)
			if l.holdings(m.token) != before {
				t.Fatalf("%s: something was kept or left", name)
			}
		}
	}
	// The length tells: the body is not waited for.
	l.write("told by its length", l.head(m.token)+"Content-Length: 3000000\r\n\r\n", false, 413)
	l.write("asked before", l.head(m.token)+"Expect: 100-continue\r\nContent-Length: 3000000\r\n\r\n", false, 413)
	// With what is there deleted, the file itself is what is too large.
	backups, err := m.Versions(t.Context())
	if err != nil || backups.Used != most+3 || backups.Quota != 2<<20 {
		t.Fatalf("%+v, %v", backups, err)
	}
	if err := m.DeleteVersion(t.Context(), backups.Files[0].ID); err != nil {
		t.Fatal(err)
	}
	r := l.ask(question{method: http.MethodPost, path: "/user/upload_file/", token: m.token, header: asParts.header(), body: []byte(large)})
	r.says(t, "one byte too many for a file", 413, `{"code":413,"message":"文件过大，最多 1 MiB"}`)
	if _, err := m.Upload(t.Context(), "from the client", strings.NewReader(huge)); client.Slug(err) != client.TooLarge {
		t.Errorf("the client is told %v", err)
	}
	l.kept(t, "after all", m.token, "old")
}
