package e2e_test

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caesar/client"
)

// operation is an operation under /api and what it asks for.
type operation struct {
	route  string // "METHOD /path"
	open   bool   // asks for no session
	fields []field
	query  []string
	// prepare makes somebody for whom the operation would succeed, and the values with which it would.
	// It is sent once, after all that is wrong with it was tried.
	prepare func(l *lab) (*person, values)
}

// field is a field of an operation's body and what may not stand in it.
type field struct {
	name     string
	wrong    []wrong
	optional bool // may be left out
	later    bool // is missed only where the others are right: it depends on the user whether it must be sent
}

// operations holds all of them.
var operations = []operation{
	{route: "GET /api/captcha", open: true, prepare: somebody},
	{
		route: "POST /api/register", open: true,
		fields: []field{
			{name: "user_name", wrong: wrongNames},
			{name: "real_name", wrong: wrongRealNames},
			{name: "email", wrong: wrongEmails},
			{name: "phone", wrong: wrongPhones},
			{name: "password", wrong: wrongNewPasswords},
			{name: "re_password", wrong: wrongRepetitions},
			{name: "main_password", wrong: wrongNewPasswords},
			{name: "captcha"},
			{name: "captcha_id"},
		},
		prepare: prepareRegister,
	},
	{
		route: "PUT /api/email", open: true,
		fields:  []field{{name: "email", wrong: wrongEmails}, {name: "type", wrong: wrongTypes}},
		prepare: preparePersonal(func(p *person) values { return values{"email": p.Email, "type": "password"} }),
	},
	{
		route: "POST /api/activation", open: true,
		fields: []field{{name: "email", wrong: wrongEmails}, {name: "code", wrong: wrongCodes}},
		prepare: func(l *lab) (*person, values) {
			p := l.newcomer()
			return p, values{"email": p.Email, "code": l.code(p, client.ForActivation)}
		},
	},
	{
		route: "POST /api/password", open: true,
		fields: []field{
			{name: "email", wrong: wrongEmails},
			{name: "code", wrong: wrongCodes},
			{name: "password", wrong: wrongNewPasswords},
			{name: "re_password", wrong: wrongRepetitions},
		},
		prepare: func(l *lab) (*person, values) {
			p := l.person()
			code := l.code(p, client.ForPassword)
			return p, values{"email": p.Email, "code": code, "password": "a new horse", "re_password": "a new horse"}
		},
	},
	{
		route: "POST /api/login", open: true,
		fields: []field{
			{name: "user_name", wrong: wrongHandles}, {name: "password", wrong: wrongPasswords}, {name: "captcha"}, {name: "captcha_id"},
		},
		prepare: preparePersonal(func(p *person) values {
			return values{"user_name": p.UserName, "password": p.Password, "captcha": "", "captcha_id": ""}
		}),
	},
	{route: "GET /api/auth/me", prepare: somebody},
	{
		route: "PUT /api/auth/me",
		fields: []field{
			{name: "real_name", wrong: wrongRealNames}, {name: "email", wrong: wrongEmails}, {name: "phone", wrong: wrongPhones},
		},
		prepare: preparePersonal(func(p *person) values {
			return values{"real_name": "Ada", "email": "ada." + p.Email, "phone": "1"}
		}),
	},
	{
		route:   "DELETE /api/auth/me",
		fields:  []field{{name: "password", wrong: wrongPasswords}},
		prepare: preparePersonal(func(p *person) values { return values{"password": p.Password} }),
	},
	{route: "DELETE /api/auth/logout", prepare: somebody},
	{
		route: "PUT /api/auth/password",
		fields: []field{
			{name: "old_password", wrong: wrongPasswords},
			{name: "password", wrong: wrongNewPasswords},
			{name: "re_password", wrong: wrongRepetitions},
		},
		prepare: preparePersonal(func(p *person) values {
			return values{"old_password": p.Password, "password": "a new horse", "re_password": "a new horse"}
		}),
	},
	{
		route:  "PUT /api/auth/main_password",
		fields: []field{{name: "main_password", wrong: wrongNewPasswords}, {name: "old_main_password", wrong: wrongPasswords, later: true}},
		prepare: preparePersonal(func(p *person) values {
			return values{"main_password": "a new staple", "old_main_password": p.MainPassword}
		}),
	},
	{route: "DELETE /api/auth/session", prepare: somebody},
	{route: "GET /api/auth/sessions", prepare: somebody},
	{route: "DELETE /api/auth/sessions", prepare: somebody},
	{route: "DELETE /api/auth/sessions/{id}", prepare: prepareSession},
	{
		route: "POST /api/auth/account",
		fields: []field{
			{name: "name", wrong: wrongItemNames},
			{name: "email", wrong: wrongItemEmails},
			{name: "password", wrong: wrongItemPasswords},
			{name: "main_password", wrong: wrongPasswords},
			{name: "platform", wrong: wrongPlatforms},
			{name: "url", wrong: wrongURLs},
		},
		prepare: preparePersonal(func(p *person) values {
			return values{"name": "n", "email": "", "password": "p", "main_password": p.MainPassword, "platform": "x", "url": ""}
		}),
	},
	{route: "GET /api/auth/account", query: []string{"page", "page_size", "platform", "date_start", "date_end"}, prepare: somebody},
	{
		route:   "POST /api/auth/account/{id}",
		fields:  []field{{name: "main_password", wrong: wrongPasswords}},
		prepare: prepareItem(nil),
	},
	{
		route: "PUT /api/auth/account/{id}",
		fields: []field{
			{name: "main_password", wrong: wrongPasswords},
			{name: "name", wrong: wrongItemNames},
			{name: "email", wrong: wrongItemEmails},
			{name: "password", wrong: wrongItemPasswords},
			{name: "platform", wrong: wrongPlatforms, optional: true},
			{name: "url", wrong: wrongURLs, optional: true},
		},
		prepare: prepareItem(values{"name": "n", "email": "", "password": "p", "platform": "y", "url": ""}),
	},
	{
		route:   "DELETE /api/auth/account/{id}",
		fields:  []field{{name: "main_password", wrong: wrongPasswords}},
		prepare: prepareItem(nil),
	},
	{route: "GET /api/auth/account/{id}/log", query: []string{"page", "page_size"}, prepare: prepareItem(nil)},
	{route: "GET /api/auth/log", query: []string{"page", "page_size"}, prepare: somebody},
}

// somebody has an item, a log and two sessions to lose, and nothing to send.
func somebody(l *lab) (*person, values) {
	l.t.Helper()
	p := l.person()
	l.keep(p, "x")
	l.login(p)
	return p, values{}
}

func preparePersonal(sound func(*person) values) func(*lab) (*person, values) {
	return func(l *lab) (*person, values) {
		p, _ := somebody(l)
		return p, sound(p)
	}
}

func prepareRegister(l *lab) (*person, values) {
	p := l.stranger()
	return p, values{
		"user_name": p.UserName, "real_name": p.RealName, "email": p.Email, "phone": p.Phone, "password": p.Password,
		"re_password": p.Password, "main_password": p.MainPassword, "captcha": "", "captcha_id": "",
	}
}

func prepareSession(l *lab) (*person, values) {
	l.t.Helper()
	p, _ := somebody(l)
	sessions, err := p.Sessions(l.t.Context())
	if err != nil || sessions[0].Current {
		l.t.Fatalf("%+v, %v", sessions, err)
	}
	return p, values{"id": strconv.FormatInt(sessions[0].ID, 10)}
}

func prepareItem(sound values) func(*lab) (*person, values) {
	return func(l *lab) (*person, values) {
		p, _ := somebody(l)
		v := values{"id": strconv.FormatInt(l.keep(p, "mine"), 10), "main_password": p.MainPassword}
		maps.Copy(v, sound)
		return p, v
	}
}

// method and path of an operation, with the id of the values in it.
func (o operation) method() string { return strings.Fields(o.route)[0] }

func (o operation) path(v values) string {
	return strings.Replace(strings.Fields(o.route)[1], "{id}", url.PathEscape(v["id"]), 1)
}

func (o operation) bearsID() bool { return strings.Contains(o.route, "{id}") }

// missed are the names, sorted, of the fields that the answer to an empty body names.
func (o operation) missed() []string {
	var names []string
	for _, f := range o.fields {
		if !f.optional && !f.later {
			names = append(names, f.name)
		}
	}
	slices.Sort(names)
	return names
}

// pairs are the fields of a body with sound values.
func (o operation) pairs(e encoding, v values) []pair {
	var pairs []pair
	for _, f := range o.fields {
		pairs = append(pairs, sound(e, f.name, v[f.name]))
	}
	return pairs
}

// question asks for the operation with sound values.
func (o operation) question(p *person, v values, e encoding) question {
	q := question{method: o.method(), path: o.path(v)}
	if !o.open {
		q.token = p.token
	}
	if len(o.fields) > 0 {
		q.header, q.body = e.header(), e.body(o.pairs(e, v))
	}
	return q
}

func TestTheTableOfBadInputHoldsEveryOperation(t *testing.T) {
	t.Parallel()
	for _, documents := range []map[string]operation003{document003, extensions} {
		for route, example := range documents {
			i := slices.IndexFunc(operations, func(o operation) bool { return o.route == route })
			if i < 0 {
				t.Errorf("%s is not in the table", route)
				continue
			}
			if example.body == "" {
				example.body = "{}"
			}
			fields, _ := decode(t, []byte(example.body)).(map[string]any)
			for _, f := range operations[i].fields {
				if _, ok := fields[f.name]; ok == f.optional {
					t.Errorf("%s: %s must be sent: the document %t, the table %t", route, f.name, ok, !f.optional)
				}
				delete(fields, f.name)
			}
			if len(fields) > 0 {
				t.Errorf("%s wants %v, which the table does not have", route, slices.Collect(maps.Keys(fields)))
			}
			if !slices.Equal(operations[i].query, example.query) {
				t.Errorf("%s takes %v, and the table has %v", route, example.query, operations[i].query)
			}
		}
	}
}
