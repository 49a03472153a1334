package wire_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"caesar/internal/httpd/wire"
)

// BenchmarkUploadRead reads files of 64 MiB from memory, in the blocks that a backup is kept in.
func BenchmarkUploadRead(b *testing.B) {
	const size = 64 << 20
	noise := make([]byte, size)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(noise); err != nil {
		b.Fatal(err)
	}
	line := strings.Repeat("x", 62) + "\r\n"
	for name, content := range map[string]string{"noise": string(noise), "zeros": string(make([]byte, size)), "lines": strings.Repeat(line, size/len(line))} {
		b.Run(name, func(b *testing.B) {
			boundary := strings.Repeat("-", 24) + "d74496d66958873e" // as curl sends it
			body := strings.NewReader(strings.ReplaceAll(parts(file("a", content)), "--xx", "--"+boundary))
			block := make([]byte, 64<<10)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := body.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				r := httptest.NewRequest(http.MethodPost, "/", body)
				r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
				u, err := wire.OpenUpload(httptest.NewRecorder(), r, "file")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, u, block); err != nil || n != size {
					b.Fatal(n, err)
				}
			}
		})
	}
}
