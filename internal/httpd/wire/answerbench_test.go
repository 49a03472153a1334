package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"caesar/internal/httpd/wire"
)

// unread takes an answer that nobody reads.
type unread struct{ header http.Header }

func (u unread) Header() http.Header         { return u.header }
func (u unread) WriteHeader(int)             {}
func (u unread) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkWriteJSON writes a page of twenty items as the list has them.
func BenchmarkWriteJSON(b *testing.B) {
	sealed := "2.d3rzo0P8rxV9Hs1m1BmAjw==|" + strings.Repeat("JOwna6i0zs", 6) + "|SJqKreLag1ID+g6H1OdmQr0T5zTrVWKzD6hGy3fDqB0="
	w := unread{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		wire.WriteJSON(w, http.StatusOK, func(b []byte) []byte {
			b = append(wire.AppendName(append(b, '{'), "data"), '[')
			for i := range int64(20) {
				b = wire.AppendInt(append(wire.AppendComma(b), '{'), "id", i)
				for _, name := range []string{"name", "email", "password"} {
					b = wire.AppendText(b, name, sealed)
				}
				b = wire.AppendText(b, "platform", "微信 WeChat")
				b = wire.AppendText(b, "url", "https://weixin.example/login?next=%2F")
				b = append(wire.AppendInt(b, "created_at", 1_800_000_000), '}')
			}
			return append(wire.AppendInt(append(b, ']'), "count", 1000), '}')
		})
	}
}
