package testbed

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"caesar/internal/phrase"
)

// mailsWithin is how long a mail may take from the request that caused it to its file.
const mailsWithin = 10 * time.Second

// Mail is a mail as its reader's program shows it.
type Mail struct {
	To, Subject string
	Text, HTML  string
	Header      mail.Header
}

// Mails waits until at least so many mails to an address lie in the outbox, and returns all of them, the
// oldest first: by when they were queued, to the second, and then by when they were written.
func (s *Server) Mails(address string, least int) []Mail {
	s.t.Helper()
	var mails []Mail
	for deadline := time.Now().Add(mailsWithin); ; {
		mails = mails[:0]
		for _, m := range s.outbox() {
			if m.To == address {
				mails = append(mails, m)
			}
		}
		if len(mails) >= least {
			return mails
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("testbed: %d mails came to %s within %v, not %d", len(mails), address, mailsWithin, least)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// subjects are what the mails with codes are about, by the operations in which the codes serve, named as
// in the type of PUT /api/email; those of GET /user/captcha/ are for a member.
var subjects = map[string]phrase.Phrase{
	"activation": phrase.MailActivationSubject,
	"password":   phrase.MailResetSubject,
	"member":     phrase.MailMemberSubject,
}

// codeLine is the line of a mail's text on which the code stands alone.
var codeLine = regexp.MustCompile(`(?m)^ *(\d{4,6}) *\r?$`)

// Code waits for a mail to an address with a code for a purpose, activation, password or member, and
// returns the code of the newest one that is there.
func (s *Server) Code(address, purpose string) string {
	s.t.Helper()
	subject, ok := subjects[purpose]
	if !ok {
		s.t.Fatalf("testbed: no mail brings a code for %q", purpose)
	}
	for deadline := time.Now().Add(mailsWithin); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, m := range slices.Backward(s.outbox()) {
			if m.To != address || (m.Subject != subject.In(phrase.Chinese) && m.Subject != subject.In(phrase.English)) {
				continue
			}
			if code := codeLine.FindStringSubmatch(m.Text); code != nil {
				return code[1]
			}
			s.t.Fatalf("testbed: no code stands in the mail:\n%s", m.Text)
		}
	}
	s.t.Fatalf("testbed: no code for %s came to %s within %v", purpose, address, mailsWithin)
	return ""
}

// outbox returns every mail, in order.
func (s *Server) outbox() []Mail {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.Data, "outbox", "*.eml"))
	if err != nil {
		s.t.Fatalf("testbed: %v", err)
	}
	type file struct {
		second  string // the name up to its first dash
		written time.Time
		mail    Mail
	}
	var files []file
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			s.t.Fatalf("testbed: %v", err)
		}
		m, err := readMail(path)
		if err != nil {
			s.t.Fatalf("testbed: read mail %s: %v", filepath.Base(path), err)
		}
		second, _, _ := strings.Cut(filepath.Base(path), "-")
		files = append(files, file{second, info.ModTime(), m})
	}
	slices.SortFunc(files, func(a, b file) int {
		if c := strings.Compare(a.second, b.second); c != 0 {
			return c
		}
		return a.written.Compare(b.written)
	})
	var mails []Mail
	for _, f := range files {
		mails = append(mails, f.mail)
	}
	return mails
}

func readMail(path string) (Mail, error) {
	f, err := os.Open(path)
	if err != nil {
		return Mail{}, err
	}
	defer func() { _ = f.Close() }()
	message, err := mail.ReadMessage(f)
	if err != nil {
		return Mail{}, err
	}
	to, err := message.Header.AddressList("To")
	if err != nil || len(to) != 1 {
		return Mail{}, fmt.Errorf("it goes to %d addresses: %w", len(to), err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return Mail{}, err
	}
	m := Mail{To: to[0].Address, Subject: subject, Header: message.Header}
	err = m.addPart(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	return m, err
}

// addPart reads a part of a mail (RFC 2045, sections 5 and 6), and the parts in it.
func (m *Mail) addPart(contentType, encoding string, body io.Reader) error {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("read content type: %w", err)
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		parts := multipart.NewReader(body, parameters["boundary"])
		for {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read part: %w", err)
			}
			if err := m.addPart(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read %s: %w", mediaType, err)
	}
	switch mediaType {
	case "text/plain":
		m.Text += string(content)
	case "text/html":
		m.HTML += string(content)
	}
	return nil
}
