package apitest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// isFile tells whether an answer's content is a file, which may be larger than memory.
func isFile(content *openapi3.MediaType) bool {
	return content.Schema.Value.Type.Is("string") && content.Schema.Value.Format == "binary"
}

// bearsFile tells whether an answer holds a file as the document has one.
func (d *document) bearsFile(req *http.Request, resp *http.Response) bool {
	if req.Method == http.MethodHead {
		return false
	}
	p, _, ok := d.match(req.URL)
	if !ok {
		return false
	}
	route := d.route(p, req.Method)
	if route == nil {
		return false
	}
	response := route.Operation.Responses.Status(resp.StatusCode)
	if response == nil {
		return false
	}
	content := response.Value.Content.Get(resp.Header.Get("Content-Type"))
	return content != nil && isFile(content)
}

// checkFile judges what is said of a file before its first byte: its length, and where it is a part, which
// (RFC 9110, sections 14.4 and 15.3.7).
func checkFile(resp *http.Response) error {
	mediaType, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("parse content type: %w", err)
	}
	if resp.ContentLength < 0 && !resp.Uncompressed {
		return errors.New("the length of a file is not announced")
	}
	if resp.StatusCode != http.StatusPartialContent {
		return nil
	}
	contentRange := resp.Header.Get("Content-Range")
	if mediaType == "multipart/byteranges" {
		if contentRange != "" || params["boundary"] == "" {
			return errors.New("several parts have a boundary between them, and each has its own Content-Range")
		}
		return nil
	}
	bounds, size, _ := strings.Cut(strings.TrimPrefix(contentRange, "bytes "), "/")
	from, to, _ := strings.Cut(bounds, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	whole, err3 := strconv.ParseInt(size, 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("read Content-Range %q: %w", contentRange, err)
	}
	if first > last || last >= whole || last-first+1 != resp.ContentLength {
		return fmt.Errorf("Content-Range %q does not fit a body of %d bytes", contentRange, resp.ContentLength)
	}
	return nil
}

// watchedFile is the body of an answer that holds a file: it is judged as it passes. The ETag of a file
// that is answered whole has to be its SHA-256.
type watchedFile struct {
	io.ReadCloser
	sum    hash.Hash
	etag   string
	failed func(error)
	judged bool
}

func watchFile(resp *http.Response, failed func(error)) io.ReadCloser {
	if resp.StatusCode != http.StatusOK {
		return resp.Body
	}
	return &watchedFile{ReadCloser: resp.Body, sum: sha256.New(), etag: resp.Header.Get("ETag"), failed: failed}
}

// Read implements [io.Reader].
func (f *watchedFile) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	f.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && !f.judged {
		f.judged = true
		if sum := `"` + hex.EncodeToString(f.sum.Sum(nil)) + `"`; sum != f.etag {
			f.failed(fmt.Errorf("the file has the SHA-256 %s, and its ETag is %s", sum, f.etag))
		}
	}
	return n, err
}
