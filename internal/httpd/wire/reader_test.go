package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

func reader(t *testing.T, target, contentType, body string) *wire.Reader {
	t.Helper()
	fields, err := read(contentType, body)
	if err != nil {
		t.Fatal(err)
	}
	return wire.NewReader(httptest.NewRequest(http.MethodGet, target, nil), fields)
}

// mustFaults fails the test unless exactly the wanted fields are at fault.
func mustFaults(t *testing.T, rd *wire.Reader, want map[string]phrase.Phrase) {
	t.Helper()
	if len(want) == 0 {
		if err := rd.Err(); err != nil {
			t.Fatalf("got error %v, want none", err)
		}
		return
	}
	f := faultOf(t, rd.Err(), fault.Invalid, "invalid")
	if len(f.Fields) != len(want) {
		t.Errorf("got fields %v, want %v", f.Fields, want)
	}
	for name, message := range want {
		if f.Fields[name].String() != message.String() {
			t.Errorf("field %s: got %q, want %q", name, f.Fields[name], message)
		}
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	rd := reader(t, "/?page=x", jsonType, `{"number":1,"null":null,"bool":true,"list":["a"],"object":{},"empty":"","text":"x"}`)
	for _, name := range []string{"number", "null", "bool", "list", "object", "absent", "empty", "text"} {
		rd.Text(name)
	}
	rd.QueryInt("page", 1, 1, 10)
	mustFaults(t, rd, map[string]phrase.Phrase{
		"number": phrase.MustBeText,
		"null":   phrase.MustBeText,
		"bool":   phrase.MustBeText,
		"list":   phrase.MustBeText,
		"object": phrase.MustBeText,
		"absent": phrase.Required,
		"page":   phrase.MustBeRange.With(1, 10),
	})
}

func TestAnOptionalTextMayBeLeftOutButNotBeSomethingElse(t *testing.T) {
	t.Parallel()
	rd := reader(t, "/", jsonType, `{"text":"x","empty":"","null":null}`)
	if got, sent := rd.Optional("text"); got != "x" || !sent {
		t.Errorf("got %q, sent %t", got, sent)
	}
	if got, sent := rd.Optional("empty"); got != "" || !sent {
		t.Errorf("got %q, sent %t", got, sent)
	}
	if got, sent := rd.Optional("absent"); got != "" || sent {
		t.Errorf("got %q, sent %t", got, sent)
	}
	mustFaults(t, rd, nil)
	rd.Optional("null")
	mustFaults(t, rd, map[string]phrase.Phrase{"null": phrase.MustBeText})
}

func TestANameSentTwiceIsRefusedWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	rd := reader(t, "/?q=1&q=2&r=1&r=1", formType, "a=1&b=2&a=1&c=1&c=2")
	if got := rd.Text("b"); got != "2" {
		t.Errorf("got %q", got)
	}
	mustFaults(t, rd, nil)
	rd.Text("a")
	rd.Optional("c")
	rd.Query("q")
	mustFaults(t, rd, map[string]phrase.Phrase{"a": phrase.SentTwice, "c": phrase.SentTwice, "q": phrase.SentTwice})
}

func TestTheBodyIsNeverReadFromTheQuery(t *testing.T) {
	t.Parallel()
	rd := reader(t, "/?password=secret", formType, "")
	if got := rd.Text("password"); got != "" {
		t.Errorf("got %q out of the query", got)
	}
	mustFaults(t, rd, map[string]phrase.Phrase{"password": phrase.Required})
}

func TestQueryTexts(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]struct {
		text  string
		sent  bool
		fault phrase.Phrase
	}{
		"/":                              {"", false, phrase.Phrase{}},
		"/?":                             {"", false, phrase.Phrase{}},
		"/?other=1":                      {"", false, phrase.Phrase{}},
		"/?platform":                     {"", true, phrase.Phrase{}},
		"/?platform=":                    {"", true, phrase.Phrase{}},
		"/?platform=100%25_%27":          {"100%_'", true, phrase.Phrase{}},
		"/?platform=a+b%2Bc":             {"a b+c", true, phrase.Phrase{}},
		"/?platform=%E5%87%AF":           {"凯", true, phrase.Phrase{}},
		"/?pl%61tform=a":                 {"a", true, phrase.Phrase{}},
		"/?platform=a=b;c":               {"a=b;c", true, phrase.Phrase{}},
		"/?x=%zz&platform=a&y=%ff&%zz=1": {"a", true, phrase.Phrase{}},
		"/?platform=%ff":                 {"", true, phrase.NotUnicode},
		"/?platform=%":                   {"", true, phrase.NotUnicode},
		"/?platform=a%00b":               {"", true, phrase.NoControls},
		"/?platform=a&platform=b":        {"", true, phrase.SentTwice},
		"/?platform=a&pl%61tform=a":      {"", true, phrase.SentTwice},
	} {
		rd := reader(t, target, jsonType, "")
		text, sent := rd.Query("platform")
		if sent != want.sent {
			t.Errorf("%s: got sent %t", target, sent)
		}
		if want.fault.String() != "" {
			mustFaults(t, rd, map[string]phrase.Phrase{"platform": want.fault})
			continue
		}
		mustFaults(t, rd, nil)
		if text != want.text {
			t.Errorf("%s: got %q, want %q", target, text, want.text)
		}
	}
}

func TestQueryIntTakesWholeNumbersWithinItsBounds(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int64{"": 20, "n=1": 1, "n=200": 200, "n=%31": 1} {
		rd := reader(t, "/?"+query, jsonType, "")
		if got := rd.QueryInt("n", 20, 1, 200); got != want || rd.Err() != nil {
			t.Errorf("%q: got %d, %v; want %d", query, got, rd.Err(), want)
		}
	}
	for _, text := range []string{
		"", "0", "201", "-1", "%2B1", "+1", "1+", "01", "1.0", "1e1", "0x1", "1_0", "abc", "%EF%BC%91",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999999999", "1%00", "%ff",
	} {
		rd := reader(t, "/?n="+text, jsonType, "")
		rd.QueryInt("n", 20, 1, 200)
		mustFault(t, rd.Err(), fault.Invalid, "invalid")
	}
}

func pathID(id string) (int64, error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetPathValue("id", id)
	rd := wire.NewReader(r, wire.Fields{})
	return rd.PathID("id"), rd.Err()
}

func TestAnIDIsAPositiveWholeNumberThatJavaScriptHolds(t *testing.T) {
	t.Parallel()
	for _, id := range []int64{1, 42, 1<<53 - 1} {
		if got, err := pathID(strconv.FormatInt(id, 10)); got != id || err != nil {
			t.Errorf("%d: got %d, %v", id, got, err)
		}
	}
	for _, id := range []string{
		"", "0", "-1", "+1", "-0", "01", "abc", "1a", " 1", "1 ", "1.0", "1e3", "0x1", "١", "1\x00", "9007199254740992",
		"9223372036854775807", "9223372036854775808", "18446744073709551617", "..", "1/2", "1;2", "1'",
	} {
		_, err := pathID(id)
		f := faultOf(t, err, fault.Invalid, "invalid")
		if f.Fields["id"].String() != phrase.MustBeID.String() {
			t.Errorf("%q: got fields %v", id, f.Fields)
		}
	}
}

func TestAnIDIsWrittenInOneWayOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+0]{0,2}[0-9]{0,20}`).Draw(t, "id")
		id, err := pathID(text)
		if err == nil && (strconv.FormatInt(id, 10) != text || id < 1 || id > wire.MaxID) {
			t.Fatalf("%q was read as %d", text, id)
		}
	})
}

func TestTheFirstFaultOfAFieldStays(t *testing.T) {
	t.Parallel()
	rd := reader(t, "/", jsonType, `{}`)
	rd.Text("name")
	rd.Fault("name", phrase.NoControls)
	mustFaults(t, rd, map[string]phrase.Phrase{"name": phrase.Required})
}
