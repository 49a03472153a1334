package e2e_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"caesar/api/apitest"
	"caesar/internal/testbed"
)

// walk finds the commands that a README has its reader type behind a mark.
func walk(t *testing.T, readme, mark string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", readme))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("(?s)<!-- " + mark + " -->\n+```sh\n(.*?\n)```").FindSubmatch(text)
	if commands == nil {
		t.Fatalf("%s has no commands marked as %s", readme, mark)
	}
	return string(commands[1])
}

// TestTheFiveMinutesOfTheREADMEWork runs what the READMEs show as it stands there, against a server that
// was started as they say. Only where the server is and its folder are told otherwise.
func TestTheFiveMinutesOfTheREADMEWork(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := open(t, testbed.Env("CAESAR_CAPTCHA", "off")).shell(t, walk(t, name, "five-minutes"))
			comparePromise(t, said)
		})
	}
}

// TestTheBackupOfTheREADMEWorksAloneAndAfterTheFiveMinutes does so with the second walk: on a server as it
// comes, and on one where the first was taken.
func TestTheBackupOfTheREADMEWorksAloneAndAfterTheFiveMinutes(t *testing.T) {
	t.Parallel()
	const english, chinese = "README.md", "README.zh-CN.md"
	backup, first := walk(t, english, "backup-minutes"), walk(t, english, "five-minutes")
	if backup != walk(t, chinese, "backup-minutes") || first != walk(t, chinese, "five-minutes") {
		t.Error("the READMEs show different commands")
	}
	for name, run := range map[string]struct{ captcha, commands string }{
		"alone": {"on", backup}, "after the five minutes": {"off", first + backup},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := open(t, testbed.Env("CAESAR_CAPTCHA", run.captcha)).shell(t, run.commands)
			for _, want := range []string{`"name":"diary.txt"`, "diary-again.txt: OK\n", "\n{}\n"} {
				if !strings.Contains(said, want) {
					t.Errorf("nothing says %q\n%s", want, said)
				}
			}
		})
	}
}

// shell runs commands in an empty folder, as somebody who types them on the server's machine, and returns
// what they said. A command that fails fails the test.
func (l *lab) shell(t *testing.T, commands string) (said string) {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("the commands of the README can't be run here: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), answersWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-e", "-u", "-o", "pipefail")
	cmd.WaitDelay = time.Second // curl may outlive the shell
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "CAESAR="+l.watched(), "CAESAR_DATA="+l.Data)
	cmd.Stdin = strings.NewReader(commands)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// watched returns the address of a proxy before the server, which holds all that passes against the document.
func (l *lab) watched() string {
	l.t.Helper()
	to, err := url.Parse(l.URL)
	if err != nil {
		l.t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: apitest.NewTransport(l.t, l.base),
	})
	l.t.Cleanup(proxy.Close)
	return proxy.URL
}

// comparePromise demands what the README promises of the answers: an account that is listed, encrypted,
// opened, and has its log.
func comparePromise(t *testing.T, said string) {
	t.Helper()
	var listed, shown, logged bool
	for line := range strings.Lines(said) {
		var answer struct {
			Password string `json:"password"`
			Data     []struct {
				Type     *int   `json:"type"`
				Password string `json:"password"`
			} `json:"data"`
		}
		if json.Unmarshal([]byte(line), &answer) != nil {
			continue
		}
		switch rows := answer.Data; {
		case answer.Password != "":
			shown = !encString.MatchString(answer.Password)
		case len(rows) == 1 && rows[0].Type == nil:
			listed = encString.MatchString(rows[0].Password)
		case len(rows) == 2 && rows[0].Type != nil && rows[1].Type != nil:
			logged = *rows[0].Type == 1 && *rows[1].Type == 0
		}
	}
	if !listed || !shown || !logged {
		t.Errorf("seen encrypted in the list: %t; opened: %t; log of created and viewed: %t\n%s", listed, shown, logged, said)
	}
}
