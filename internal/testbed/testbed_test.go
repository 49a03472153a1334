package testbed_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caesar/internal/testbed"
)

// answers reports whether a server is there.
func answers(t *testing.T, server *testbed.Server) bool {
	t.Helper()
	response, err := http.Get(server.URL + "/healthz")
	if err != nil {
		return false
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode == http.StatusOK
}

func TestAServerIsReadyWhenStartReturnsAndGoneWhenItIsStopped(t *testing.T) {
	t.Parallel()
	server := testbed.Start(t)
	if !answers(t, server) {
		t.Error("it does not answer")
	}
	server.Stop()
	if answers(t, server) {
		t.Error("it answers although it was stopped")
	}
	if !strings.Contains(server.Log(), "msg=stopped") {
		t.Error("it did not stop in order")
	}
}

func TestAKilledServerComesBackOnItsPortAndFolder(t *testing.T) {
	t.Parallel()
	server := testbed.Start(t, testbed.Env("CAESAR_LOG_FORMAT", "json"))
	url, pid := server.URL, server.Pid()
	server.Kill()
	server.Restart()
	if server.URL != url || server.Pid() == pid || !answers(t, server) {
		t.Errorf("it was %s, process %d, and is %s, process %d", url, pid, server.URL, server.Pid())
	}
	if strings.Contains(server.Log(), "stopped") || strings.Count(server.Log(), `"listening"`) != 2 {
		t.Error("it was not killed, or the log of a start is lost")
	}
}

func TestOptionsReachTheProgramAndTheEnvironmentDoesNot(t *testing.T) {
	t.Setenv("CAESAR_BOGUS", "would stop it from starting")
	folder := t.TempDir()
	server := testbed.Start(t, testbed.Folder(folder), testbed.Env("CAESAR_CAPTCHA", "off"), testbed.Args("--log-level", "debug"))
	if server.Data != folder || !strings.Contains(server.Log(), "captcha is off") {
		t.Error("the options were lost")
	}
}

func TestMailsAreReadFromTheOutboxInOrder(t *testing.T) {
	t.Parallel()
	server := testbed.Start(t)
	outbox := filepath.Join(server.Data, "outbox")
	if err := os.MkdirAll(outbox, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"20261101T100001Z-b.eml": eml("ada@example.org", "=?utf-8?q?=E5=87=AF=E6=92=92=E5=AF=86=E7=A0=81=EF=BC=9A=E6=BF=80=E6=B4=BB=E7=A0=81?=", "222222"),
		"20261101T100000Z-c.eml": eml("ada@example.org", "Caesar: your activation code", "111111"),
		"20261101T100002Z-a.eml": eml("bob@example.org", "Caesar: your activation code", "333333"),
		"20261101T100003Z-d.eml": eml("ada@example.org", "Caesar: your code for a new login password", "444444"),
	} {
		if err := os.WriteFile(filepath.Join(outbox, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mails := server.Mails("ada@example.org", 3)
	if len(mails) != 3 || !strings.Contains(mails[0].Text, "111111") || !strings.Contains(mails[2].HTML, "<p>äccount 444444</p>") {
		t.Errorf("%+v", mails)
	}
	if got := server.Code("ada@example.org", "activation"); got != "222222" {
		t.Errorf("the newest activation code is %s", got)
	}
	if got := server.Code("ada@example.org", "password"); got != "444444" {
		t.Errorf("the newest code for a password is %s", got)
	}
}

// eml is a mail in two forms, of different encodings.
func eml(to, subject, code string) string {
	return strings.ReplaceAll(`From: caesar@localhost
To: <`+to+`>
Subject: `+subject+`
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=UTF-8

The code for “Ada 9999”:

    `+code+`

--b
Content-Type: text/html; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

<p>=C3=A4ccount =
`+code+`</p>
--b--
`, "\n", "\r\n")
}
