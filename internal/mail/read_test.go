package mail_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
)

// read is a mail as a mail program reads it.
type read struct {
	header     netmail.Header
	subject    string
	text, html string
}

// parse reads a mail with the standard library alone.
func parse(t *testing.T, raw []byte) read {
	t.Helper()
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") || len(line) > 998 {
			t.Fatalf("a line that no mail may have (RFC 5322, section 2.1.1): %.80q", line)
		}
	}
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("read mail: %v", err)
	}
	r := read{header: msg.Header}
	if r.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		t.Fatalf("decode subject: %v", err)
	}
	mediaType, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/alternative" {
		t.Fatalf("content type is %q, %v", mediaType, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	r.text = part(t, parts, "text/plain")
	r.html = part(t, parts, "text/html")
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Fatalf("after text and HTML: %v", err)
	}
	return r
}

func part(t *testing.T, parts *multipart.Reader, want string) string {
	t.Helper()
	p, err := parts.NextRawPart()
	if err != nil {
		t.Fatalf("next part: %v", err)
	}
	mediaType, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil || mediaType != want || !strings.EqualFold(params["charset"], "utf-8") {
		t.Fatalf("part is %q, %v, %v; want %s in UTF-8", mediaType, params, err, want)
	}
	var body io.Reader = p
	switch encoding := strings.ToLower(p.Header.Get("Content-Transfer-Encoding")); encoding {
	case "8bit":
	case "quoted-printable":
		body = quotedprintable.NewReader(p)
	default:
		t.Fatalf("transfer encoding is %q", encoding)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("read %s: %v", want, err)
	}
	return strings.ReplaceAll(string(content), "\r\n", "\n")
}
