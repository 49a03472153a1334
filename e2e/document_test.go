package e2e_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// operation003 is an operation as document 003 (凯撒密码API v1.0.0) shows it.
type operation003 struct {
	body   string // the example of the request's body, to the letter; empty where there is none
	query  []string
	answer string // the example of the answer, to the letter
	more   string // the same way, what our answer has besides, as api/openapi.yaml documents
}

// document003 holds every operation of document 003.
var document003 = map[string]operation003{
	"GET /api/captcha": {answer: `{"id": "string", "image": "string"}`},
	"POST /api/register": {
		body: `{"user_name": "string", "real_name": "string", "email": "string", "password": "string", "re_password": "string",
			"main_password": "string", "phone": "string", "captcha": "string", "captcha_id": "string"}`,
		answer: `{"id": 0, "message": "string"}`,
	},
	"PUT /api/email":       {body: `{"email": "string", "type": "string"}`, answer: `{"message": "string"}`},
	"POST /api/activation": {body: `{"email": "string", "code": "string"}`, answer: `{"message": "string"}`},
	"POST /api/password": {
		body:   `{"email": "string", "code": "string", "password": "string", "re_password": "string"}`,
		answer: `{"message": "string"}`,
	},
	"POST /api/login": {
		body:   `{"user_name": "string", "password": "string", "captcha": "string", "captcha_id": "string"}`,
		answer: `{"token": "string"}`,
	},
	"DELETE /api/auth/logout": {answer: `{"message": "string"}`},
	"GET /api/auth/me": {
		body:   `{}`,
		answer: `{"email": "string", "phone": "string", "real_name": "string"}`,
		more: `{"id": 0, "user_name": "string", "career": "string", "birth_date": "string", "main_password_set": true,
			"created_at": 0}`,
	},
	"PUT /api/auth/me": {
		body:   `{"real_name": "string", "email": "string", "phone": "string"}`,
		answer: `{"message": "string"}`,
	},
	"POST /api/auth/account": {
		body: `{"name": "string", "email": "string", "password": "string", "main_password": "string", "platform": "string",
			"url": "string"}`,
		answer: `{"id": 0, "message": "string"}`,
	},
	"GET /api/auth/account": {
		query: []string{"page", "page_size", "platform", "date_start", "date_end"},
		answer: `{"data": [{"id": 0, "user_id": 0, "name": "string", "email": "string", "password": "string",
			"platform": "string", "url": "string", "created_at": 0, "updated_at": 0}], "count": 0, "page": 0, "page_size": 0}`,
	},
	"POST /api/auth/account/{id}": {
		body:   `{"main_password": "string"}`,
		answer: `{"email": "string", "name": "string", "password": "string"}`,
	},
	"PUT /api/auth/account/{id}": {
		body:   `{"main_password": "string", "name": "string", "email": "string", "password": "string"}`,
		answer: `{"email": "string", "id": 0, "name": "string", "password": "string", "updated_at": 0}`,
	},
	"DELETE /api/auth/account/{id}": {body: `{"main_password": "string"}`, answer: `{"message": "string"}`},
	"GET /api/auth/account/{id}/log": {
		query: []string{"page", "page_size"},
		answer: `{"data": [{"id": 0, "account_id": 0, "type": 0, "created_at": 0, "updated_at": 0}], "count": 0, "page": 0,
			"page_size": 0}`,
	},
}

// extensions are the operations under /api that document 003 does not have, in the same form.
var extensions = map[string]operation003{
	"DELETE /api/auth/me": {body: `{"password": "string"}`, answer: `{"message": "string"}`},
	"PUT /api/auth/password": {
		body:   `{"old_password": "string", "password": "string", "re_password": "string"}`,
		answer: `{"message": "string"}`,
	},
	"PUT /api/auth/main_password": {
		body:   `{"main_password": "string", "old_main_password": "string"}`,
		answer: `{"message": "string"}`,
	},
	"DELETE /api/auth/session": {answer: `{"message": "string"}`},
	"GET /api/auth/sessions": {
		answer: `{"data": [{"id": 0, "current": true, "client": "string", "address": "string", "created_at": 0,
			"last_used_at": 0, "expires_at": 0}]}`,
	},
	"DELETE /api/auth/sessions":      {answer: `{"message": "string"}`},
	"DELETE /api/auth/sessions/{id}": {answer: `{"message": "string"}`},
	"GET /api/auth/log": {
		query: []string{"page", "page_size"},
		answer: `{"data": [{"id": 0, "account_id": 0, "type": 0, "created_at": 0, "updated_at": 0}], "count": 0, "page": 0,
			"page_size": 0}`,
	},
}

// values are what is put in the place of an example's "string".
type values map[string]string

// object is an answer. Numbers are json.Number.
type object map[string]any

// text returns a member that is text.
func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// number returns a member that is a number, as it is written.
func (o object) number(name string) string {
	n, _ := o[name].(json.Number)
	return n.String()
}

// list returns the objects of a list.
func (o object) list(name string) []object {
	var list []object
	elements, _ := o[name].([]any)
	for _, element := range elements {
		member, _ := element.(map[string]any)
		list = append(list, member)
	}
	return list
}

// story is the life of one user in one encoding.
type story struct {
	*lab
	encoding encoding
	token    string
	told     map[string]bool
}

// tell sends the document's own example with values in it, and holds the answer against the document's.
// An id in the values goes into the path; the query's parameters go there.
func (s *story) tell(route string, v values) object {
	s.t.Helper()
	example, ok := document003[route]
	if !ok {
		example, ok = extensions[route]
	}
	if !ok {
		s.t.Fatalf("no document has %s", route)
	}
	s.told[route] = true
	left := maps.Clone(v)
	method, path, _ := strings.Cut(route, " ")
	if strings.Contains(path, "{id}") {
		path = strings.Replace(path, "{id}", left["id"], 1)
		delete(left, "id")
	}
	query := url.Values{}
	for _, name := range example.query {
		if value, sent := left[name]; sent {
			query.Set(name, value)
			delete(left, name)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	q := question{method: method, path: path, token: s.token}
	if example.body != "" {
		q.header, q.body = s.encoding.header(), s.fill(route, example.body, left)
	}
	if len(left) > 0 {
		s.t.Fatalf("%s has no %v", route, slices.Collect(maps.Keys(left)))
	}
	r := s.ask(q)
	if r.status != 200 {
		s.t.Fatalf("%s answers %d %s", route, r.status, r.body)
	}
	got, _ := decode(s.t, r.body).(map[string]any)
	want, _ := decode(s.t, []byte(example.answer)).(map[string]any)
	if example.more != "" {
		more, _ := decode(s.t, []byte(example.more)).(map[string]any)
		maps.Copy(want, more)
	}
	compareShape(s.t, route, got, want)
	return got
}

// fill puts the values that an example wants into it, and takes them out of v.
func (s *story) fill(route, example string, v values) []byte {
	s.t.Helper()
	fields, _ := decode(s.t, []byte(example)).(map[string]any)
	var pairs []pair
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value, sent := v[name]
		if !sent {
			s.t.Fatalf("%s wants %s", route, name)
		}
		pairs = append(pairs, sound(s.encoding, name, value))
		delete(v, name)
	}
	return s.encoding.body(pairs)
}

// sound is a field as a client writes it.
func sound(e encoding, name, value string) pair {
	switch e {
	case asForm:
		return pair{name, url.QueryEscape(value)}
	case asParts:
		return pair{name, value}
	default:
		encoded, err := json.Marshal(value)
		if err != nil {
			panic(err) // text can be marshalled
		}
		return pair{name, string(encoded)}
	}
}

func decode(t testing.TB, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("read %s: %v", text, err)
	}
	return v
}

// compareShape demands the same names, and values of the same kinds, whole numbers among them.
func compareShape(t testing.TB, where string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if names := slices.Sorted(maps.Keys(object)); !ok || !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
			t.Errorf("%s answers an object of %v, and the document has %v", where, names, slices.Sorted(maps.Keys(want)))
			return
		}
		for name := range want {
			compareShape(t, where+"."+name, object[name], want[name])
		}
	case []any:
		list, ok := got.([]any)
		if !ok {
			t.Errorf("%s is %v, and the document has a list", where, got)
		}
		for _, element := range list {
			compareShape(t, where+"[]", element, want[0])
		}
	case json.Number:
		number, ok := got.(json.Number)
		if _, err := number.Int64(); !ok || err != nil {
			t.Errorf("%s is %v, and the document has a whole number", where, got)
		}
	case string:
		if _, ok := got.(string); !ok {
			t.Errorf("%s is %v, and the document has text", where, got)
		}
	case bool:
		if _, ok := got.(bool); !ok {
			t.Errorf("%s is %v, and the document has true or false", where, got)
		}
	}
}
