package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// defect is one thing that is wrong with a request, which is sound but for it.
type defect struct {
	name    string
	ask     question
	status  int
	slug    string
	fields  []string // at which the answer lays a fault, sorted: no others
	counted bool     // it is a guess at a secret
}

// fieldDefects are all that is wrong with single fields.
func (o operation) fieldDefects(p *person, v values) []defect {
	var all []defect
	for _, f := range o.fields {
		for _, e := range []encoding{asJSON, asForm} {
			all = append(all, o.textDefects(p, v, e, f)...)
			all = append(all, o.rawDefects(p, v, e, f)...)
		}
	}
	return all
}

// textDefects are text that may not stand in a field.
func (o operation) textDefects(p *person, v values, e encoding, f field) []defect {
	var all []defect
	for _, w := range f.wrong {
		d := o.withRaw(p, v, e, f, sound(e, f.name, w.text).raw)
		d.name = fmt.Sprintf("%s: %s is %s", e, f.name, w.name)
		if w.slug != "" {
			d.slug, d.counted = w.slug, true
		}
		if w.unnamed {
			d.fields = nil
		}
		all = append(all, d)
	}
	return all
}

// withRaw has a field's value as it is given: as it is to stand in the body.
func (o operation) withRaw(p *person, v values, e encoding, f field, raw string) defect {
	q := o.question(p, v, e)
	pairs := o.pairs(e, v)
	pairs[slices.IndexFunc(pairs, func(p pair) bool { return p.name == f.name })].raw = raw
	q.body = e.body(pairs)
	return defect{ask: q, status: 400, slug: "invalid", fields: []string{f.name}}
}

// rawDefects are values that are no text at all, or not once.
func (o operation) rawDefects(p *person, v values, e encoding, f field) []defect {
	var all []defect
	add := func(name, raw string, change func(*defect)) {
		d := o.withRaw(p, v, e, f, raw)
		d.name = fmt.Sprintf("%s: %s is %s", e, f.name, name)
		if change != nil {
			change(&d)
		}
		all = append(all, d)
	}
	unnamed := func(d *defect) { d.fields = nil }
	large := func(d *defect) { d.status, d.slug, d.fields = 413, "too_large", nil }
	pairs := o.pairs(e, v)
	i := slices.IndexFunc(pairs, func(p pair) bool { return p.name == f.name })
	if !f.optional {
		add("missing", "", func(d *defect) { d.ask.body = e.body(slices.Delete(slices.Clone(pairs), i, i+1)) })
		add("under another name", "", func(d *defect) {
			other := slices.Clone(pairs)
			other[i].name = strings.ToUpper(f.name)
			d.ask.body = e.body(other)
		})
	}
	add("sent twice", "", func(d *defect) { d.ask.body = e.body(append(slices.Clone(pairs), pairs[i])) })
	if e == asForm {
		add("1 MiB", strings.Repeat("a", 1<<20), large)
		add("no UTF-8", "%ff", nil)
		add("raw bytes that are no UTF-8", "\xc3(", nil)
		add("an overlong NUL", "%C0%80", nil)
		add("a lone surrogate", "%ED%A0%80", nil)
		add("a broken escape", "%zz", unnamed)
		add("a cut escape", "%4", unnamed)
		return all
	}
	for _, raw := range []string{"null", "42", "-1.5e3", "true", "false", "[]", `["x"]`, "{}", `{"x":"y"}`, `[null,{"a":[1]}]`} {
		add(raw, raw, nil)
	}
	add("1 MiB", `"`+strings.Repeat("a", 1<<20)+`"`, large)
	add("1 MiB of unannounced length", `"`+strings.Repeat("a", 1<<20)+`"`, func(d *defect) { large(d); d.ask.chunked = true })
	for name, raw := range map[string]string{
		"a raw NUL": "\"x\x00\"", "a raw line break": "\"x\ny\"", "no UTF-8": "\"\xff\"", "an overlong NUL": "\"\xc0\x80\"",
		"a raw surrogate": "\"\xed\xa0\x80\"", "a lone high surrogate": `"\ud800"`, "a lone low surrogate": `"\udc00x"`,
		"surrogates the wrong way round": `"\udc00\ud800"`, "a broken escape": `"\x41"`, "in single quotes": `'x'`, "bare": "x",
		"NaN": "NaN", "a number with a leading zero": "01", "too deep": strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"deep beyond reason": strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "never closed": strings.Repeat(`{"a":`, 20_000),
	} {
		add(name, raw, unnamed)
	}
	return all
}

// bodyDefects are bodies that as a whole are not right. Those that nobody asked for are read like any other.
func (o operation) bodyDefects(p *person, v values) []defect {
	var all []defect
	add := func(name string, header http.Header, body string, d defect) {
		d.name, d.ask = "body: "+name, o.question(p, v, asJSON)
		d.ask.header, d.ask.body = header, []byte(body)
		all = append(all, d)
	}
	invalid := defect{status: 400, slug: "invalid"}
	whole := "{}"
	if len(o.fields) > 0 {
		whole = string(o.question(p, v, asJSON).body)
	}
	for name, body := range map[string]string{
		"cut at its half": whole[:len(whole)/2], "cut at its end": whole[:len(whole)-1], "its first byte": "{", "two values": whole + whole,
		"something behind it": whole + " x", "a comma behind it": whole + ",", "a NUL behind it": whole + "\x00", "null": "null",
		"text": `"` + "x" + `"`, "a number": "42", "true": "true", "a list": "[" + whole + "]", "an empty list": "[]", "blank": " \n\t",
		"a NUL": "\x00", "a byte order mark": "\ufeff" + whole, "UTF-16": "\xff\xfe{\x00}\x00", "a comma too many": `{"x":"y",}`,
		"a comment": `{/* x */}`, "single quotes": `{'x':'y'}`, "a name without quotes": `{x:"y"}`, "a number as a name": `{1:"y"}`,
		"XML": "<x/>", "a form": "x=y", "too deep": `{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		"deep beyond reason": strings.Repeat(`{"x":`, 40_000) + "1" + strings.Repeat("}", 40_000), "only opened": strings.Repeat("[", 200_000),
		"a bad name": "{\"\xff\":1}", "a bad value nobody asks for": "{\"zz\":\"\xff\"}", "a surrogate nobody asks for": `{"zz":"\ud800"}`,
		"too many fields": "{" + strings.TrimSuffix(manyFields(`"x%d":1,`), ",") + "}",
	} {
		add(name, asJSON.header(), body, invalid)
	}
	add("a name twice that nobody asks for", asJSON.header(), `{"zz":1,"zz":2}`, defect{status: 400, slug: "invalid", fields: []string{"zz"}})
	for name, body := range map[string]string{"a broken escape": "x=%zz", "a cut escape": "x=%", "a bad name": "%ff=x", "too many fields": manyFields("x%d=1&")} {
		add("form: "+name, asForm.header(), body, invalid)
	}
	add("form: no UTF-8 that nobody asks for", asForm.header(), "zz=%ff", defect{status: 400, slug: "invalid", fields: []string{"zz"}})

	large := defect{status: 413, slug: "too_large"}
	add("1 MiB", asJSON.header(), `{"zz":"`+strings.Repeat("a", 1<<20)+`"}`, large)
	add("1 MiB of blanks", asJSON.header(), whole+strings.Repeat(" ", 1<<20), large)
	add("form: 1 MiB", asForm.header(), "zz="+strings.Repeat("a", 1<<20), large)
	for name, header := range wrongTypesOfBody {
		add(name, header, whole, defect{status: 415, slug: "unsupported_type"})
	}
	return all
}

// wrongTypesOfBody are headers that announce a body that nobody here reads.
var wrongTypesOfBody = map[string]http.Header{
	"no Content-Type":           {},
	"an empty Content-Type":     {"Content-Type": {""}},
	"text/plain":                {"Content-Type": {"text/plain"}},
	"text/json":                 {"Content-Type": {"text/json"}},
	"application/xml":           {"Content-Type": {"application/xml"}},
	"multipart/form-data":       {"Content-Type": {"multipart/form-data; boundary=x"}},
	"a type that is none":       {"Content-Type": {"json"}},
	"a broken parameter":        {"Content-Type": {"application/json; charset"}},
	"another charset":           {"Content-Type": {"application/json; charset=gbk"}},
	"UTF-16":                    {"Content-Type": {"application/json; charset=utf-16"}},
	"two types":                 {"Content-Type": {"application/json", "application/x-www-form-urlencoded"}},
	"two types in one":          {"Content-Type": {"application/json, text/plain"}},
	"a compressed body":         {"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}},
	"a form in another charset": {"Content-Type": {"application/x-www-form-urlencoded; charset=gbk"}},
}

// manyFields repeats a format with a number in it more often than a body may have fields.
func manyFields(format string) string {
	var b strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// queryDefects are credentials in the query, and parameters that are not right.
func (o operation) queryDefects(p *person, v values) []defect {
	var all []defect
	if missed := o.missed(); len(missed) > 0 {
		query := url.Values{}
		for _, f := range o.fields {
			query.Set(f.name, v[f.name])
		}
		for name, body := range map[string]pair{"no body": {}, "an empty form": {string(asForm), ""}, "an empty object": {string(asJSON), "{}"}} {
			d := defect{name: "the fields are in the query, with " + name, status: 400, slug: "invalid", fields: missed}
			d.ask = o.question(p, v, asJSON)
			d.ask.path += "?" + query.Encode()
			d.ask.header, d.ask.body = nil, nil
			if body.name != "" {
				d.ask.header, d.ask.body = http.Header{"Content-Type": {body.name}}, []byte(body.raw)
			}
			all = append(all, d)
		}
	}
	for _, name := range o.query {
		for _, value := range append([]string{"1&" + name + "=1"}, wrongParameters[name]...) {
			d := defect{name: fmt.Sprintf("?%s=%s", name, value), status: 400, slug: "invalid", fields: []string{name}}
			d.ask = o.question(p, v, asJSON)
			d.ask.path += "?" + name + "=" + value
			all = append(all, d)
		}
	}
	return all
}

var (
	wrongPages = []string{
		"", "0", "-1", "abc", "1.0", "1e1", "0x1", "01", "%201", "1%20", "%2B1", "１", "1,2", "null", "%00", "%ff", "%zz",
		"9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551617", "99999999999999999999999",
	}
	wrongMoments = []string{
		"abc", "2026-02-30", "2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-04-31", "2026-1-1", "20260101x", "2026/01/01",
		"2026-01-01%2024:00:00", "2026-01-01%2023:60:00", "2026-01-01%2023:59:60", "2026-02-30%2010:00:00", "2026-02-30T10:00:00Z",
		"2026-01-01T10:00:00%2B25:00", "-1", "%2B1", "1.5", "1e9", "1767225600000", "9223372036854775808", "2026-01-01'", "%00", "%ff", "%zz",
		"%20", "null",
	}
	wrongParameters = map[string][]string{
		"page": wrongPages, "page_size": append([]string{"201", "1000"}, wrongPages...),
		"date_start": wrongMoments, "date_end": wrongMoments,
		"platform": {"%00", "a%00b", "%ff", "%C0%80", "%ED%A0%80", "%zz", "%", "\xff"},
	}
)

// wrongIDs are what is no id, as it stands in a path.
var wrongIDs = []string{
	"0", "-1", "abc", "-0", "+1", "%2B1", "01", "1.0", "1e0", "0x1", "1_0", "%20", "1%20", "１", "%00", "1%00", "%ff", "1%2F2", "null", "undefined",
	"9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551617", "-9223372036854775809", "'", "1;2",
	"1%0d%0aX:y", strings.Repeat("9", 5000),
}

// idDefects are ids in the path that are none.
func (o operation) idDefects(p *person, v values) []defect {
	if !o.bearsID() {
		return nil
	}
	var all []defect
	for _, id := range wrongIDs {
		d := defect{name: "id " + id[:min(len(id), 30)], status: 400, slug: "invalid", fields: []string{"id"}}
		d.ask = o.question(p, v, asJSON)
		d.ask.path = strings.Replace(strings.Fields(o.route)[1], "{id}", id, 1)
		all = append(all, d)
	}
	return all
}

// sessionDefects are requests that show no live session: they are told so whatever else is wrong.
func (o operation) sessionDefects(l *lab, p *person, v values) []defect {
	if o.open {
		return nil
	}
	gone := l.login(p)
	c := l.client()
	c.SetToken(gone)
	if err := c.SignOut(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	flipped := []byte(p.token)
	flipped[20] ^= 1 // stays in the alphabet of base64url but for a few, and is not the token in any case
	query := "?" + url.Values{"token": {p.token}, "access_token": {p.token}, "sessionid": {p.token}, "Authorization": {"Bearer " + p.token}}.Encode()
	var all []defect
	for name, change := range map[string]func(*question){
		"nothing":                  func(q *question) { q.token = "" },
		"another's signature":      func(q *question) { q.token = string(flipped) },
		"a token signed out":       func(q *question) { q.token = gone },
		"half a token":             func(q *question) { q.token = p.token[:len(p.token)/2] },
		"more than a token":        func(q *question) { q.token = p.token + "A" },
		"words":                    func(q *question) { q.token = "undefined" },
		"a long token":             func(q *question) { q.token = strings.Repeat("A", 8000) },
		"the token in the query":   func(q *question) { q.token = ""; q.path += query },
		"the token without scheme": func(q *question) { q.token = ""; q.header = with(q.header, "Authorization", p.token) },
		"another scheme":           func(q *question) { q.token = ""; q.header = with(q.header, "Authorization", "Basic "+p.token) },
		"another cookie":           func(q *question) { q.token = ""; q.header = with(q.header, "Cookie", "token="+p.token) },
		"and a broken body":        func(q *question) { q.token = ""; q.header, q.body = asJSON.header(), []byte("{") },
		"and a bad id": func(q *question) {
			q.token = ""
			q.path = strings.Replace(strings.Fields(o.route)[1], "{id}", "abc", 1)
		},
	} {
		d := defect{name: "session: " + name, status: 401, slug: "unauthenticated", ask: o.question(p, v, asJSON)}
		change(&d.ask)
		all = append(all, d)
	}
	return all
}

// with returns a header with one more line.
func with(header http.Header, name, value string) http.Header {
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(name, value)
	return header
}
