// Package plain is a server that does the least that could be measured: it sends answers that it has made
// before, keeps files as they come, and hashes. It is what the machine and Go's HTTP server cost by
// themselves.
//
// What always holds: a file that it has answered is synced to the disk.
package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"caesar/internal/argon2id"
)

// MainPassword is what Caesar's main passwords cost by default.
var MainPassword = argon2id.Params{Passes: 3, MemoryKiB: 64 << 10, Lanes: 1}

// mostAnswer bounds the size of a prepared answer.
const mostAnswer = 16 << 20

// server is the plain server.
type server struct {
	folder  string
	hasher  *argon2id.Hasher
	answers sync.Map // of size to []byte
}

// Serve serves at host:port until ctx is done, with a folder for files that is there.
func Serve(ctx context.Context, address, folder string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	h := &http.Server{Handler: Handler(folder), ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = h.Close() })()
	if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Handler answers the requests.
func Handler(folder string) http.Handler {
	slots := runtime.GOMAXPROCS(0)
	s := &server{folder: folder, hasher: argon2id.NewHasher(slots, uint32(slots)*MainPassword.MemoryKiB)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /answer/{size}", s.answer)
	mux.HandleFunc("GET /argon2id", s.hash)
	mux.HandleFunc("PUT /files/{name}", s.keep)
	mux.HandleFunc("DELETE /files/{name}", s.remove)
	return mux
}

// answer sends so many bytes, made the first time that they are asked for.
func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	kept, ok := s.answers.Load(r.PathValue("size"))
	if !ok {
		size, err := strconv.Atoi(r.PathValue("size"))
		if err != nil || size < 0 || size > mostAnswer {
			http.Error(w, "no such size", http.StatusBadRequest)
			return
		}
		kept = []byte(strings.Repeat("x", size))
		s.answers.Store(r.PathValue("size"), kept)
	}
	body, _ := kept.([]byte)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) //nolint:gosec // made of one letter
}

// hash computes what a main password costs.
func (s *server) hash(w http.ResponseWriter, r *http.Request) {
	key, err := s.hasher.Key(r.Context(), []byte("seven-grey-herons"), []byte("salt and pepper"), MainPassword, 32)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%x", key)
}

// keep copies the body to a file, and answers its name.
func (s *server) keep(w http.ResponseWriter, r *http.Request) {
	name := filepath.Base(r.PathValue("name"))
	if err := keep(filepath.Join(s.folder, name), r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, name) //nolint:gosec // no browser asks
}

func keep(path string, body io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("keep file: %w", err)
	}
	if _, err = io.Copy(f, body); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (s *server) remove(w http.ResponseWriter, r *http.Request) {
	if err := os.Remove(filepath.Join(s.folder, filepath.Base(r.PathValue("name")))); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
	}
}
