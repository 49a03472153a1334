package httpd

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// Page is something to read that is embedded in the program.
type Page struct {
	Path        string // such as /docs
	ContentType string
	Body        []byte
}

// pagePolicy lets a page have its own styles and pictures, and nothing from elsewhere or inline.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// handler serves the page with an ETag, so that a browser need not load it twice, and asks browsers to
// check it each time, so that they never show the page of an older version.
func (p Page) handler() http.Handler {
	digest := sha256.Sum256(p.Body)
	etag := `"` + base64.RawURLEncoding.EncodeToString(digest[:12]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Type", p.ContentType)
		header.Set("Content-Security-Policy", pagePolicy)
		header.Set("Cache-Control", "no-cache")
		header.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Body))
	})
}
