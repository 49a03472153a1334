package mail_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/internal/mail"
	"caesar/internal/phrase"
)

// sent lets a worker send letters to an outbox, and returns the files by name.
func sent(t *testing.T, letters ...mail.Letter) (dir string, files map[string][]byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data", "outbox")
	outbox, err := mail.NewOutbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, outbox)
	for _, letter := range letters {
		o.queue(letter)
	}
	stop := o.work(t)
	waitFor(t, func() bool { return o.store.left() == 0 })
	stop()
	if o.log.Len() > 0 {
		t.Fatalf("logged: %s", o.log)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, entry := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = raw
	}
	return dir, files
}

// one sends one letter and returns what a mail program reads.
func one(t *testing.T, letter mail.Letter) read {
	t.Helper()
	_, files := sent(t, letter)
	if len(files) != 1 {
		t.Fatalf("%d files for one letter", len(files))
	}
	for _, raw := range files {
		return parse(t, raw)
	}
	panic("not reached")
}

func TestEveryKindOfLetterReadsWellInBothLanguages(t *testing.T) {
	t.Parallel()
	codes := map[string]string{"activation": "012345", "reset": "012345", "member": "0123"}
	for _, language := range []phrase.Language{phrase.Chinese, phrase.English} {
		for kind := range every(mail.Address{}, "", "", language) {
			t.Run(kind+" "+language.Tag(), func(t *testing.T) {
				t.Parallel()
				code := codes[kind]
				r := one(t, every(address(t, "Bob@example.com"), `王 <"B&b">`, code, language)[kind])
				if code != "" {
					if lines := strings.Split(r.text, "\n"); !slices.Contains(lines, "    "+code) {
						t.Errorf("the code is not on a line of its own:\n%s", r.text)
					}
					if !strings.Contains(r.html, ">"+code+"</p>") {
						t.Errorf("the code is not in the HTML:\n%s", r.html)
					}
				}
				if kind != "member" {
					if !strings.Contains(r.text, `“王 <"B&b">”`) || !strings.Contains(r.html, "“王 &lt;&#34;B&amp;b&#34;&gt;”") {
						t.Errorf("the name is not in quotes, or not escaped:\n%s\n%s", r.text, r.html)
					}
				}
				if kind == "closing" && !strings.Contains(r.text, "2026-03-04") {
					t.Errorf("the day is missing:\n%s", r.text)
				}
				chinese := strings.Contains(r.subject, "凯撒密码") && strings.Contains(r.text, "请勿回复")
				if chinese != (language == phrase.Chinese) || !strings.Contains(r.html, `lang="`+language.Tag()+`"`) {
					t.Errorf("wrong language: %q\n%s", r.subject, r.text)
				}
				for _, body := range []string{r.subject, r.text, r.html} {
					if strings.Contains(body, "%!") || strings.Contains(body, "<no value>") || strings.Contains(body, "ZgotmplZ") {
						t.Errorf("badly filled in: %s", body)
					}
				}
				if !strings.Contains(r.text, "https://vault.example") {
					t.Errorf("the server is not named:\n%s", r.text)
				}
			})
		}
	}
}

func TestHeadersAreThoseOfAnAutomaticMail(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Second)
	r := one(t, mail.ResetCode(address(t, "Bob@example.com"), "bob", "012345", 10*time.Minute, phrase.Chinese))
	for name, want := range map[string]string{
		"To": "<Bob@example.com>", "Auto-Submitted": "auto-generated", "Content-Language": "zh-CN", "MIME-Version": "1.0",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	from, err := r.header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != "caesar@vault.example" || from[0].Name != "凯撒密码" {
		t.Errorf("From is %v, %v", from, err)
	}
	if !strings.HasPrefix(r.header.Get("Subject"), "=?UTF-8?") {
		t.Errorf("Subject is not encoded: %q", r.header.Get("Subject"))
	}
	if date, err := r.header.Date(); err != nil || date.Before(before) || date.After(time.Now()) {
		t.Errorf("Date is %v, %v", date, err)
	}
	if id := r.header.Get("Message-ID"); !regexp.MustCompile(`^<[A-Za-z]{26}@vault\.example>$`).MatchString(id) {
		t.Errorf("Message-ID is %q", id)
	}
	for name := range r.header {
		if !slices.Contains([]string{"To", "From", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "Auto-Submitted", "Content-Language"}, name) {
			t.Errorf("header %s: %q is not expected", name, r.header.Get(name))
		}
	}
}

func TestNothingAUserTypedReachesAHeader(t *testing.T) {
	t.Parallel()
	name := "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>\u202e"
	for kind, letter := range every(address(t, "bob@example.com"), name, "012345", phrase.English) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := one(t, letter)
			if r.header.Get("Bcc") != "" {
				t.Error("a name made a header")
			}
			for header, values := range r.header {
				if strings.Contains(strings.Join(values, ""), "victim") {
					t.Errorf("the name is in %s", header)
				}
			}
			if strings.Contains(r.html, "<script") {
				t.Error("a name made a tag")
			}
			if strings.ContainsAny(r.text+r.html, "\u202e\r") || strings.Contains(r.text, "\nBcc") {
				t.Errorf("a name broke or turned round the text:\n%s", r.text)
			}
		})
	}
}

// Who looks for the code with a regular expression, in the file as it lies, finds it and nothing else.
func TestOnlyTheCodeLooksLikeACode(t *testing.T) {
	t.Parallel()
	_, files := sent(t, mail.ActivationCode(address(t, "bob@example.com"), "bob", "012345", 10*time.Minute, phrase.Chinese))
	for _, raw := range files {
		if got := regexp.MustCompile(`[0-9]{6,}`).FindAllString(string(raw), -1); !slices.Equal(got, []string{"012345", "012345"}) {
			t.Errorf("six digits or more: %v", got)
		}
		if !strings.Contains(string(raw), "您正在激活账号“bob”") {
			t.Error("the text does not read as it lies")
		}
	}
	member := one(t, mail.MemberCode(address(t, "bob@example.com"), "0123", 5*time.Minute, phrase.English))
	for _, body := range []string{member.text, member.html} {
		if got := regexp.MustCompile(`[0-9]{4,}`).FindAllString(body, -1); !slices.Equal(got, []string{"0123"}) {
			t.Errorf("four digits or more: %v", got)
		}
	}
}

func TestCodeTellsUntilWhenItHolds(t *testing.T) {
	t.Parallel()
	before := time.Now()
	r := one(t, mail.ResetCode(address(t, "bob@example.com"), "bob", "012345", 10*time.Minute, phrase.English))
	found := regexp.MustCompile(`Valid for 10 min, until (\d\d:\d\d UTC[+-]\d\d:\d\d)\. It works once\.`).FindStringSubmatch(r.text)
	if found == nil {
		t.Fatalf("no time in:\n%s", r.text)
	}
	early, late := before.Add(10*time.Minute), time.Now().Add(10*time.Minute)
	const layout = "15:04 UTC-07:00"
	if found[1] != early.Format(layout) && found[1] != late.Format(layout) {
		t.Errorf("until %s, want %s", found[1], early.Format(layout))
	}
}

func TestOutboxIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes on Windows")
	}
	dir, files := sent(t, mail.ErasedNotice(address(t, "bob@example.com"), "bob", phrase.English))
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	for name := range files {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestMailThatIsSentTwiceIsThereOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outbox, err := mail.NewOutbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := mail.Rendered{ID: "abc", Date: time.Unix(1_800_000_000, 0), To: address(t, "a@b"), Subject: "s", Text: "t", HTML: "h"}
	for range 2 {
		if err := outbox.Send(t.Context(), address(t, "c@d"), m); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "20270115T080000Z-abc.eml" {
		t.Fatalf("outbox holds %v, %v", entries, err)
	}
}

func TestOutboxThatCannotBeWrittenKeepsTheMailForLater(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "outbox")
	outbox, err := mail.NewOutbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	m := mail.Rendered{ID: "abc", Date: time.Now(), To: address(t, "alice@b"), Subject: "s", Text: "t", HTML: "h"}
	err = outbox.Send(t.Context(), address(t, "c@d"), m)
	var failure *mail.SendError
	if !errors.As(err, &failure) || failure.Permanent || !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error is %v", err)
	}
	if strings.Contains(err.Error(), "alice") {
		t.Fatalf("the error names the recipient: %v", err)
	}
	if _, err := mail.NewOutbox("/dev/null/outbox"); err == nil {
		t.Error("an outbox that cannot be made was made")
	}
}

func TestWhatACrashLeftInTheOutboxIsDeletedWhenItIsOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := time.Now().Add(-2 * time.Minute)
	for name, changed := range map[string]time.Time{".new-1": old, ".new-2": time.Now(), "1.eml": old} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := mail.NewOutbox(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if want := []string{".new-2", "1.eml"}; !slices.Equal(left, want) {
		t.Errorf("%q are left, and not %q", left, want)
	}
}
