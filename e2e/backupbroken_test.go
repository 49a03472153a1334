package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"caesar/internal/testbed"
)

// aFile is a sound part, short enough to be cut at each of its bytes.
var aFile = part(`form-data; name="file"; filename="new.txt"`, "text/plain", "new\r\n--not a boundary")

// brokenLab is a server and somebody who keeps a version that must outlive whatever is sent.
func brokenLab(t *testing.T) (l *lab, m *member, before string) {
	t.Helper()
	l = crowd(t, append(quick(), testbed.Args("--backup-quota", "2MiB", "--backup-file-max", "1MiB"))...)
	m = l.member()
	l.uploaded(m.token, "old.txt", "old")
	return l, m, l.holdings(m.token)
}

func TestAnUploadThatIsNotOneFileInWholePartsIsRefusedAndKeepsNothing(t *testing.T) {
	t.Parallel()
	l, m, before := brokenLab(t)
	const file = `form-data; name="file"; filename="new.txt"`
	for name, c := range map[string]struct {
		header http.Header
		body   string
		status int
	}{
		"no part":                       {asParts.header(), string(parts()), 400},
		"no body":                       {asParts.header(), "", 400},
		"a field in its place":          {asParts.header(), string(parts(part(`form-data; name="file"`, "", "new"))), 400},
		"a part without a name":         {asParts.header(), string(parts(part(`form-data; filename="new.txt"`, "", "new"))), 400},
		"a part without a disposition":  {asParts.header(), string(parts("Content-Type: text/plain\r\n\r\nnew\r\n")), 400},
		"a part with no header":         {asParts.header(), string(parts("\r\nnew\r\n")), 400},
		"another name":                  {asParts.header(), string(parts(part(`form-data; name="File"; filename="new.txt"`, "", "new"))), 400},
		"an attachment":                 {asParts.header(), string(parts(part(`attachment; name="file"; filename="new.txt"`, "", "new"))), 400},
		"two files":                     {asParts.header(), string(parts(aFile, aFile)), 400},
		"two files and a field between": {asParts.header(), string(parts(aFile, part(`form-data; name="x"`, "", "x"), aFile)), 400},
		"a file in base64":              {asParts.header(), string(parts("Content-Transfer-Encoding: base64\r\n" + aFile)), 400},
		"two dispositions":              {asParts.header(), string(parts("Content-Disposition: " + file + "\r\n" + aFile)), 400},
		"a name over two lines":         {asParts.header(), string(parts(part("form-data; name=\"file\"; filename=\"a\r\nb\"", "", "new"))), 400},
		"a header of 1 MiB":             {asParts.header(), string(parts("X: " + strings.Repeat("x", 1<<20) + "\r\n" + aFile)), 413},
		"a header with a control":       {asParts.header(), string(parts("X: \x01\r\n" + aFile)), 400},
		"10,000 headers":                {asParts.header(), string(parts(strings.Repeat("X: x\r\n", 10_000) + aFile)), 400},
		"another boundary":              {http.Header{"Content-Type": {"multipart/form-data; boundary=other"}}, string(parts(aFile)), 400},
		"a boundary that is its start":  {http.Header{"Content-Type": {"multipart/form-data; boundary=" + boundary[:5]}}, string(parts(aFile)), 400},
		"a boundary that goes on":       {http.Header{"Content-Type": {"multipart/form-data; boundary=" + boundary + "x"}}, string(parts(aFile)), 400},
		"a boundary of 71 characters":   {http.Header{"Content-Type": {"multipart/form-data; boundary=" + strings.Repeat("x", 71)}}, string(parts(aFile)), 400},
		"an empty boundary":             {http.Header{"Content-Type": {`multipart/form-data; boundary=""`}}, string(parts(aFile)), 400},
		"no boundary":                   {http.Header{"Content-Type": {"multipart/form-data"}}, string(parts(aFile)), 400},
		"JSON":                          {asJSON.header(), `{"file":"new"}`, 400},
		"a form":                        {asForm.header(), "file=new", 400},
		"bytes":                         {http.Header{"Content-Type": {"application/octet-stream"}}, "new", 415},
		"no type":                       {nil, string(parts(aFile)), 415},
		"parts of another kind":         {http.Header{"Content-Type": {"multipart/mixed; boundary=" + boundary}}, string(parts(aFile)), 415},
		"100 KiB of fields before it":   {asParts.header(), string(parts(part(`form-data; name="x"`, "", strings.Repeat("x", 100<<10)), aFile)), 413},
		"100 KiB of fields after it":    {asParts.header(), string(parts(aFile, part(`form-data; name="x"`, "", strings.Repeat("x", 100<<10)))), 413},
		"100 KiB before all parts":      {asParts.header(), strings.Repeat("xxxxxxxx\r\n", 10<<10) + string(parts(aFile)), 413},
		"a line of 100 KiB before them": {asParts.header(), strings.Repeat("x", 100<<10) + "\r\n" + string(parts(aFile)), 400},
		"100 KiB after all parts":       {asParts.header(), string(parts(aFile)) + strings.Repeat("x", 100<<10), 413},
	} {
		for _, inChunks := range []bool{false, true} {
			r := l.ask(question{method: http.MethodPost, path: "/user/upload_file/", token: m.token, header: c.header, body: []byte(c.body), chunked: inChunks})
			if r.status != c.status || !strings.HasPrefix(string(r.body), fmt.Sprintf(`{"code":%d,"message":"`, c.status)) {
				t.Errorf("%s: answers %d %s, not %d", name, r.status, r.body, c.status)
			}
			if l.holdings(m.token) != before { // it was answered: nothing is left by now
				t.Fatalf("%s: something was kept or left", name)
			}
		}
	}
	l.kept(t, "after all", m.token, "old")
}

func TestAnUploadThatIsOddButWholeIsKept(t *testing.T) {
	t.Parallel()
	l, m, _ := brokenLab(t)
	field := part(`form-data; name="x"`, "", "x")
	for name, body := range map[string]string{
		"fields before it":           string(parts(field, part(`form-data; name="file"`, "", "no file"), aFile)),
		"fields after it":            string(parts(aFile, field, field)),
		"a part without a name":      string(parts(part(`form-data; filename="other"`, "", "x"), aFile)),
		"a file of another name":     string(parts(part(`form-data; name="other"; filename="other"`, "", "x"), aFile)),
		"something before all parts": "preamble\r\n" + string(parts(aFile)),
		"something after all parts":  string(parts(aFile)) + "epilogue",
		"no line break at its end":   strings.TrimSuffix(string(parts(aFile)), "\r\n"),
		"blanks after a boundary":    strings.Replace(string(parts(aFile)), boundary+"\r\n", boundary+"  \t\r\n", 1),
		"names in capitals":          string(parts(strings.Replace(aFile, "Content-Disposition: form-data", "CONTENT-DISPOSITION: Form-Data", 1))),
		"a name without quotes":      string(parts(strings.Replace(aFile, `"file"`, "file", 1))),
		"a type that is none":        string(parts(strings.Replace(aFile, "text/plain", "/;;", 1))),
		"a length of its own, wrong": string(parts("Content-Length: 1\r\n" + aFile)),
		"binary in so many words":    string(parts("Content-Transfer-Encoding: BINARY\r\n" + aFile)),
		"a line break before them":   "\r\n" + string(parts(aFile)),
	} {
		r := l.ask(question{method: http.MethodPost, path: "/user/upload_file/", token: m.token, header: asParts.header(), body: []byte(body)})
		if r.status != 200 {
			t.Errorf("%s: answers %d %s", name, r.status, r.body)
			continue
		}
		l.kept(t, name, m.token, "new\r\n--not a boundary")
		if err := m.DeleteVersion(t.Context(), r.version(t).ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, content := range []string{"", "\r\n", "\n", "--" + boundary, "--" + boundary + "--", "\r\n--" + boundary[1:] + "\r\n", "\x00\xff", random(1, 300_000)} {
		if strings.HasPrefix(content, "--"+boundary) {
			continue // no client may choose a boundary that is in the file
		}
		l.uploaded(m.token, "x", content)
		l.kept(t, fmt.Sprintf("%.20q", content), m.token, content)
	}
}

// TestAnUploadCutAtAnyByteKeepsNothing cuts a body at each of its bytes, in each way in which it can be.
func TestAnUploadCutAtAnyByteKeepsNothing(t *testing.T) {
	t.Parallel()
	l, m, before := brokenLab(t)
	body := parts(part(`form-data; name="x"`, "", "x"), aFile)
	whole := len(body) - len("\r\n") // the last line break is not needed
	head := l.head(m.token)
	cuts := 0
	for cut := range whole {
		l.write("a body that ends too soon", head+measured(body[:cut]), false, 400)
		l.write("a body cut before its length", head+fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))+string(body[:cut]), true, 400)
		l.write("chunks that end too soon", head+chunked(body[:cut], 50)+"0\r\n\r\n", false, 400)
		l.write("chunks without an end", head+chunked(body[:cut], 50), true, 400)
		cuts += 4
	}
	l.write("chunks without an end after a whole form", head+chunked(body, 50), true, 400)
	l.write("a whole form before its length", head+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body)+1, body), true, 400)
	if l.holdings(m.token) != before {
		t.Error("something was kept or left")
	}
	t.Logf("%d uploads were cut", cuts)
	for _, cut := range []int{whole, len(body)} {
		l.write("a whole body", head+measured(body[:cut]), false, 200)
		l.write("a whole body in chunks", head+chunked(body[:cut], 7)+"0\r\n\r\n", false, 200)
	}
	if backups, err := m.Versions(t.Context()); err != nil || len(backups.Files) != 5 {
		t.Errorf("%d versions are kept, %v", len(backups.Files), err)
	}
}

func TestALengthThatIsWrongGetsAClearAnswerAndKeepsNothing(t *testing.T) {
	t.Parallel()
	l, m, before := brokenLab(t)
	body := string(parts(aFile))
	head, n := l.head(m.token), len(body)
	l.write("short", head+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n-20, body), false, 400)
	l.write("long", head+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n+20, body), true, 400)
	l.write("zero", head+"Content-Length: 0\r\n\r\n"+body, false, 400)
	l.write("absent", head+"\r\n"+body, false, 400)
	for name, length := range map[string]string{
		"negative": "-1", "with a sign": fmt.Sprintf("+%d", n), "no number": "x", "empty": "", "beyond 63 bits": "9223372036854775808", "beyond 64 bits": "99999999999999999999",
		"in hex": fmt.Sprintf("%#x", n), "a list": fmt.Sprintf("%d, %d", n, n+1), "twice and different": fmt.Sprintf("%d\r\nContent-Length: %d", n, n+1),
	} {
		l.bare(name, head+"Content-Length: "+length+"\r\n\r\n"+body)
	}
	for name, chunks := range map[string]string{
		"no number": "xyz\r\n" + body, "negative": "-5\r\n" + body, "beyond 64 bits": "fffffffffffffffff\r\n" + body,
		"no end of a chunk": fmt.Sprintf("%x\r\n%sX", n, body), "no line break after it": fmt.Sprintf("%x\r\n%s0\r\n\r\n", n, body),
	} {
		l.write("chunks: "+name, head+"Transfer-Encoding: chunked\r\n\r\n"+chunks, true, 400)
	}
	l.bare("another coding", head+"Transfer-Encoding: gzip\r\n\r\n"+body)
	l.write("more than is taken", head+"Content-Length: 9223372036854775807\r\n\r\n"+body, false, 413)
	l.unchanged("a length that is wrong", m.token, before)
	l.kept(t, "after all", m.token, "old")
}

// bare sends what is no HTTP, which no route sees: it is refused in words that are not ours.
func (l *lab) bare(what, text string) {
	l.t.Helper()
	conn := l.dial()
	if _, err := io.WriteString(conn, text); err != nil {
		l.t.Fatal(err)
	}
	_ = conn.CloseWrite()
	answer, err := io.ReadAll(conn)
	if err != nil && len(answer) == 0 {
		return // none
	}
	status, _, _ := strings.Cut(strings.TrimPrefix(string(answer), "HTTP/1.1 "), "\r\n")
	if !strings.HasPrefix(status, "400") && !strings.HasPrefix(status, "501") {
		l.t.Errorf("%s: answers %.200q", what, answer)
	}
}

func TestOneWhoHangsUpInTheMiddleOfAnUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	l, m, before := brokenLab(t)
	body := parts(part(`form-data; name="file"; filename="new"`, "", random(2, 900_000)))
	for name, hangUp := range map[string]func(conn interface{ SetLinger(int) error }) error{
		"in order":  func(interface{ SetLinger(int) error }) error { return nil },
		"by a cut":  func(conn interface{ SetLinger(int) error }) error { return conn.SetLinger(0) },
		"in chunks": func(conn interface{ SetLinger(int) error }) error { return conn.SetLinger(0) },
	} {
		for _, sent := range []int{0, 1, 100, len(body) / 2, len(body) - 1} {
			text := l.head(m.token) + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + string(body[:sent])
			if name == "in chunks" {
				text = l.head(m.token) + chunked(body[:sent], 1000)
			}
			conn := l.dial()
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			// Until then it may not have come to the file; a store sees nothing of one that is this small.
			if sent > 100_000 && !l.OnS3() {
				l.eventually("the upload is under way", func() bool { return len(l.blobs()) == 2 })
			}
			if err := hangUp(conn); err != nil {
				t.Fatal(err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			l.unchanged("one who hangs up "+name, m.token, before)
		}
	}
	// One who hangs up before the answer, and one who reads none of a download, harm nobody either.
	conn := l.dial()
	if _, err := io.WriteString(conn, "GET /user/download_file/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+m.token+"\r\n\r\n"); err != nil || conn.SetLinger(0) != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	l.kept(t, "after all", m.token, "old")
}
