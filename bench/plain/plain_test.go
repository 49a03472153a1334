package plain_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caesar/bench/plain"
)

func ask(t *testing.T, server *httptest.Server, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestAnAnswerIsAsLongAsItIsAskedFor(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(plain.Handler(t.TempDir()))
	defer server.Close()
	for path, want := range map[string]int{"/answer/0": 0, "/answer/1": 1, "/answer/10000": 10_000} {
		for range 2 {
			if status, answer := ask(t, server, "GET", path, ""); status != http.StatusOK || len(answer) != want {
				t.Errorf("%s: %d, %d bytes", path, status, len(answer))
			}
		}
	}
	for _, path := range []string{"/answer/-1", "/answer/x", "/answer/99999999999"} {
		if status, _ := ask(t, server, "GET", path, ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestAFileIsKeptAsItCameAndStaysInTheFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server := httptest.NewServer(plain.Handler(filepath.Join(folder, "files")))
	defer server.Close()
	if status, _ := ask(t, server, "PUT", "/files/a", "x"); status != http.StatusInternalServerError {
		t.Errorf("without a folder: %d", status)
	}
	if err := os.Mkdir(filepath.Join(folder, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if status, name := ask(t, server, "PUT", "/files/..%2fa", "content"); status != http.StatusOK || name != "a" {
		t.Errorf("%d %q", status, name)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "files", "a")); err != nil || string(text) != "content" {
		t.Errorf("%q, %v", text, err)
	}
	if status, _ := ask(t, server, "DELETE", "/files/a", ""); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	if _, err := os.Stat(filepath.Join(folder, "files", "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it is still there")
	}
	if status, _ := ask(t, server, "DELETE", "/files/a", ""); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
}

func TestAHashIsTheSameForEverybody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(plain.Handler(t.TempDir()))
	defer server.Close()
	_, first := ask(t, server, "GET", "/argon2id", "")
	_, second := ask(t, server, "GET", "/argon2id", "")
	if len(first) != 64 || first != second {
		t.Errorf("%q and %q", first, second)
	}
}

func TestItServesUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := plain.Serve(ctx, "127.0.0.1:0", t.TempDir()); err != nil {
		t.Error(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := plain.Serve(t.Context(), taken.Addr().String(), t.TempDir()); err == nil {
		t.Error("it serves where another one does")
	}
}
