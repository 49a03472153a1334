package wire_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
)

// FuzzJSONBody holds the reader against encoding/json: what we take, it takes, and reads the same.
func FuzzJSONBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":"b"}`, `{"a":1,"b":null,"c":true,"d":[{"e":[]}],"f":{"g":{}}}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud800"}`,
		`{"a":"b","a":"c"}`, `{"a":{"b":1,"b":2}}`, "{\"a\":\"\xff\"}", `{"a":`, `[]`, `{} {}`, `{"":""}`, `{"a":1e999}`, "\uFEFF{}", ``, ` `,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		fields, err := read(jsonType, body)
		if err != nil {
			mustBeFault(t, err)
			return
		}
		if body == "" {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("took %q, which is not JSON: %v", body, err)
		}
		if len(want) != fields.Len() {
			t.Fatalf("%q: got %d fields, want %d", body, fields.Len(), len(want))
		}
		for name, raw := range want {
			value, sent := fields.Get(name)
			if !sent {
				t.Fatalf("%q: field %q is missing", body, name)
			}
			var text string
			isText := raw[0] == '"'
			if isText {
				if err := json.Unmarshal(raw, &text); err != nil {
					t.Fatal(err)
				}
			}
			if isText != (value.Kind == wire.Text) || isText && text != value.Text {
				t.Fatalf("%q: field %q is %+v, want %s", body, name, value, raw)
			}
			if !utf8.ValidString(value.Text) {
				t.Fatalf("%q: field %q is not UTF-8", body, name)
			}
		}
	})
}

// FuzzFormBody holds the reader against net/url, which refuses a ";" and lets invalid UTF-8 pass.
func FuzzFormBody(f *testing.F) {
	for _, seed := range []string{
		`a=b`, `a=b&c=d`, `a=b&a=c`, `a`, `=`, `&&`, `=b`, `a=b=c`, `%61=%62`, `a=%ff`, `a=%`, `a=%4`, `a+b=c+d`, `a=%00`, "a=\x00", "凯=撒",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		fields, err := read(formType, body)
		want, wantErr := url.ParseQuery(strings.ReplaceAll(body, ";", "%3b"))
		if err != nil {
			mustBeFault(t, err)
			if wantErr == nil && allUTF8(want) && strings.Count(body, "&") < wire.MaxFields && len(body) <= limit {
				t.Fatalf("refused %q: %v", body, err)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("took %q: %v", body, wantErr)
		}
		count := 0
		for name, values := range want {
			count += len(values)
			value, sent := fields.Get(name)
			if !sent || value.Kind != wire.Text || value.Text != values[0] || !utf8.ValidString(value.Text) {
				t.Fatalf("%q: field %q is %+v (sent: %t), want %q", body, name, value, sent, values[0])
			}
			rd := wire.NewReader(nil, fields)
			rd.Text(name)
			if twice := rd.Err() != nil; twice != (len(values) > 1) {
				t.Fatalf("%q: field %q was sent %d times; got error %v", body, name, len(values), rd.Err())
			}
		}
		if count != fields.Len() {
			t.Fatalf("%q: got %d fields, want %d", body, fields.Len(), count)
		}
	})
}

func mustBeFault(t *testing.T, err error) {
	t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || wire.Status(f.Kind) >= 500 {
		t.Fatalf("got error %v, want a fault of the client's", err)
	}
}

func allUTF8(values url.Values) bool {
	for name, list := range values {
		if !utf8.ValidString(name + "\x00" + strings.Join(list, "\x00")) {
			return false
		}
	}
	return true
}
