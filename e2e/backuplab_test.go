package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"caesar/api/apitest"
)

// seenAtAStore is how much of an upload has come before an S3 store sees anything of it, in bytes: more than
// one of its parts.
const seenAtAStore = 9 << 20

// random is content that can't be compressed or guessed, and is the same each time for the same seed.
func random(seed uint64, size int) string {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)}).Read(content) // it never fails
	return string(content)
}

// head is how the request of an upload begins: all but what says how long the body is.
func (l *lab) head(token string) string {
	return "POST /user/upload_file/ HTTP/1.1\r\nHost: " + strings.TrimPrefix(l.URL, "http://") + "\r\nAuthorization: Bearer " + token +
		"\r\nContent-Type: " + string(asParts) + "\r\n"
}

// dial opens a connection to the server, to write on it what no HTTP client would.
func (l *lab) dial() *net.TCPConn {
	l.t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(l.URL, "http://"), 10*time.Second)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		l.t.Fatal(err)
	}
	return conn.(*net.TCPConn) //nolint:errcheck,forcetypeassert // "tcp" was asked for
}

// written sends requests as these bytes, and reads what is answered to the first.
type written struct {
	l    *lab
	text string
	last bool // nothing follows: the sending end is closed
}

var errUnanswered = errors.New("the connection was closed without an answer")

// RoundTrip implements [http.RoundTripper].
func (w written) RoundTrip(request *http.Request) (*http.Response, error) {
	conn := w.l.dial()
	// A server that has answered need not take the rest.
	if _, err := io.WriteString(conn, w.text); err == nil && w.last {
		_ = conn.CloseWrite()
	}
	answer := bufio.NewReader(conn)
	if _, err := answer.Peek(1); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnanswered, err)
	}
	response, err := http.ReadResponse(answer, request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, conn.Close()
}

// write sends bytes as they are, which are to be an upload, and holds the answer against the document: one
// of this status, as every answer to such bytes. The status 0 demands none.
func (l *lab) write(what, text string, last bool, status int) reply {
	l.t.Helper()
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.URL+"/user/upload_file/", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	var through http.RoundTripper = written{l, text, last}
	if status != http.StatusOK { // the document says what may succeed, and can't read it out of these bytes
		through = apitest.NewTransport(l.t, through)
	}
	response, err := through.RoundTrip(request)
	if errors.Is(err, errUnanswered) {
		if status != 0 {
			l.t.Errorf("%s: %v, and not %d", what, err, status)
		}
		return reply{}
	}
	if err != nil {
		l.t.Fatalf("%s: %v", what, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	if response.StatusCode != status {
		l.t.Errorf("%s: answers %d %s, and not %d", what, response.StatusCode, body, status)
	}
	if status >= http.StatusBadRequest && !response.Close {
		l.t.Errorf("%s: what comes after it would be taken for a request", what)
	}
	return reply{response.StatusCode, response.Header, body}
}

// measured is a body whose length is announced.
func measured(body []byte) string {
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// chunked is a body in chunks of so many bytes (RFC 9112, section 7.1), without the last chunk.
func chunked(body []byte, size int) string {
	var b strings.Builder
	b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String()
}

// download asks for the newest version, or another path, with a header.
func (l *lab) download(token, path string, header http.Header) reply {
	l.t.Helper()
	if path == "" {
		path = "/user/download_file/"
	}
	return l.ask(question{method: http.MethodGet, path: path, token: token, header: header})
}

// kept demands that the newest version is this, whole.
func (l *lab) kept(t testing.TB, what, token, content string) {
	t.Helper()
	if r := l.download(token, "", nil); r.status != http.StatusOK || string(r.body) != content {
		t.Errorf("%s: the download answers %d and %d bytes, not %d", what, r.status, len(r.body), len(content))
	}
}
