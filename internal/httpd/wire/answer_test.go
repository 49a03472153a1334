package wire_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"caesar/internal/httpd/wire"
)

func TestAnAnswerHasItsTypeAndLengthAndIsNeverCached(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	wire.WriteJSON(w, http.StatusTeapot, func(b []byte) []byte {
		b = wire.AppendText(append(b, '{'), "name", `凯"`)
		b = wire.AppendInt(b, "id", -7)
		b = wire.AppendBool(b, "yes", true)
		b = append(wire.AppendName(b, "list"), '[')
		for _, s := range []string{"a", "b"} {
			b = wire.AppendString(wire.AppendComma(b), s)
		}
		b = append(b, ']')
		b = append(wire.AppendName(b, "none"), "[]"...)
		return append(wire.AppendInt(b, "end", 1), '}')
	})
	const want = `{"name":"凯\"","id":-7,"yes":true,"list":["a","b"],"none":[],"end":1}`
	if w.Code != http.StatusTeapot || w.Body.String() != want {
		t.Errorf("got %d %s, want %s", w.Code, w.Body, want)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Length": strconv.Itoa(len(want)),
	} {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
}

func TestAppendedStringsReadBackTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name, value := rapid.String().Draw(t, "name"), rapid.String().Draw(t, "value")
		b := append(wire.AppendText([]byte{'{'}, name, value), '}')
		var got map[string]string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if got[strings.ToValidUTF8(name, "\uFFFD")] != value {
			t.Fatalf("got %q", got)
		}
	})
}

func TestInvalidUTF8NeverLeaves(t *testing.T) {
	t.Parallel()
	if got := string(wire.AppendString(nil, "a\xffb")); got != `"a�b"` {
		t.Errorf("got %s", got)
	}
}

// The buffer of an answer is looked at after it was given back, so nothing may run at once.
//
//nolint:paralleltest // see above
func TestTheBufferOfAnAnswerIsWiped(t *testing.T) {
	var held []byte
	wire.WriteJSON(httptest.NewRecorder(), 200, func(b []byte) []byte {
		b = wire.AppendString(b, "the secret answer")
		held = b
		return b
	})
	if bytes.Contains(held, []byte("secret")) {
		t.Errorf("the buffer still holds %q", held)
	}
}
