package e2e_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"caesar/internal/testbed"
)

// endless is content of any length, which can be read at any place without ever being held.
type endless struct{ seed uint64 }

// endlessBlock is how many bytes of it are made at once.
const endlessBlock = 32 << 10

// ReadAt implements [io.ReaderAt].
func (e endless) ReadAt(p []byte, off int64) (int, error) {
	var block [endlessBlock]byte
	for n := 0; n < len(p); {
		at := off + int64(n)
		var seed [32]byte
		binary.LittleEndian.PutUint64(seed[:], e.seed)
		binary.LittleEndian.PutUint64(seed[8:], uint64(at/endlessBlock))
		source := rand.NewChaCha8(seed)
		if at%endlessBlock == 0 && len(p)-n >= endlessBlock {
			_, _ = source.Read(p[n : n+endlessBlock]) // it never fails
			n += endlessBlock
			continue
		}
		_, _ = source.Read(block[:])
		n += copy(p[n:], block[at%endlessBlock:])
	}
	return len(p), nil
}

// file is its first bytes.
func (e endless) file(size int64) *io.SectionReader { return io.NewSectionReader(e, 0, size) }

// sha256Of returns the hash of a file in hex.
func sha256Of(t testing.TB, file io.Reader) string {
	t.Helper()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// What an upload or a download may take of memory above that of a server at rest, in bytes, whatever the size
// of the file. An upload to an S3 store holds two parts of 8 MiB whole, as the store wants to know their
// hashes first.
const (
	mostAboveIdle   = 16 << 20
	mostAboveIdleS3 = mostAboveIdle + 32<<20
)

// A whole gibibyte goes through the program as people get it, and comes back in pieces.
func TestAGibibyteIsKeptAndBroughtBackInPiecesInLittleMemory(t *testing.T) {
	t.Parallel()
	const size int64 = 1 << 30
	l := open(t, append(quick(), testbed.Shipped())...)
	m := l.member()
	content := endless{1}
	want := sha256Of(t, content.file(size))

	idle := l.idleMemory(t, m)
	began := time.Now()
	version, err := m.Upload(t.Context(), "1GiB.bin", content.file(size))
	if err != nil {
		t.Fatal(err)
	}
	if version.Size != size || version.SHA256 != want {
		t.Errorf("kept is %+v, and sent was %s", version, want)
	}
	took := time.Since(began)
	l.withinMemory(t, "the upload", idle)
	t.Logf("uploaded at %d MiB/s", size/int64(1<<20)*int64(time.Second)/int64(took))

	idle = l.idleMemory(t, m)
	began = time.Now()
	if got := sha256Of(t, &pieces{l: l.in(t), token: m.token, size: size, each: 61<<20 + 12345}); got != want {
		t.Errorf("brought back is %s, and sent was %s", got, want)
	}
	took = time.Since(began)
	l.withinMemory(t, "the download", idle)
	t.Logf("downloaded at %d MiB/s", size/int64(1<<20)*int64(time.Second)/int64(took))

	for range 50 {
		first := rand.Int64N(size - 100_000)
		r := l.download(m.token, "", http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", first, first+99_999)}})
		there := make([]byte, 100_000)
		if _, err := content.ReadAt(there, first); err != nil || r.status != 206 || string(r.body) != string(there) {
			t.Errorf("the range from %d on answers %d and other bytes, %v", first, r.status, err)
		}
	}
	l.withinMemory(t, "a random range", idle)
}

// idleMemory starts the server anew, so that nothing that was done before counts, and returns the most memory
// that it has taken when it has answered something small.
func (l *lab) idleMemory(t *testing.T, m *member) (peak int64) {
	t.Helper()
	l.Restart()
	if _, err := m.Member.Profile(t.Context()); err != nil {
		t.Fatal(err)
	}
	return peakMemory(t, l.Pid())
}

func (l *lab) withinMemory(t *testing.T, what string, idle int64) {
	t.Helper()
	peak := peakMemory(t, l.Pid())
	t.Logf("%s took %.1f MiB above the %.1f MiB of a server at rest", what, float64(peak-idle)/(1<<20), float64(idle)/(1<<20))
	most := int64(mostAboveIdle)
	if l.OnS3() {
		most = mostAboveIdleS3
	}
	if peak-idle > most {
		t.Errorf("%s took more than %d MiB above a server at rest", what, most>>20)
	}
}

// pieces reads the newest version by one range after another.
type pieces struct {
	l     *lab
	token string
	size  int64
	each  int64
	at    int64
	piece io.ReadCloser
}

// Read implements [io.Reader].
func (p *pieces) Read(b []byte) (int, error) {
	for {
		if p.piece == nil {
			if p.at == p.size {
				return 0, io.EOF
			}
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		n, err := p.piece.Read(b)
		p.at += int64(n)
		if err == io.EOF {
			err, p.piece = p.piece.Close(), nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (p *pieces) next() error {
	request, err := http.NewRequestWithContext(p.l.t.Context(), http.MethodGet, p.l.URL+"/user/download_file/", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", p.at, p.at+p.each-1))
	response, err := p.l.http.Do(request)
	if err != nil {
		return err
	}
	if p.piece = response.Body; response.StatusCode != http.StatusPartialContent {
		return fmt.Errorf("the range from %d on: %s", p.at, response.Status)
	}
	return nil
}
