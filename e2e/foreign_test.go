package e2e_test

import (
	"maps"
	"strconv"
	"testing"

	"caesar/client"
)

// TestAnothersIDIsAnsweredAsOneThatIsNobodys asks every operation that bears an id for what is another
// user's and for what never was, and demands the same answer to the last byte.
func TestAnothersIDIsAnsweredAsOneThatIsNobodys(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		if !o.bearsID() {
			continue
		}
		t.Run(o.route, func(t *testing.T) {
			t.Parallel()
			l := open(t, quick()...)
			owner, theirs := o.prepare(l)
			p, mine := o.prepare(l)
			before, own := l.sight(owner), l.sight(p)
			for what, change := range map[string]func(*question){
				"sound":           func(*question) {},
				"without a field": func(q *question) { q.body = []byte("{}") },
				"with a bad body": func(q *question) { q.header, q.body = asJSON.header(), []byte("{") },
				"on a far page":   func(q *question) { q.path += "?page=1000000" },
				"on no page":      func(q *question) { q.path += "?page=0" },
				"as a form": func(q *question) {
					if q.body != nil {
						q.header, q.body = asForm.header(), asForm.body(o.pairs(asForm, mine))
					}
				},
				"in English": func(q *question) { q.header = with(q.header, "Accept-Language", "en") },
			} {
				foreign, absent := o.askFor(l, p, mine, theirs["id"], change), o.askFor(l, p, mine, "9007199254740991", change)
				compareReplies(t, what, foreign, absent)
				if what == "sound" && (foreign.status != 404 || foreign.problem(t).Slug != client.NotFound) {
					t.Errorf("another's id answers %d %s", foreign.status, foreign.body)
				}
			}
			if l.sight(owner) != before || l.sight(p) != own {
				t.Error("it changed something")
			}
			o.guessMainPassword(l, owner, p, mine, theirs["id"])
			if r := l.ask(o.question(owner, theirs, asJSON)); r.status != 200 {
				t.Errorf("the owner is answered %d %s", r.status, r.body)
			}
		})
	}
}

func (o operation) askFor(l *lab, p *person, v values, id string, change func(*question)) reply {
	l.t.Helper()
	v = maps.Clone(v)
	v["id"] = id
	q := o.question(p, v, asJSON)
	change(&q)
	return l.ask(q)
}

// compareReplies demands two answers that differ in nothing but the request's id and the clock.
func compareReplies(t *testing.T, what string, a, b reply) {
	t.Helper()
	for _, r := range []reply{a, b} {
		r.header.Del("X-Request-Id")
		r.header.Del("Date")
	}
	same := maps.EqualFunc(a.header, b.header, func(a, b []string) bool { return len(a) == len(b) && a[0] == b[0] })
	if a.status != b.status || string(a.body) != string(b.body) || !same {
		t.Errorf("%s: another's id answers %d %v %s\nand an absent one %d %v %s", what, a.status, a.header, a.body, b.status, b.header, b.body)
	}
}

// guessMainPassword shows a wrong main password with another's id: that too tells nothing, and stands in
// nobody's log but the guesser's.
func (o operation) guessMainPassword(l *lab, owner, p *person, v values, id string) {
	l.t.Helper()
	if _, ok := v["main_password"]; !ok || len(o.fields) == 0 {
		return
	}
	v = maps.Clone(v)
	v["main_password"] = "not the main password"
	before := l.sight(owner)
	foreign, absent := o.askFor(l, p, v, id, func(*question) {}), o.askFor(l, p, v, "9007199254740991", func(*question) {})
	if foreign.status != 400 || string(foreign.body) != string(absent.body) {
		l.t.Errorf("a wrong main password is answered %s for another's id, and %s for an absent one", foreign.body, absent.body)
	}
	if l.sight(owner) != before {
		l.t.Error("the owner sees that somebody else guessed")
	}
	log, err := p.Log(l.t.Context(), client.Paging{PageSize: 2})
	if err != nil || log.Data[0].Type != client.WrongMainPassword || log.Data[1].Type != client.WrongMainPassword ||
		log.Data[0].ItemID != 9007199254740991 || strconv.FormatInt(log.Data[1].ItemID, 10) != id {
		l.t.Errorf("the guesser's log is %+v, %v", log, err)
	}
}
