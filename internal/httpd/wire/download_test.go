package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"caesar/internal/httpd/wire"
)

// memory is a content that breaks at a byte, if it is told one.
type memory struct {
	*bytes.Reader
	breaksAt int64
}

var errBroken = errors.New("sealed content was altered")

func (m *memory) Read(p []byte) (int, error) {
	at, _ := m.Seek(0, io.SeekCurrent)
	if m.breaksAt > 0 && at+int64(len(p)) > m.breaksAt {
		if at >= m.breaksAt {
			return 0, errBroken
		}
		p = p[:m.breaksAt-at]
	}
	return m.Reader.Read(p)
}

func (m *memory) CopyTo(w io.Writer, n int64) (int64, error) {
	return io.CopyN(struct{ io.Writer }{w}, struct{ io.Reader }{m}, n)
}

var content = bytes.Repeat([]byte("0123456789"), 100_000)

const etag = `"aaaa"`

var uploaded = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// serve answers for a file, with headers given as name, value, name, value.
func serve(method string, breaksAt int64, headers ...string) (w *httptest.ResponseRecorder, exchange *wire.Exchange, panicked any) {
	r := httptest.NewRequest(method, "/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	exchange = &wire.Exchange{}
	w = httptest.NewRecorder()
	defer func() { panicked = recover() }()
	wire.ServeContent(w, r.WithContext(wire.WithExchange(r.Context(), exchange)), wire.Download{
		Name: "a.html", Size: int64(len(content)), ETag: etag, Modified: uploaded,
	}, &memory{bytes.NewReader(content), breaksAt}, wire.Fail)
	return w, exchange, nil
}

func TestAFileIsAnsweredWholeOrInTheRangesAskedFor(t *testing.T) {
	t.Parallel()
	day := uploaded.Format(http.TimeFormat)
	before, later := uploaded.Add(-time.Hour).Format(http.TimeFormat), uploaded.Add(time.Hour).Format(http.TimeFormat)
	for name, c := range map[string]struct {
		headers      []string
		status       int
		body         string
		contentRange string
	}{
		"whole":                       {nil, 200, string(content), ""},
		"a range":                     {[]string{"Range", "bytes=5-14"}, 206, "5678901234", "bytes 5-14/1000000"},
		"from a byte":                 {[]string{"Range", "bytes=999998-"}, 206, "89", "bytes 999998-999999/1000000"},
		"the last":                    {[]string{"Range", "bytes=-3"}, 206, "789", "bytes 999997-999999/1000000"},
		"beyond the end":              {[]string{"Range", "bytes=999999-2000000"}, 206, "9", "bytes 999999-999999/1000000"},
		"another unit":                {[]string{"Range", "lines=1-2"}, 200, string(content), ""},
		"if it is this one":           {[]string{"Range", "bytes=0-0", "If-Range", etag}, 206, "0", "bytes 0-0/1000000"},
		"if it were another":          {[]string{"Range", "bytes=0-0", "If-Range", `"bbbb"`}, 200, string(content), ""},
		"if it is of that time":       {[]string{"Range", "bytes=0-0", "If-Range", day}, 200, string(content), ""}, // another may be, too
		"if it is weakly this one":    {[]string{"Range", "bytes=0-0", "If-Range", "W/" + etag}, 200, string(content), ""},
		"known":                       {[]string{"If-None-Match", `"bbbb", ` + etag}, 304, "", ""},
		"known weakly":                {[]string{"If-None-Match", "W/" + etag}, 304, "", ""},
		"known since":                 {[]string{"If-Modified-Since", day}, 200, string(content), ""},
		"known since later":           {[]string{"If-Modified-Since", later}, 200, string(content), ""},
		"known, of another time":      {[]string{"If-None-Match", etag, "If-Modified-Since", before}, 304, "", ""},
		"demanded of before":          {[]string{"If-Unmodified-Since", before}, 200, string(content), ""},
		"not known":                   {[]string{"If-None-Match", `"bbbb"`, "If-Modified-Since", day}, 200, string(content), ""},
		"demanded":                    {[]string{"If-Match", etag}, 200, string(content), ""},
		"another demanded":            {[]string{"If-Match", `"bbbb"`}, 412, "", ""},
		"a known one, and a range":    {[]string{"If-None-Match", etag, "Range", "bytes=0-0"}, 304, "", ""},
		"ranges that are the whole":   {[]string{"Range", "bytes=0-999999,0-999999"}, 200, string(content), ""},
		"a range that ends before it": {[]string{"Range", "bytes=9-5"}, 416, "", "bytes */1000000"},
		"a range after the end":       {[]string{"Range", "bytes=1000000-"}, 416, "", "bytes */1000000"},
		"a range of nonsense":         {[]string{"Range", "bytes=x"}, 416, "", "bytes */1000000"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w, exchange, panicked := serve(method, 0, c.headers...)
			header := w.Header()
			if w.Code != c.status || header.Get("Content-Range") != c.contentRange || panicked != nil {
				t.Errorf("%s %s: got %d %v %v", method, name, w.Code, header, panicked)
			}
			if w.Code == 416 {
				if !strings.Contains(w.Body.String(), `"error":"range_not_satisfiable"`) || header.Get("Content-Type") != "application/json; charset=utf-8" || header.Get("ETag")+header.Get("Content-Disposition") != "" {
					t.Errorf("%s %s: got %v %s", method, name, header, w.Body)
				}
				continue
			}
			if body := w.Body.String(); (method == http.MethodGet && body != c.body) || (method == http.MethodHead && body != "") {
				t.Errorf("%s %s: got %d bytes", method, name, len(body))
			}
			if header.Get("ETag") != etag || exchange.Problem() != nil {
				t.Errorf("%s %s: got %v, %v", method, name, header, exchange.Problem())
			}
			if w.Code < 300 && (header.Get("Content-Type") != "application/octet-stream" || header.Get("X-Content-Type-Options") != "nosniff" ||
				header.Get("Content-Disposition") != `attachment; filename="a.html"` || header.Get("Cache-Control") != "private, no-cache" ||
				header.Get("Accept-Ranges") != "bytes" || header.Get("Last-Modified") != day) {
				t.Errorf("%s %s: got %v", method, name, header)
			}
		}
	}
}

func TestManyRangesComeAsParts(t *testing.T) {
	t.Parallel()
	w, _, _ := serve(http.MethodGet, 0, "Range", "bytes=0-1,500000-600000,-2")
	media, params, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil || w.Code != 206 || media != "multipart/byteranges" {
		t.Fatalf("got %d %v", w.Code, w.Header())
	}
	reader := multipart.NewReader(w.Body, params["boundary"])
	for _, want := range []struct{ contentRange, body string }{
		{"bytes 0-1/1000000", "01"}, {"bytes 500000-600000/1000000", string(content[500000:600001])}, {"bytes 999998-999999/1000000", "89"},
	} {
		part, err := reader.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil || string(body) != want.body || part.Header.Get("Content-Range") != want.contentRange {
			t.Errorf("got %d bytes as %v, %v", len(body), part.Header, err)
		}
	}
}

func TestAFileThatBreaksIsCutAndLogged(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{nil, {"Range", "bytes=10-"}, {"Range", "bytes=0-1,500000-600000"}} {
		w, exchange, panicked := serve(http.MethodGet, 500_100, headers...)
		if err, ok := panicked.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("%v: the answer ends as if it were whole: %v", headers, panicked)
		}
		if !errors.Is(exchange.Problem(), errBroken) {
			t.Errorf("%v: the log is told %v", headers, exchange.Problem())
		}
		if body := w.Body.Bytes(); len(body) > 500_500 {
			t.Errorf("%v: got %d bytes", headers, len(body))
		}
	}
}

// slow takes so much and then hangs up.
type slow struct {
	*httptest.ResponseRecorder
	most int
}

func (s *slow) Write(b []byte) (int, error) {
	if s.most -= len(b); s.most < 0 {
		return 0, errors.New("connection reset")
	}
	return s.ResponseRecorder.Write(b)
}

func TestAClientThatHangsUpIsNoProblemOfTheFile(t *testing.T) {
	t.Parallel()
	for _, ranges := range []string{"", "bytes=1-", "bytes=0-1,2-600000,-2"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Range", ranges)
		exchange := &wire.Exchange{}
		held := &memory{bytes.NewReader(content), 0}
		wire.ServeContent(&slow{httptest.NewRecorder(), 300_000}, r.WithContext(wire.WithExchange(r.Context(), exchange)), wire.Download{
			Name: "a", Size: int64(len(content)), ETag: etag, Modified: uploaded,
		}, held, wire.Fail)
		held.Reset(nil) // nobody may read any more: the race detector tells
		if exchange.Problem() != nil {
			t.Errorf("%q: got %v", ranges, exchange.Problem())
		}
	}
}

func TestANameComesBackAsAnAttachment(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"response.txt":       `attachment; filename="response.txt"`,
		"a b;c.txt":          `attachment; filename="a b;c.txt"`,
		"备份😀.html":           `attachment; filename="___.html"; filename*=UTF-8''%E5%A4%87%E4%BB%BD%F0%9F%98%80.html`,
		`a"b\c%41.txt`:       `attachment; filename="a_b_c_41.txt"; filename*=UTF-8''a%22b%5Cc%2541.txt`,
		"x\r\nSet-Cookie: y": `attachment; filename="x__Set-Cookie: y"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20y`,
		"\xff":               `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`,
	} {
		w := httptest.NewRecorder()
		wire.ServeContent(w, httptest.NewRequest(http.MethodGet, "/", nil), wire.Download{Name: name, ETag: etag}, &memory{bytes.NewReader(nil), 0}, wire.Fail)
		if got := w.Header().Get("Content-Disposition"); got != want {
			t.Errorf("%q: got %s", name, got)
		}
		_, params, err := mime.ParseMediaType(w.Header().Get("Content-Disposition"))
		if err != nil || (params["filename"] != name && name != "\xff") {
			t.Errorf("%q comes back as %q, %v", name, params["filename"], err)
		}
	}
}

// A body may take longer than a server gives an answer, as long as it keeps flowing.
func TestADownloadMovesItsDeadlines(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(200 * time.Millisecond) // every deadline has passed
		wire.ServeContent(w, r, wire.Download{Name: "a", Size: int64(len(content)), ETag: etag, Modified: uploaded},
			&memory{bytes.NewReader(content), 0}, wire.Fail)
	}))
	server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	server.Start()
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, content) {
		t.Error(fmt.Sprintf("got %d bytes", len(got)), err)
	}
}
