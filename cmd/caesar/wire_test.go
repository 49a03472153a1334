package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caesar/internal/settings"
)

// refused runs serve where it can't start, and returns what it says on the way out.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	p := &program{stdout: &out, stderr: &out}
	if got := p.Run(t.Context(), append([]string{"serve"}, args...)); got != failed {
		t.Errorf("the answer is %d", got)
	}
	if said := out.String(); strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "caesar: ") {
		t.Errorf("it is not told in one line:\n%s", said)
	}
	return out.String()
}

func TestAnAddressInUseIsOneClearLineAndLeavesTheFolderAlone(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	folder := filepath.Join(t.TempDir(), "data")
	said := refused(t, "--listen", listener.Addr().String(), "--data", folder)
	if !strings.Contains(said, listener.Addr().String()) || !strings.Contains(said, "another program") {
		t.Error(said)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the data folder was touched: %v", err)
	}
}

func TestARootKeyThatOthersMayReadIsOneClearLine(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "root.key")
	if err := os.WriteFile(key, []byte("c2VjcmV0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	said := refused(t, "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--root-key-file", key)
	if !strings.Contains(said, "chmod 600 "+key) || strings.Contains(said, "c2VjcmV0") {
		t.Error(said)
	}
}

func TestADataFolderThatCannotBeMadeIsOneClearLine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := refused(t, "--listen", "127.0.0.1:0", "--data", filepath.Join(file, "data")); !strings.Contains(said, file) {
		t.Error(said)
	}
}

func TestMailsComeFromWhoIsNamedNearest(t *testing.T) {
	t.Parallel()
	const smtp = "smtp://ada:hunter2@127.0.0.1:2525"
	for _, c := range []struct{ smtp, mailFrom, publicURL, from, where string }{
		{"", "", "", "caesar@localhost", "outbox"},
		{"", "", "https://vault.example.org", "caesar@vault.example.org", "outbox"},
		{smtp + "?from=url@example.org", "", "https://vault.example.org", "url@example.org", "smtp://127.0.0.1:2525"},
		{smtp + "?from=url@example.org", "set@example.org", "", "set@example.org", "smtp://127.0.0.1:2525"},
	} {
		s := &settings.Settings{Data: t.TempDir(), SMTP: settings.NewSecret(c.smtp), MailFrom: c.mailFrom, PublicURL: c.publicURL}
		got, err := newCourier(s, "http://localhost:8888")
		if err != nil {
			t.Fatal(err)
		}
		if got.from.String() != c.from || filepath.Base(got.where) != filepath.Base(c.where) || strings.Contains(got.where, "hunter2") {
			t.Errorf("%+v: from %s, to %s", c, got.from, got.where)
		}
	}
}

func TestTheURLIsTheNameThatWasAskedForWithThePortThatWasGot(t *testing.T) {
	t.Parallel()
	got := &net.TCPAddr{IP: net.IPv6loopback, Port: 4711}
	for listen, want := range map[string]string{
		"localhost:0": "http://localhost:4711",
		":0":          "http://localhost:4711",
		"0.0.0.0:0":   "http://localhost:4711",
		"[::]:0":      "http://localhost:4711",
		"[::1]:0":     "http://[::1]:4711",
		"10.1.2.3:0":  "http://10.1.2.3:4711",
	} {
		if url := reached(listen, got); url != want {
			t.Errorf("%s: %s, not %s", listen, url, want)
		}
	}
}

// A server that could not be put together holds nothing open: its address is free again.
func TestAFailedStartFreesItsAddress(t *testing.T) {
	t.Parallel()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s := &settings.Settings{Listen: address, Data: "/dev/null/x"}
	if _, err := wire(context.Background(), s, nil); err == nil {
		t.Fatal("it started")
	}
	again, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("the address is still held: %v", err)
	}
	_ = again.Close()
}
