package blob_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"caesar/internal/testbed"
)

// placeByTLS has this test binary be a process that keeps a blob in a store over TLS: which certificates
// are trusted is read once a process.
const placeByTLS = "CAESAR_TEST_BLOB_TLS"

// TestWriterByTLS is that process.
func TestWriterByTLS(t *testing.T) {
	place := os.Getenv(placeByTLS)
	if place == "" {
		t.Skip("runs as a process of another test only")
	}
	s := openS3(t, place) // which takes a store that it can't speak to for one that is down
	if err := s.Check(t.Context()); err != nil {
		_, _ = os.Stdout.WriteString("refused: " + err.Error() + "\n")
		return
	}
	for _, size := range []int{100, part + 1} {
		same(t, get(t, s, put(t, s, noise(size))), noise(size))
	}
	_, _ = os.Stdout.WriteString("kept\n")
}

func TestAStoreIsSpokenToByTLSAndHasToShowACertificateThatIsTrusted(t *testing.T) {
	t.Parallel()
	r := newRelay(t, testbed.S3(t))
	place, certificate := r.byTLS(t)
	for _, c := range []struct{ trusted, place, want string }{
		{certificate, place, "kept"},
		{"/dev/null", place, "refused: unavailable"},
		{certificate, strings.Replace(place, "127.0.0.1", "localhost", 1), "refused: unavailable"}, // it is of another name
	} {
		process := exec.Command(os.Args[0], "-test.run=^TestWriterByTLS$")
		process.Env = append(os.Environ(), placeByTLS+"="+c.place, "SSL_CERT_FILE="+c.trusted, "SSL_CERT_DIR=/dev/null")
		if out, err := process.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(c.want)) {
			t.Errorf("want %q: %v\n%s", c.want, err, out)
		}
	}
}
