package mail_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"caesar/internal/mail"
	"caesar/internal/phrase"
	"caesar/internal/rootkey"
)

// every returns one letter of each kind.
func every(to mail.Address, name, code string, l phrase.Language) map[string]mail.Letter {
	day := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 8*3600))
	return map[string]mail.Letter{
		"activation":            mail.ActivationCode(to, name, code, 10*time.Minute, l),
		"reset":                 mail.ResetCode(to, name, code, 10*time.Minute, l),
		"member":                mail.MemberCode(to, code, 5*time.Minute, l),
		"closing":               mail.ClosingNotice(to, name, day, l),
		"erased":                mail.ErasedNotice(to, name, l),
		"email changed":         mail.EmailChangedNotice(to, name, l),
		"password changed":      mail.PasswordChangedNotice(to, name, l),
		"main password changed": mail.MainPasswordChangedNotice(to, name, l),
	}
}

func TestSealedLettersAreAllOfOneSize(t *testing.T) {
	t.Parallel()
	o := newOffice(t, &pouch{})
	want := len(o.Seal(mail.Nothing()))
	longest := address(t, strings.Repeat("&", 64)+"@"+strings.Repeat("b", 63)+"."+strings.Repeat("c", 63)+"."+strings.Repeat("d", 61))
	rapid.Check(t, func(rt *rapid.T) {
		to := rapid.SampledFrom([]mail.Address{address(t, "a@b"), longest}).Draw(rt, "to")
		name := rapid.StringOfN(rapid.Rune(), 1, 64, -1).Draw(rt, "name")
		language := rapid.SampledFrom([]phrase.Language{phrase.Chinese, phrase.English}).Draw(rt, "language")
		for kind, letter := range every(to, name, "123456", language) {
			if got := len(o.Seal(letter)); got != want {
				rt.Fatalf("%s is sealed to %d bytes, nothing to %d", kind, got, want)
			}
		}
	})
}

func TestSealedLetterOpensToWhatItWas(t *testing.T) {
	t.Parallel()
	o := newOffice(t, &pouch{})
	for kind, letter := range every(address(t, "A@b.c"), `“<李>&"`, "012345", phrase.English) {
		got, err := o.Open(o.Seal(letter))
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if got.ID == "" {
			t.Errorf("%s has no Message-ID", kind)
		}
		got.ID = ""
		if !got.ErasedOn.Equal(letter.ErasedOn) {
			t.Errorf("%s: day is %v, want %v", kind, got.ErasedOn, letter.ErasedOn)
		}
		got.ErasedOn = letter.ErasedOn
		if got != letter {
			t.Errorf("%s: got %+v, want %+v", kind, got, letter)
		}
	}
}

func TestQueueTellsNeitherCodeNorAddressNorName(t *testing.T) {
	t.Parallel()
	o := newOffice(t, &pouch{})
	sealed := o.Seal(mail.ResetCode(address(t, "alice@example.com"), "Alice Liddell", "271828", time.Minute, phrase.Chinese))
	for _, plain := range []string{"alice", "example", "Liddell", "271828"} {
		if bytes.Contains(sealed, []byte(plain)) {
			t.Errorf("the sealed letter tells %q", plain)
		}
	}
	if bytes.Equal(sealed, o.Seal(mail.ResetCode(address(t, "alice@example.com"), "Alice Liddell", "271828", time.Minute, phrase.Chinese))) {
		t.Error("the same letter seals to the same bytes")
	}
}

func TestAlteredOrForeignLetterIsNotOpened(t *testing.T) {
	t.Parallel()
	o := newOffice(t, &pouch{})
	sealed := o.Seal(mail.Nothing())
	for i := 0; i < len(sealed); i += 97 {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := o.Open(altered); err == nil {
			t.Fatalf("opened with byte %d altered", i)
		}
	}
	if _, err := newOffice(t, &pouch{}).Open(sealed); err == nil {
		t.Error("another server opened it")
	}
	if _, err := o.Open(nil); err == nil {
		t.Error("nothing at all was opened")
	}
}

// What is sealed under the right key may still be a letter of a later version.
func TestSealedContentThatIsNoLetterIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	root, err := rootkey.LoadOrCreate(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	post := mail.NewPost(root, nil, nil, mail.Address{}, "", time.Now, nil)
	for _, content := range []string{``, `{`, `[]`, `{"k":200,"c":"271828"}`, `{"k":1,"to":"271828 <a@b>"}`, `{"k":"271828"}`} {
		_, err := post.Open(root.Sealer("mail").Seal([]byte(content)))
		if err == nil {
			t.Errorf("%s was read", content)
		} else if strings.Contains(err.Error(), "271828") {
			t.Errorf("the error repeats the letter: %v", err)
		}
	}
}

func TestDefaultSenderIsAtThePublicHost(t *testing.T) {
	t.Parallel()
	for publicURL, want := range map[string]string{
		"https://vault.example.com:8443/x": "caesar@vault.example.com",
		"http://localhost:8888":            "caesar@localhost",
		"http://192.0.2.1:8888":            "caesar@localhost",
		"http://[2001:db8::1]/":            "caesar@localhost",
		"http://bad host/":                 "caesar@localhost",
		"":                                 "caesar@localhost",
	} {
		if got := mail.DefaultSender(publicURL).String(); got != want {
			t.Errorf("%q: %s, want %s", publicURL, got, want)
		}
	}
}
