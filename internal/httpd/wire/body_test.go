package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
	limit    = 256 << 10
)

// read sends a body through ReadBody.
func read(contentType, body string) (wire.Fields, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return wire.ReadBody(httptest.NewRecorder(), r, limit)
}

// mustFault fails the test unless err is a fault of the kind and slug.
func mustFault(t *testing.T, err error, kind fault.Kind, slug string) {
	t.Helper()
	_ = faultOf(t, err, kind, slug)
}

// faultOf returns the fault that err is, which must be of the kind and slug.
func faultOf(t *testing.T, err error, kind fault.Kind, slug string) *fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got error %v, want a *fault.Error", err)
	}
	if f.Kind != kind || f.Slug != slug {
		t.Fatalf("got kind %d slug %q, want kind %d slug %q", f.Kind, f.Slug, kind, slug)
	}
	return f
}

func TestABodyIsReadAlikeAsJSONAndAsForm(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string][2]string{
		"json":                  {jsonType, `{"user_name":"凯撒 & co","password":"a+b=c%20;","empty":""}`},
		"json, escaped":         {jsonType, `{"user_na\u006de":"\u51ef\u6492 & co","password":"a+b=c%20;","empty":""}`},
		"json, charset":         {"application/json; charset=UTF-8", `{"user_name":"凯撒 & co","password":"a+b=c%20;","empty":""}`},
		"json, odd case":        {"Application/JSON;Charset=\"utf-8\"", ` {"user_name":"凯撒 & co","password":"a+b=c%20;","empty":""} `},
		"form":                  {formType, "user_name=%E5%87%AF%E6%92%92+%26+co&password=a%2Bb%3Dc%2520%3b&empty="},
		"form, raw":             {formType, "user_name=凯撒 %26 co&password=a%2Bb=c%2520;&empty"},
		"form, charset":         {formType + "; charset=UTF-8", "&user_name=凯撒+%26+co&&password=a%2Bb=c%2520;&empty=&"},
		"form, encoded name":    {formType, "user%5Fname=凯撒+%26+co&password=a%2Bb=c%2520;&empty"},
		"json, unknown members": {jsonType, `{"x":{"y":[1,{"z":null}]},"user_name":"凯撒 & co","password":"a+b=c%20;","empty":"","n":1e999}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields, err := read(sent[0], sent[1])
			if err != nil {
				t.Fatal(err)
			}
			for field, want := range map[string]string{"user_name": "凯撒 & co", "password": "a+b=c%20;", "empty": ""} {
				got, sent := fields.Get(field)
				if !sent || got.Kind != wire.Text || got.Text != want {
					t.Errorf("%s: got %+v (sent: %t), want the text %q", field, got, sent, want)
				}
			}
			if _, sent := fields.Get("absent"); sent {
				t.Error("a field was found that was not sent")
			}
		})
	}
}

func TestValuesRememberTheirKind(t *testing.T) {
	t.Parallel()
	fields, err := read(jsonType, `{"t":"x","n":-1.50e3,"y":true,"f":false,"z":null,"a":[1,[2]],"o":{"a":{"b":1}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]wire.Value{
		"t": {Kind: wire.Text, Text: "x"},
		"n": {Kind: wire.Number, Text: "-1.50e3"},
		"y": {Kind: wire.Bool, Text: "true"},
		"f": {Kind: wire.Bool, Text: "false"},
		"z": {Kind: wire.Null},
		"a": {Kind: wire.Array},
		"o": {Kind: wire.Object},
	}
	if fields.Len() != len(want) {
		t.Errorf("got %d fields, want %d", fields.Len(), len(want))
	}
	for name, value := range want {
		if got, _ := fields.Get(name); got != value {
			t.Errorf("%s: got %+v, want %+v", name, got, value)
		}
	}
}

func TestAMalformedBodyIsRefused(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return `{"a":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}`
	}
	manyMembers, manyPairs := []byte{'{'}, strings.Repeat("f&", wire.MaxFields+1)
	for i := range wire.MaxFields + 1 {
		manyMembers = wire.AppendInt(manyMembers, fmt.Sprint("f", i), 1)
	}
	manyMembers = append(manyMembers, '}')
	for name, c := range map[string]struct {
		contentType, body string
		message           phrase.Phrase
		field             string
	}{
		"nothing but spaces":        {jsonType, " \n", phrase.BodyNotJSON, ""},
		"truncated in a name":       {jsonType, `{"a`, phrase.BodyNotJSON, ""},
		"truncated after a name":    {jsonType, `{"a"`, phrase.BodyNotJSON, ""},
		"truncated in a value":      {jsonType, `{"a":"b`, phrase.BodyNotJSON, ""},
		"truncated before the end":  {jsonType, `{"a":"b"`, phrase.BodyNotJSON, ""},
		"truncated within":          {jsonType, `{"a":[`, phrase.BodyNotJSON, ""},
		"an array":                  {jsonType, `["a"]`, phrase.BodyNotObject, ""},
		"a text":                    {jsonType, `"a"`, phrase.BodyNotObject, ""},
		"null":                      {jsonType, `null`, phrase.BodyNotObject, ""},
		"two values":                {jsonType, `{"a":"b"}{"a":"b"}`, phrase.BodyNotObject, ""},
		"trailing text":             {jsonType, `{"a":"b"} x`, phrase.BodyNotObject, ""},
		"a trailing NUL":            {jsonType, "{\"a\":\"b\"}\x00", phrase.BodyNotObject, ""},
		"a byte order mark":         {jsonType, "\uFEFF{}", phrase.BodyNotJSON, ""},
		"UTF-16":                    {jsonType, "{\x00}\x00", phrase.BodyNotJSON, ""},
		"a trailing comma":          {jsonType, `{"a":"b",}`, phrase.BodyNotJSON, ""},
		"a comment":                 {jsonType, `{/**/"a":"b"}`, phrase.BodyNotJSON, ""},
		"single quotes":             {jsonType, `{'a':'b'}`, phrase.BodyNotJSON, ""},
		"no quotes":                 {jsonType, `{a:"b"}`, phrase.BodyNotJSON, ""},
		"NaN":                       {jsonType, `{"a":NaN}`, phrase.BodyNotJSON, ""},
		"a leading zero":            {jsonType, `{"a":01}`, phrase.BodyNotJSON, ""},
		"a raw line break":          {jsonType, "{\"a\":\"b\nc\"}", phrase.BodyNotJSON, ""},
		"a raw NUL":                 {jsonType, "{\"a\":\"b\x00c\"}", phrase.BodyNotJSON, ""},
		"an unknown escape":         {jsonType, `{"a":"\x41"}`, phrase.BodyNotJSON, ""},
		"invalid UTF-8 in a value":  {jsonType, "{\"a\":\"b\xffc\"}", phrase.BodyNotJSON, ""},
		"invalid UTF-8 in a name":   {jsonType, "{\"a\xff\":\"b\"}", phrase.BodyNotJSON, ""},
		"invalid UTF-8 within":      {jsonType, "{\"a\":[\"\xc0\x80\"]}", phrase.BodyNotJSON, ""},
		"a raw surrogate":           {jsonType, "{\"a\":\"\xed\xa0\x80\"}", phrase.BodyNotJSON, ""},
		"a lone high surrogate":     {jsonType, `{"a":"\ud800"}`, phrase.BodyNotJSON, ""},
		"a lone low surrogate":      {jsonType, `{"a":"\udc00x"}`, phrase.BodyNotJSON, ""},
		"surrogates the wrong way":  {jsonType, `{"a":"\udc00\ud800"}`, phrase.BodyNotJSON, ""},
		"a name twice":              {jsonType, `{"a":"b","a":"b"}`, phrase.InvalidRequest, "a"},
		"a name twice, escaped":     {jsonType, `{"a":"b","\u0061":"b"}`, phrase.InvalidRequest, "a"},
		"a name twice within":       {jsonType, `{"o":{"a":1,"a":2}}`, phrase.BodyNotJSON, ""},
		"a long name twice":         {jsonType, `{"` + strings.Repeat("a", 65) + `":1,"` + strings.Repeat("a", 65) + `":1}`, phrase.InvalidRequest, ""},
		"nested too deep":           {jsonType, deep(32), phrase.BodyTooDeep, ""},
		"nested a hundred thousand": {jsonType, deep(100_000), phrase.BodyTooDeep, ""},
		"deep and never closed":     {jsonType, strings.Repeat(`{"a":`, 40_000), phrase.BodyTooDeep, ""},
		"too many members":          {jsonType, string(manyMembers), phrase.BodyTooMany.With(wire.MaxFields), ""},
		"form sent as JSON":         {jsonType, `user_name=a&password=b`, phrase.BodyNotJSON, ""},
		"half an escape":            {formType, `a=%4`, phrase.BodyNotForm, ""},
		"no escape":                 {formType, `a=100%`, phrase.BodyNotForm, ""},
		"not hexadecimal":           {formType, `a=%zz`, phrase.BodyNotForm, ""},
		"not hexadecimal, name":     {formType, `%G0=a`, phrase.BodyNotForm, ""},
		"form, invalid UTF-8":       {formType, `a=b%ff`, phrase.InvalidRequest, "a"},
		"form, invalid UTF-8 raw":   {formType, "a=b\xff", phrase.InvalidRequest, "a"},
		"form, surrogate":           {formType, `a=%ED%A0%80`, phrase.InvalidRequest, "a"},
		"form, invalid UTF-8 name":  {formType, `%ff=b`, phrase.BodyNotForm, ""},
		"too many pairs":            {formType, manyPairs, phrase.BodyTooMany.With(wire.MaxFields), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields, err := read(c.contentType, c.body)
			f := faultOf(t, err, fault.Invalid, "invalid")
			if got, want := f.Message.String(), c.message.String(); got != want {
				t.Errorf("got message %q, want %q", got, want)
			}
			if _, named := f.Fields[c.field]; named != (c.field != "") || len(f.Fields) > 1 {
				t.Errorf("got fields %v, want %q", f.Fields, c.field)
			}
			if fields.Len() != 0 {
				t.Error("a body that was refused has fields")
			}
		})
	}
}

func TestDepthUpToTheBoundIsTaken(t *testing.T) {
	t.Parallel()
	if _, err := read(jsonType, `{"a":`+strings.Repeat(`[`, 31)+strings.Repeat(`]`, 31)+`}`); err != nil {
		t.Error(err)
	}
}

func TestAFaultQuotesNothingOfTheBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"password":"hunter2`, `{"password":hunter2}`, `{"hunter2":1,"hunter2":2}`, `{"password":"hunter2\q"}`, `hunter2`} {
		_, err := read(jsonType, body)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("body %q: the error for the log is %v", body, err)
		}
	}
}

func TestAnotherTypeIsRefused(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{
		"", "text/plain", "text/json", "application/xml", "application/problem+json", "multipart/form-data; boundary=x",
		"application/json; charset=gbk", "application/json; charset=", formType + "; charset=iso-8859-1",
		"application/json; charset", "application/json, text/plain", "/", "json", "application/json\x00",
	} {
		_, err := read(contentType, `{"a":"b"}`)
		f := faultOf(t, err, fault.UnsupportedType, "unsupported_type")
		if f.Message.String() != phrase.BodyType.String() {
			t.Errorf("%q: got message %q", contentType, f.Message)
		}
	}
}

func TestTwoContentTypesAreRefused(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`))
	r.Header["Content-Type"] = []string{jsonType, formType}
	_, err := wire.ReadBody(httptest.NewRecorder(), r, limit)
	mustFault(t, err, fault.UnsupportedType, "unsupported_type")
}

func TestACompressedBodyIsRefused(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`))
	r.Header.Set("Content-Type", jsonType)
	r.Header.Set("Content-Encoding", "gzip")
	_, err := wire.ReadBody(httptest.NewRecorder(), r, limit)
	mustFault(t, err, fault.UnsupportedType, "unsupported_type")
}

func TestAnEmptyBodyHasNoFieldsInAnyType(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"", jsonType, formType, "text/plain", "multipart/form-data"} {
		for name, body := range map[string]io.Reader{"none": nil, "length 0": strings.NewReader(""), "chunked": io.MultiReader()} {
			r := httptest.NewRequest(http.MethodGet, "/", body)
			r.Header.Set("Content-Type", contentType)
			fields, err := wire.ReadBody(httptest.NewRecorder(), r, limit)
			if err != nil || fields.Len() != 0 {
				t.Errorf("%q, %s: got %d fields and error %v", contentType, name, fields.Len(), err)
			}
		}
	}
}

func TestABodyOverTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	exact := `{"a":"` + strings.Repeat("x", limit-len(`{"a":""}`)) + `"}`
	for name, c := range map[string]struct {
		body     io.Reader
		tooLarge bool
	}{
		"at the limit":            {strings.NewReader(exact), false},
		"at the limit, chunked":   {io.MultiReader(strings.NewReader(exact)), false},
		"past the limit":          {strings.NewReader(exact + " "), true},
		"past the limit, chunked": {io.MultiReader(strings.NewReader(exact + " ")), true},
		"a mebibyte":              {bytes.NewReader(make([]byte, 1<<20)), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/", c.body)
			r.Header.Set("Content-Type", jsonType)
			fields, err := wire.ReadBody(w, r, limit)
			if !c.tooLarge {
				if got, _ := fields.Get("a"); err != nil || len(got.Text) != limit-8 {
					t.Errorf("got a text of %d bytes and error %v", len(got.Text), err)
				}
				return
			}
			mustFault(t, err, fault.TooLarge, "too_large")
			if w.Header().Get("Connection") != "close" {
				t.Error("the connection is kept, although its body was not read to the end")
			}
		})
	}
}

// brokenBody hands out some bytes and then an error.
type brokenBody struct {
	text string
	err  error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n := copy(p, b.text)
	b.text = b.text[n:]
	if n == 0 {
		return 0, b.err
	}
	return n, nil
}

func TestABodyThatBreaksOffIsTheClientsFault(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{io.ErrUnexpectedEOF, context.Canceled, os.ErrDeadlineExceeded} {
		r := httptest.NewRequest(http.MethodPost, "/", &brokenBody{`{"a":"b"}`, cause})
		r.Header.Set("Content-Type", jsonType)
		fields, err := wire.ReadBody(httptest.NewRecorder(), r, limit)
		mustFault(t, err, fault.Invalid, "invalid")
		if !errors.Is(err, cause) || fields.Len() != 0 {
			t.Errorf("got %d fields and error %v, want none and %v", fields.Len(), err, cause)
		}
	}
}

func TestAClientThatHangsUpInItsBodyIsToldApart(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"short of its length": "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":\"b\"}",
		"in a chunk":          "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{\"a\":\"b\"}",
		"between chunks":      "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"a\":\"b\"}\r\n",
		"in a broken chunk":   "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := make(chan error, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := wire.ReadBody(w, r, limit)
				got <- err
			}))
			t.Cleanup(server.Close)
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, sent); err != nil {
				t.Fatal(err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-got:
				mustFault(t, err, fault.Invalid, "invalid")
			case <-time.After(10 * time.Second):
				t.Fatal("the body is still being read")
			}
		})
	}
}
