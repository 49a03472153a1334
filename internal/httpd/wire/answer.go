package wire

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// WriteJSON answers with a status and with what appendBody appends, which must be one JSON value. The
// answer is never kept by a cache. The appended slice must not be used after appendBody returns.
//
// An error of the connection is not reported: nobody is left to tell.
func WriteJSON(w http.ResponseWriter, status int, appendBody func([]byte) []byte) {
	buffer := takeBuffer()
	defer buffer.release()
	buffer.b = appendBody(buffer.b)

	header := w.Header()
	header["Content-Type"] = jsonType
	header["Cache-Control"] = noStore
	header["X-Content-Type-Options"] = noSniff
	header.Set("Content-Length", strconv.Itoa(len(buffer.b)))
	w.WriteHeader(status)
	_, _ = w.Write(buffer.b)
}

// Header values that are the same on every answer; nobody may change them in place.
var (
	jsonType = []string{"application/json; charset=utf-8"}
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
)

// AppendString appends a JSON string. What is not valid UTF-8 in s becomes U+FFFD.
func AppendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // its only error tells of U+FFFD, which is what we want
	return b
}

// AppendName appends the name of an object's next member and its colon, after a comma where it is not
// the first.
func AppendName(b []byte, name string) []byte {
	return append(AppendString(AppendComma(b), name), ':')
}

// AppendComma appends a comma unless b ends where an object or an array begins.
func AppendComma(b []byte) []byte {
	if last := b[len(b)-1]; last == '{' || last == '[' {
		return b
	}
	return append(b, ',')
}

// AppendText appends a member whose value is text.
func AppendText(b []byte, name, value string) []byte {
	return AppendString(AppendName(b, name), value)
}

// AppendInt appends a member whose value is a whole number.
func AppendInt(b []byte, name string, value int64) []byte {
	return strconv.AppendInt(AppendName(b, name), value, 10)
}

// AppendBool appends a member whose value is true or false.
func AppendBool(b []byte, name string, value bool) []byte {
	return strconv.AppendBool(AppendName(b, name), value)
}

// buffer is a pooled slice of bytes for a body or an answer.
type buffer struct {
	b []byte
}

// maxPooledBuffer keeps one large body from holding its memory for ever.
const maxPooledBuffer = 64 << 10

var buffers sync.Pool

func takeBuffer() *buffer {
	if u, ok := buffers.Get().(*buffer); ok {
		return u
	}
	return &buffer{b: make([]byte, 0, 4<<10)}
}

// release wipes the buffer, since it may have held secrets, and gives it back.
func (u *buffer) release() {
	clear(u.b[:cap(u.b)])
	if cap(u.b) > maxPooledBuffer {
		return
	}
	u.b = u.b[:0]
	buffers.Put(u)
}
