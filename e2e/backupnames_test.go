package e2e_test

import (
	"fmt"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// attached are filenames as clients send them, the label that is kept of each, and the attachment that it
// comes back as (RFC 6266).
var attached = []struct{ name, sent, label, disposition string }{
	{"a plain one", `filename="response.txt"`, "response.txt", `filename="response.txt"`},
	{"without quotes", `filename=response.txt`, "response.txt", `filename="response.txt"`},
	{"blanks in it", `filename="my backup 1.zip"`, "my backup 1.zip", `filename="my backup 1.zip"`},
	{"a path of Windows", `filename="C:\\Users\\22446\\Downloads\\response.txt"`, "response.txt", `filename="response.txt"`},
	{"a path of Windows, unescaped", `filename="C:\Users\22446\Downloads\response.txt"`, "response.txt", `filename="response.txt"`},
	{"a path", `filename="/etc/passwd"`, "passwd", `filename="passwd"`},
	{"up and away", `filename="../../../keys/root.key"`, "root.key", `filename="root.key"`},
	{"up and away in Windows", `filename="..\\..\\caesar.db"`, "caesar.db", `filename="caesar.db"`},
	{"up only", `filename="../"`, "backup", `filename="backup"`},
	{"dots", `filename=".."`, "backup", `filename="backup"`},
	{"a dot", `filename="."`, "backup", `filename="backup"`},
	{"a hidden one", `filename=".profile"`, ".profile", `filename=".profile"`},
	{"none", `filename=""`, "backup", `filename="backup"`},
	{"blanks", `filename="   "`, "backup", `filename="backup"`},
	{"quotes", `filename="say \"hi\".txt"`, `say "hi".txt`, `filename="say _hi_.txt"; filename*=UTF-8''say%20%22hi%22.txt`},
	{"quotes as browsers send them", `filename="say %22hi%22.txt"`, `say %22hi%22.txt`, `filename="say _22hi_22.txt"; filename*=UTF-8''say%20%2522hi%2522.txt`},
	{"quotes as they are", `filename="say "hi".txt"`, `say "hi".txt`, `filename="say _hi_.txt"; filename*=UTF-8''say%20%22hi%22.txt`},
	{"a line break as browsers send it", `filename="a%0D%0ASet-Cookie: x=y"`, `a%0D%0ASet-Cookie: x=y`, `filename="a_0D_0ASet-Cookie: x=y"; filename*=UTF-8''a%250D%250ASet-Cookie%3A%20x%3Dy`},
	{"a line break, encoded", `filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x`, `aSet-Cookie: x`, `filename="aSet-Cookie: x"`},
	{"NUL, encoded", `filename*=UTF-8''a%00b.txt`, `ab.txt`, `filename="ab.txt"`},
	{"up and away, encoded", `filename*=UTF-8''..%2f..%5Cx`, `x`, `filename="x"`},
	{"Chinese", `filename="备份.zip"`, "备份.zip", `filename="__.zip"; filename*=UTF-8''%E5%A4%87%E4%BB%BD.zip`},
	{"Chinese, encoded", `filename="x"; filename*=UTF-8''%E5%A4%87%E4%BB%BD.zip`, "备份.zip", `filename="__.zip"; filename*=UTF-8''%E5%A4%87%E4%BB%BD.zip`},
	{"an emoji", `filename="🐎👩‍🚀.txt"`, "🐎👩‍🚀.txt", `filename="____.txt"; filename*=UTF-8''%F0%9F%90%8E%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80.txt`},
	{"turned around", "filename=\"photo\u202egpj.exe\"", "photogpj.exe", `filename="photogpj.exe"`},
	{"no UTF-8", "filename=\"a\xff.txt\"", "a\ufffd.txt", `filename="a_.txt"; filename*=UTF-8''a%EF%BF%BD.txt`},
	{"400 characters", `filename="` + strings.Repeat("x", 396) + `.zip"`, strings.Repeat("x", 251) + ".zip", `filename="` + strings.Repeat("x", 251) + `.zip"`},
	{"400 letters", `filename="` + strings.Repeat("马", 396) + `.zip"`, strings.Repeat("马", 251) + ".zip", `filename="` + strings.Repeat("_", 251) + `.zip"; filename*=UTF-8''` + strings.Repeat("%E9%A9%AC", 251) + `.zip`},
	{"a page", `filename="<script>alert(1)</script>.html"`, "script>.html", `filename="script>.html"`},
	{"a parameter", `filename="a; filename=b"`, "a; filename=b", `filename="a; filename=b"`},
}

func TestANameIsALabelAndComesBackAsAnAttachment(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	for _, c := range attached {
		body := parts(part(`form-data; name="file"; `+c.sent, "", c.name))
		r := l.ask(question{method: http.MethodPost, path: "/user/upload_file/", token: m.token, header: asParts.header(), body: body})
		if r.status != 200 {
			t.Errorf("%s: answers %d %s", c.name, r.status, r.body)
			continue
		}
		version := r.version(t)
		if version.Name != c.label {
			t.Errorf("%s: the label is %q, not %q", c.name, version.Name, c.label)
		}
		for _, at := range []string{"/user/download_file/", fmt.Sprintf("/user/files/%d/", version.ID)} {
			got := l.download(m.token, at, nil)
			if d := got.header.Get("Content-Disposition"); d != "attachment; "+c.disposition || string(got.body) != c.name {
				t.Errorf("%s: it comes back as %s\nand not         attachment; %s", c.name, d, c.disposition)
			}
			if len(got.header["Set-Cookie"]) > 0 {
				t.Errorf("%s: the name sets a header", c.name)
			}
		}
	}
	// Nothing lies anywhere under a name that was sent.
	for _, pattern := range []string{"*response*", "*passwd*", "*.zip", "*.txt", "*.html", "x", "script*"} {
		for _, folder := range []string{"", "blobs", "keys", "outbox", ".."} {
			if found, err := filepath.Glob(filepath.Join(l.Data, folder, pattern)); err != nil || len(found) > 0 {
				t.Errorf("there is %v, %v", found, err)
			}
		}
		for _, b := range l.Blobs() {
			if found, err := path.Match(pattern, path.Base(b.Name)); err != nil || found {
				t.Errorf("there is %s, %v", b.Name, err)
			}
		}
	}
}

func TestWhatABrowserWouldRunComesBackAsDataToBeSaved(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	for _, c := range []struct{ name, contentType, content string }{
		{"page.html", "text/html", "<!doctype html><script>alert(document.cookie)</script>"},
		{"picture.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`},
		{"page.xhtml", "application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>`},
		{"program.js", "text/javascript", "alert(1)"},
		{"document.pdf", "application/pdf", "%PDF-1.7"},
		{"none", "", "<html>"},
	} {
		body := parts(part(`form-data; name="file"; filename="`+c.name+`"`, c.contentType, c.content))
		r := l.ask(question{method: http.MethodPost, path: "/user/upload_file/", token: m.token, header: asParts.header(), body: body})
		if r.status != 200 {
			t.Fatalf("%s: answers %d %s", c.name, r.status, r.body)
		}
		for name, header := range map[string]http.Header{"whole": nil, "a part": {"Range": {"bytes=0-3"}}, "as a page": {"Accept": {"text/html"}}} {
			got := l.download(m.token, "", header)
			for header, want := range map[string]string{
				"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache",
				"Content-Disposition": `attachment; filename="` + c.name + `"`, "X-Frame-Options": "DENY",
				"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			} {
				if got.header.Get(header) != want {
					t.Errorf("%s, %s: %s is %q", c.name, name, header, got.header.Get(header))
				}
			}
		}
	}
}
