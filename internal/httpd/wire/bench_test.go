package wire_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"caesar/internal/httpd/wire"
)

func BenchmarkReadBody(b *testing.B) {
	for name, c := range map[string][2]string{
		"json": {jsonType, `{"name":"someone","email":"someone@example.com","password":"correct horse","main_password":"battery staple","platform":"example","url":"https://example.com"}`},
		"form": {formType, `name=someone&email=someone%40example.com&password=correct+horse&main_password=battery+staple&platform=example&url=https%3A%2F%2Fexample.com`},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			body := strings.NewReader(c[1])
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Content-Type", c[0])
			r.ContentLength = body.Size()
			r.Body = io.NopCloser(body)
			w := httptest.NewRecorder()
			for b.Loop() {
				body.Reset(c[1])
				if _, err := wire.ReadBody(w, r, limit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
