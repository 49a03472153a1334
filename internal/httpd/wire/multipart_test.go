package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

const partsType = "multipart/form-data; boundary=xx"

// parts writes a body of multipart/form-data: each part is its header lines, an empty line and its content.
func parts(each ...string) string {
	var b strings.Builder
	for _, part := range each {
		header, content, _ := strings.Cut(part, "\n\n")
		fmt.Fprintf(&b, "--xx\r\n%s\r\n\r\n%s\r\n", strings.ReplaceAll(header, "\n", "\r\n"), content)
	}
	return b.String() + "--xx--\r\n"
}

func named(name, content string) string {
	return fmt.Sprintf("Content-Disposition: form-data; name=%q\n\n%s", name, content)
}

// readForm has ReadForm read a body of a type.
func readForm(contentType, body string) (wire.Fields, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return wire.ReadForm(httptest.NewRecorder(), r, 64<<10)
}

func TestAFormIsReadInEveryTypeThatFormsAreSentIn(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string][2]string{
		"multipart":          {partsType, parts(named("email", "a@b.c"), named("password", " a+b=c%20;\r\n--x "), named("empty", ""))},
		"multipart, charset": {"Multipart/Form-Data; charset=UTF-8; boundary=\"xx\"", parts(named("email", "a@b.c"), "content-disposition: form-data; name=password\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n a+b=c%20;\r\n--x ", named("empty", ""))},
		"multipart, wordy":   {partsType, "preamble\r\n" + parts("X-None: 1\n\nno name", named("", "empty name"), named("email", "a@b.c"), named("password", " a+b=c%20;\r\n--x "), named("empty", "")) + "epilogue"},
		"urlencoded":         {formType, "email=a%40b.c&password=+a%2Bb%3Dc%2520;%0d%0a--x+&empty="},
		"json":               {jsonType, `{"email":"a@b.c","password":" a+b=c%20;\r\n--x ","empty":""}`},
	} {
		fields, err := readForm(sent[0], sent[1])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for field, text := range map[string]string{"email": "a@b.c", "password": " a+b=c%20;\r\n--x ", "empty": ""} {
			if got, ok := fields.Get(field); !ok || got.Kind != wire.Text || got.Text != text {
				t.Errorf("%s: %s is %+v", name, field, got)
			}
		}
	}
}

func TestAFileAmongTheFieldsIsNoText(t *testing.T) {
	t.Parallel()
	fields, err := readForm(partsType, parts("Content-Disposition: form-data; name=\"password\"; filename=\"\"\n\nsecret", named("email", "a@b.c")))
	if err != nil {
		t.Fatal(err)
	}
	rd := wire.NewReader(httptest.NewRequest(http.MethodPost, "/", nil), fields)
	if got := rd.Filled("password"); got != nil || !rd.TakeFaults()["password"].Is(phrase.MustBeText) {
		t.Errorf("a file was read as the text %v", got)
	}
}

func TestMultipartThatIsBrokenOrCutIsRefused(t *testing.T) {
	t.Parallel()
	whole := parts(named("email", "a@b.c"), named("password", "secret"))
	refused := func(name, contentType, body string, message phrase.Phrase) {
		t.Helper()
		_, err := readForm(contentType, body)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || !f.Message.Is(message) {
			t.Errorf("%s: got %v", name, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error repeats what was sent: %v", name, err)
		}
	}
	for i := 1; i < len(whole)-2; i++ { // the last line break is not missed
		refused(fmt.Sprintf("cut at byte %d", i), partsType, whole[:i], phrase.BodyNotForm)
	}
	refused("another boundary", "multipart/form-data; boundary=yy", whole, phrase.BodyNotForm)
	refused("no boundary", "multipart/form-data", whole, phrase.BodyNotForm)
	refused("a long boundary", "multipart/form-data; boundary="+strings.Repeat("x", 71), whole, phrase.BodyNotForm)
	refused("a header without a colon", partsType, "--xx\r\nsecret\r\n\r\nx\r\n--xx--\r\n", phrase.BodyNotForm)
	refused("coded", partsType, parts("Content-Disposition: form-data; name=a\nContent-Transfer-Encoding: base64\n\nc2VjcmV0"), phrase.BadPartHeader)
	refused("another disposition", partsType, parts("Content-Disposition: attachment; name=a\n\nx"), phrase.BadPartHeader)
	refused("two dispositions", partsType, parts("Content-Disposition: form-data; name=a\nContent-Disposition: form-data; name=b\n\nx"), phrase.BadPartHeader)
	refused("a name of no text", partsType, parts("Content-Disposition: form-data; name=\"\xff\"\n\nx"), phrase.BadPartHeader)
	refused("many parts", partsType, parts(slicesOf(named("a", ""), wire.MaxFields+1)...), phrase.BodyTooMany)

	_, err := readForm(partsType, parts(named("email", "\xff")))
	if f, ok := errors.AsType[*fault.Error](err); !ok || !f.Fields["email"].Is(phrase.NotUnicode) {
		t.Errorf("a value of no text: got %v", err)
	}
}

func slicesOf(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestOnlyFormsTakeMultipart(t *testing.T) {
	t.Parallel()
	body := parts(named("email", "a@b.c"))
	_, err := read(partsType, body)
	mustFault(t, err, fault.UnsupportedType, "unsupported_type")
	for _, contentType := range []string{"multipart/mixed; boundary=xx", "multipart/form-data; boundary=xx; charset=gbk", "text/plain", ""} {
		_, err := readForm(contentType, body)
		mustFault(t, err, fault.UnsupportedType, "unsupported_type")
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", partsType)
	_, err = wire.ReadForm(httptest.NewRecorder(), r, 10)
	mustFault(t, err, fault.TooLarge, "too_large")
}

func TestABinaryFieldIsTakenAsNumberTextOrTruth(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`1`: "yes", `"1"`: "yes", `true`: "yes", `0`: "no", `"0"`: "no", `false`: "no", `null`: "no", `""`: "no",
		`2`: "bad", `-1`: "bad", `1.0`: "bad", `"yes"`: "bad", `" 1"`: "bad", `"true"`: "bad", `[1]`: "bad", `{}`: "bad",
	} {
		fields, err := readForm(jsonType, `{"remember":`+value+`}`)
		if err != nil {
			t.Fatal(err)
		}
		rd := wire.NewReader(httptest.NewRequest(http.MethodPost, "/", nil), fields)
		got := map[bool]string{true: "yes", false: "no"}[rd.Binary("remember")]
		if wrong, bad := rd.TakeFaults()["remember"]; bad {
			got = "bad"
			if !wrong.Is(phrase.MustBeBinary) {
				t.Errorf("%s: got the fault %v", value, wrong)
			}
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
	fields, err := readForm(formType, "remember=0&remember=1")
	if err != nil {
		t.Fatal(err)
	}
	rd := wire.NewReader(httptest.NewRequest(http.MethodPost, "/", nil), fields)
	if rd.Binary("remember"); rd.Err() == nil {
		t.Error("a field that was sent twice is taken")
	}
	if rd.Binary("absent") {
		t.Error("an absent field is 1")
	}
}

func TestAFieldMayBeLeftOutOrNull(t *testing.T) {
	t.Parallel()
	fields, err := readForm(jsonType, `{"a":"x","b":"","c":null,"d":5}`)
	if err != nil {
		t.Fatal(err)
	}
	rd := wire.NewReader(httptest.NewRequest(http.MethodPost, "/", nil), fields)
	if a := rd.Filled("a"); a == nil || *a != "x" {
		t.Errorf("a is %v", a)
	}
	if b := rd.Filled("b"); b == nil || *b != "" {
		t.Errorf("b is %v", b)
	}
	if c, e := rd.Filled("c"), rd.Filled("e"); c != nil || e != nil || rd.Err() != nil {
		t.Errorf("c and e are %v, %v: %v", c, e, rd.Err())
	}
	if d := rd.Filled("d"); d != nil || len(rd.TakeFaults()) != 1 || rd.Err() != nil {
		t.Errorf("d is %v: %v", d, rd.Err())
	}
}

func FuzzReadForm(f *testing.F) {
	f.Add(parts(named("email", "a@b.c"), "Content-Disposition: form-data; name=\"f\"; filename=\"a\"b\"\n\nx"))
	f.Add("--xx\r\n\r\n")
	f.Add("--xx--")
	f.Add(parts("Content-Disposition: form-data; name*=UTF-8''%e2\n\n"))
	f.Fuzz(func(t *testing.T, body string) {
		fields, err := readForm(partsType, body)
		if _, ok := errors.AsType[*fault.Error](err); err != nil && !ok {
			t.Fatalf("the error %v can't be shown", err)
		}
		if err != nil && fields.Len() > 0 {
			t.Fatal("fields of a body that was refused")
		}
	})
}
