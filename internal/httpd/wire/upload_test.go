package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

func file(filename, content string) string {
	return fmt.Sprintf("Content-Disposition: form-data; name=\"file\"; filename=%q\nContent-Type: text/plain\n\n%s", filename, content)
}

// upload has an upload read to its end and returns the file's name and content.
func upload(contentType string, body io.Reader) (name, content string, err error) {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", contentType)
	u, err := wire.OpenUpload(httptest.NewRecorder(), r, "file")
	if err != nil {
		return "", "", err
	}
	all, err := io.ReadAll(u)
	return u.Filename, string(all), err
}

func TestAnUploadIsReadByteForByte(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 3<<20)
	source := rand.NewChaCha8([32]byte{1})
	if _, err := source.Read(noise); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"nothing": "", "a line": "x\r\n", "noise": string(noise), "almost boundaries": strings.Repeat("\r\n--x\r\n--xy\r\n--", 5000), "breaks at the end": "x\r\n\r\n",
	} {
		for kind, reader := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "in halves": iotest.HalfReader, "with its end": iotest.DataErrReader,
		} {
			body := "preamble\r\n" + parts(named("before", "1"), file("a.bin", content), named("after", "2"), "X: 1\n\n3") + "epilogue"
			filename, got, err := upload(partsType, reader(strings.NewReader(body)))
			if err != nil || filename != "a.bin" || got != content {
				t.Errorf("%s, %s: got %q, %d bytes, %v", name, kind, filename, len(got), err)
			}
		}
	}
}

// The delimiter may lie across the end of what is read at once.
func TestADelimiterIsFoundWhereverItLies(t *testing.T) {
	t.Parallel()
	for _, boundary := range []string{"xx", strings.Repeat("-", 24) + "d74496d66958873e", strings.Repeat("b", 70)} {
		lookalike := "\r\n--" + boundary + "x\r\n--" + boundary[1:] + "\r"
		frame := strings.ReplaceAll(parts(file("a", "content")), "--xx", "--"+boundary)
		edge := 256<<10 - strings.Index(frame, "content")
		for size := edge - len(lookalike) - 8; size < edge+4; size++ {
			content := strings.Repeat("x", size-len(lookalike)) + lookalike
			body := strings.Replace(frame, "content\r\n--", content+"\r\n--", 1)
			_, got, err := upload("multipart/form-data; boundary="+boundary, strings.NewReader(body))
			if err != nil || got != content {
				t.Fatalf("%q, %d bytes: got %d, %v", boundary, size, len(got), err)
			}
		}
	}
}

func TestAFilenameMayBeAnything(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		`filename=""`:                                     "",
		`filename=plain.txt`:                              "plain.txt",
		`filename="备份😀.txt"`:                              "备份😀.txt",
		`filename="C:\Users\22446\response.txt"`:          `C:\Users\22446\response.txt`,
		`filename="../../etc/passwd"`:                     "../../etc/passwd",
		`filename="a\"b.txt"`:                             `a"b.txt`,
		`filename="a"b.txt"`:                              `a"b.txt`, // as some programs send it
		`filename="` + "\xff\xfe" + `"`:                   "\xff\xfe",
		`filename*=UTF-8''%e5%a4%87`:                      "备",
		`filename="` + strings.Repeat("x", 400) + `.txt"`: strings.Repeat("x", 400) + ".txt",
	} {
		name, content, err := upload(partsType, strings.NewReader(parts(`Content-Disposition: form-data; name="file"; `+sent+"\n\nx")))
		if err != nil || name != want || content != "x" {
			t.Errorf("%q: got %q, %q, %v", sent, name, content, err)
		}
	}
}

func TestAnUploadMustHoldOneFileAndEndWell(t *testing.T) {
	t.Parallel()
	refused := func(name, contentType, body string, kind fault.Kind, message phrase.Phrase) {
		t.Helper()
		if _, _, err := upload(contentType, strings.NewReader(body)); !faultOf(t, err, kind, map[fault.Kind]string{
			fault.Invalid: "invalid", fault.TooLarge: "too_large", fault.UnsupportedType: "unsupported_type",
		}[kind]).Message.Is(message) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	whole := parts(named("before", "1"), file("a", "content"), named("after", "2"))
	for i := 1; i < len(whole)-2; i++ {
		refused(fmt.Sprintf("cut at byte %d", i), partsType, whole[:i], fault.Invalid, phrase.BodyNotForm)
	}
	refused("nothing", partsType, "", fault.Invalid, phrase.NoFile)
	refused("no part", partsType, "--xx--\r\n", fault.Invalid, phrase.NoFile)
	refused("a field in its place", partsType, parts(named("file", "content")), fault.Invalid, phrase.NoFile)
	refused("another name", partsType, parts("Content-Disposition: form-data; name=\"files\"; filename=a\n\nx"), fault.Invalid, phrase.NoFile)
	refused("no name", partsType, parts("Content-Disposition: form-data; filename=a\n\nx"), fault.Invalid, phrase.NoFile)
	refused("two files", partsType, parts(file("a", "1"), named("x", ""), file("b", "2")), fault.Invalid, phrase.TwoFiles)
	refused("coded", partsType, parts("Content-Disposition: form-data; name=\"file\"; filename=a\nContent-Transfer-Encoding: base64\n\neA=="), fault.Invalid, phrase.BadPartHeader)
	refused("another boundary", "multipart/form-data; boundary=yy", whole, fault.Invalid, phrase.BodyNotForm)
	refused("a form", formType, "file=x", fault.Invalid, phrase.NoFile)
	refused("json", jsonType, `{"file":"x"}`, fault.Invalid, phrase.NoFile)
	refused("json that is none", jsonType, `{`, fault.Invalid, phrase.BodyNotJSON)
	refused("the file alone", "application/octet-stream", "x", fault.UnsupportedType, phrase.BodyTypeForm)

	refused("a NUL in a name", partsType, parts(file("a", "1"), "Content-Disposition: form-data; name=\"\x00\"\n\n"), fault.Invalid, phrase.BodyNotForm)

	much := strings.Repeat("xxxxxxx\r\n", wire.MaxAround/9+2000)
	for name, body := range map[string]string{
		"preamble": much + "\r\n" + whole, "field before": parts(named("f", much), file("a", "1")), "field after": parts(file("a", "1"), named("f", much)),
		"header": parts(strings.Repeat("X: "+strings.Repeat("x", 100)+"\n", wire.MaxAround/100+160) + "Content-Disposition: form-data; name=\"file\"; filename=a\n\n1"), "epilogue": whole + much,
		"another file": parts("Content-Disposition: form-data; name=\"other\"; filename=a\n\n"+much, file("a", "1")),
	} {
		refused("a large "+name, partsType, body, fault.TooLarge, phrase.AroundTheFile)
	}
}

func TestAnUploadThatBreaksOffIsNoFaultOfTheServer(t *testing.T) {
	t.Parallel()
	whole := parts(file("a", strings.Repeat("content ", 1000)), named("after", "2")) + "epilogue"
	broken := errors.New("connection reset")
	for _, at := range []int{0, 10, 60, 200, 5000, len(whole) - 60, len(whole) - 10, len(whole)} {
		_, _, err := upload(partsType, io.MultiReader(strings.NewReader(whole[:at]), iotest.ErrReader(broken)))
		f := faultOf(t, err, fault.Invalid, "invalid")
		if !f.Message.Is(phrase.BodyNotWhole) || !errors.Is(err, broken) {
			t.Errorf("at byte %d: got %v", at, err)
		}
	}
}

// A body may take longer than a server gives a request, as long as it keeps flowing.
func TestAnUploadMovesItsDeadlines(t *testing.T) {
	t.Parallel()
	done := make(chan error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := wire.OpenUpload(w, r, "file")
		if err == nil {
			_, err = io.Copy(io.Discard, u)
		}
		done <- err
		wire.ExtendWriting(w)
		_, _ = io.WriteString(w, "answered")
	}))
	server.Config.ReadTimeout, server.Config.WriteTimeout = 150*time.Millisecond, 150*time.Millisecond
	server.Start()
	defer server.Close()

	body := parts(file("a", strings.Repeat("x", 100)))
	reader, writer := io.Pipe()
	go func() {
		for i := range len(body) {
			time.Sleep(3 * time.Millisecond)
			if _, err := writer.Write([]byte{body[i]}); err != nil {
				return
			}
		}
		writer.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", partsType)
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(<-done, err); err != nil || string(answer) != "answered" {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestAClientThatHangsUpLeavesNoWholeUpload(t *testing.T) {
	t.Parallel()
	done := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := wire.OpenUpload(w, r, "file")
		if err == nil {
			_, err = io.Copy(io.Discard, u)
		}
		done <- err
	}))
	defer server.Close()
	whole := parts(file("a", strings.Repeat("x", 1000)))
	// The parts are whole, but more was announced.
	for _, sent := range []string{whole, whole[:500]} {
		conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", partsType, len(whole)+10, sent); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !faultOf(t, err, fault.Invalid, "invalid").Message.Is(phrase.BodyNotWhole) {
			t.Errorf("got %v", err)
		}
	}
}
