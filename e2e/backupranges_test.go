package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rangesLab is a server and somebody with a file of several of the chunks that are sealed at once.
func rangesLab(t *testing.T) (l *lab, m *member, content, etag, modified string) {
	t.Helper()
	l = open(t, quick()...)
	m = l.member()
	content = random(3, 5*64<<10+1234)
	version := l.uploaded(m.token, "ranges.bin", content)
	return l, m, content, `"` + version.SHA256 + `"`, version.CreatedAt.Time().UTC().Format(http.TimeFormat)
}

func TestAnyRangeOfAFileCanBeHad(t *testing.T) {
	t.Parallel()
	l, m, content, etag, modified := rangesLab(t)
	n := len(content)
	type interval struct{ first, last int }
	wanted := map[string]interval{
		"bytes=0-0":                             {0, 0},
		"bytes=0-":                              {0, n - 1},
		"bytes=-1":                              {n - 1, n - 1},
		fmt.Sprintf("bytes=-%d", n):             {0, n - 1},
		fmt.Sprintf("bytes=-%d", n+5):           {0, n - 1},
		fmt.Sprintf("bytes=%d-", n-1):           {n - 1, n - 1},
		fmt.Sprintf("bytes=%d-%d", n-1, n+100):  {n - 1, n - 1},
		"bytes=65535-65536":                     {65535, 65536},
		"bytes=65536-131071":                    {65536, 131071},
		"bytes=0-9223372036854775807":           {0, n - 1},
		"bytes= 1 - 2 ":                         {1, 2},
		fmt.Sprintf("bytes=%d-%d", 0, n-1):      {0, n - 1},
		fmt.Sprintf("bytes=%d-%d", 327680, n-1): {327680, n - 1},
	}
	for range 60 {
		first := rand.IntN(n)
		last := first + rand.IntN(n-first)
		wanted[fmt.Sprintf("bytes=%d-%d", first, last)] = interval{first, last}
	}
	for asked, want := range wanted {
		r := l.download(m.token, "", http.Header{"Range": {asked}})
		if r.status != 206 || string(r.body) != content[want.first:want.last+1] ||
			r.header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", want.first, want.last, n) {
			t.Errorf("%s: answers %d %s and %d bytes", asked, r.status, r.header.Get("Content-Range"), len(r.body))
		}
		if r.header.Get("ETag") != etag || r.header.Get("Last-Modified") != modified || r.header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s: the headers are %v", asked, r.header)
		}
	}
	for _, asked := range []string{fmt.Sprintf("bytes=%d-", n), fmt.Sprintf("bytes=%d-%d", n, n+1), "bytes=5-4", "bytes=x", "bytes=--1", "bytes=1-2-3", "bytes=a-b", "bytes=99999999999999999999-", fmt.Sprintf("bytes=%d-,%d-", n, n+1)} {
		r := l.download(m.token, "", http.Header{"Range": {asked}})
		r.says(t, asked, 416, `{"code":416,"message":"请求的范围超出文件"}`)
		if r.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", n) || r.header.Get("Content-Disposition") != "" || r.header.Get("ETag") != "" {
			t.Errorf("%s: the headers are %v", asked, r.header)
		}
	}
	for _, asked := range []string{"items=0-1", "", "0-1", "bytes", "bytes="} {
		if r := l.download(m.token, "", http.Header{"Range": {asked}}); r.status != 200 || string(r.body) != content {
			t.Errorf("%q, which asks for no range: answers %d and %d bytes", asked, r.status, len(r.body))
		}
	}
}

func TestManyRangesComeAsPartsEachWithItsPlace(t *testing.T) {
	t.Parallel()
	l, m, content, _, _ := rangesLab(t)
	n := len(content)
	for _, asked := range []string{"bytes=0-0,-1", "bytes=0-99,200-299,65530-65545", "bytes=100-200,0-50", "bytes=5-10,5-10", fmt.Sprintf("bytes=0-1,%d-", n+5)} {
		r := l.download(m.token, "", http.Header{"Range": {asked}})
		media, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
		if asked == fmt.Sprintf("bytes=0-1,%d-", n+5) { // one of them is there
			if r.status != 206 || string(r.body) != content[:2] {
				t.Errorf("%s: answers %d and %d bytes", asked, r.status, len(r.body))
			}
			continue
		}
		if err != nil || r.status != 206 || media != "multipart/byteranges" || !strings.HasPrefix(r.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: answers %d %v", asked, r.status, r.header)
			continue
		}
		parts, count := multipart.NewReader(bytes.NewReader(r.body), params["boundary"]), 0
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			var first, last, size int
			if _, err := fmt.Sscanf(p.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &size); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(p)
			if err != nil || size != n || string(got) != content[first:last+1] || p.Header.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("%s: part %v has %d bytes, %v", asked, p.Header, len(got), err)
			}
			count++
		}
		if count != strings.Count(asked, "-") {
			t.Errorf("%s: %d parts came", asked, count)
		}
	}
	// Many ranges that together are more than the file are the file.
	if r := l.download(m.token, "", http.Header{"Range": {"bytes=" + strings.TrimSuffix(strings.Repeat("0-,", 200), ",")}}); len(r.body) > n+1000 {
		t.Errorf("200 times the file answers %d and %d bytes", r.status, len(r.body))
	}
}

func TestWhatOneHasAlreadyIsNotSentAgain(t *testing.T) {
	t.Parallel()
	l, m, content, etag, modified := rangesLab(t)
	before := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	later := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	other := `"` + strings.Repeat("0", 64) + `"`
	for name, c := range map[string]struct {
		header http.Header
		status int
		length int
	}{
		"If-None-Match":                   {http.Header{"If-None-Match": {etag}}, 304, 0},
		"If-None-Match in a list":         {http.Header{"If-None-Match": {other + ", " + etag}}, 304, 0},
		"If-None-Match, weak":             {http.Header{"If-None-Match": {"W/" + etag}}, 304, 0},
		"If-None-Match of any":            {http.Header{"If-None-Match": {"*"}}, 304, 0},
		"If-None-Match of another":        {http.Header{"If-None-Match": {other}}, 200, len(content)},
		"If-None-Match of another, newer": {http.Header{"If-None-Match": {other}, "If-Modified-Since": {later}}, 200, len(content)},
		"If-Modified-Since":               {http.Header{"If-Modified-Since": {modified}}, 200, len(content)}, // times decide nothing
		"If-Modified-Since later":         {http.Header{"If-Modified-Since": {later}}, 200, len(content)},
		"If-Modified-Since before":        {http.Header{"If-Modified-Since": {before}}, 200, len(content)},
		"If-Match":                        {http.Header{"If-Match": {etag}}, 200, len(content)},
		"If-Match of another":             {http.Header{"If-Match": {other}}, 412, 0},
		"If-Unmodified-Since":             {http.Header{"If-Unmodified-Since": {modified}}, 200, len(content)},
		"If-Unmodified-Since before":      {http.Header{"If-Unmodified-Since": {before}}, 200, len(content)},
		"If-Range":                        {http.Header{"Range": {"bytes=1-2"}, "If-Range": {etag}}, 206, 2},
		"If-Range of another":             {http.Header{"Range": {"bytes=1-2"}, "If-Range": {other}}, 200, len(content)},
		"If-Range, weak":                  {http.Header{"Range": {"bytes=1-2"}, "If-Range": {"W/" + etag}}, 200, len(content)},
		"If-Range of its time":            {http.Header{"Range": {"bytes=1-2"}, "If-Range": {modified}}, 200, len(content)},
		"If-Range of another time":        {http.Header{"Range": {"bytes=1-2"}, "If-Range": {before}}, 200, len(content)},
		"If-None-Match with a range":      {http.Header{"Range": {"bytes=1-2"}, "If-None-Match": {etag}}, 304, 0},
	} {
		r := l.download(m.token, "", c.header)
		if r.status != c.status || len(r.body) != c.length {
			t.Errorf("%s: answers %d and %d bytes", name, r.status, len(r.body))
		}
		if r.status == 304 && r.header.Get("ETag") != etag {
			t.Errorf("%s: the ETag is %s", name, r.header.Get("ETag"))
		}
	}
	// A new version is another file.
	if l.uploaded(m.token, "ranges.bin", content+"x"); l.download(m.token, "", http.Header{"If-None-Match": {etag}}).status != 200 {
		t.Error("a new version passes for the one before it")
	}
	newest := l.uploaded(m.token, "ranges.bin", "the newest").ID
	if r := l.ask(question{method: http.MethodDelete, path: fmt.Sprintf("/user/files/%d/", newest), token: m.token}); r.status != 200 {
		t.Fatalf("deleting answers %d %s", r.status, r.body)
	}
	if r := l.download(m.token, "", http.Header{"If-Modified-Since": {later}}); r.status != 200 || string(r.body) != content+"x" {
		t.Errorf("after the newest is deleted the one before it answers %d and %d bytes", r.status, len(r.body))
	}
}

func TestHEADTellsOfAFileWhatGETDoes(t *testing.T) {
	t.Parallel()
	l, m, content, _, _ := rangesLab(t)
	for name, header := range map[string]http.Header{
		"whole": nil, "a range": {"Range": {"bytes=5-9"}}, "no range": {"Range": {fmt.Sprintf("bytes=%d-", len(content))}}, "ETag": {"If-None-Match": {"*"}},
	} {
		get := l.download(m.token, "", header)
		head := l.ask(question{method: http.MethodHead, path: "/user/download_file/", token: m.token, header: header})
		if head.status != get.status || len(head.body) != 0 {
			t.Errorf("%s: GET answers %d, and HEAD %d with %d bytes", name, get.status, head.status, len(head.body))
		}
		for _, field := range []string{"Content-Length", "Content-Type", "Content-Range", "Content-Disposition", "ETag", "Last-Modified", "Accept-Ranges", "Cache-Control"} {
			if head.header.Get(field) != get.header.Get(field) {
				t.Errorf("%s: %s is %q for HEAD and %q for GET", name, field, head.header.Get(field), get.header.Get(field))
			}
		}
	}
}

func TestAnEmptyFileIsAFile(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	l.uploaded(m.token, "empty", "")
	for name, header := range map[string]http.Header{"whole": nil, "a range": {"Range": {"bytes=0-0"}}, "a suffix": {"Range": {"bytes=-1"}}} {
		r := l.download(m.token, "", header)
		if r.status != 200 || len(r.body) != 0 || r.header.Get("Content-Length") != "0" { // it has no ranges
			t.Errorf("%s: answers %d %v", name, r.status, r.header)
		}
	}
}
