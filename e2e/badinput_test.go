package e2e_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestBadInputIsRefusedAndChangesNothing sends each operation a sound request with one thing wrong, for
// all that can be wrong with it, and looks each time whether the answer says what it is and whether
// anything was changed. Last it sends the sound request, which shows that nothing else was wrong.
func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	w := watch(l)
	for _, o := range operations { // one after the other: nobody else is to change anything
		t.Run(o.route, func(t *testing.T) {
			l := l.in(t)
			p, v := o.prepare(l)
			defects := slices.Concat(o.fieldDefects(p, v), o.bodyDefects(p, v), o.queryDefects(p, v), o.idDefects(p, v), o.sessionDefects(l, p, v))
			w := &witness{l: l, db: w.db, query: w.query}
			w.settle()
			before := l.sight(p)
			for _, d := range defects {
				l.refused(d)
				if w.changed() {
					t.Errorf("%s: it changed something", d.name)
					w.settle()
				}
			}
			if l.sight(p) != before {
				t.Error("the user sees something else than before")
			}
			t.Logf("%d requests refused", len(defects))
			if r := l.ask(o.question(p, v, asJSON)); r.status != 200 {
				t.Errorf("the sound request answers %d %s", r.status, r.body)
			}
		})
	}
}

// refused sends a request that has a defect, and demands the answer that names it.
func (l *lab) refused(d defect) {
	l.t.Helper()
	r := l.ask(d.ask)
	if r.status != d.status {
		l.t.Errorf("%s: answers %d %.300s, not %d", d.name, r.status, r.body, d.status)
		return
	}
	p := r.problem(l.t)
	if names := slices.Sorted(maps.Keys(p.Fields)); p.Slug != d.slug || !slices.Equal(names, d.fields) {
		l.t.Errorf("%s: answers %s at %v, not %s at %v", d.name, p.Slug, names, d.slug, d.fields)
	}
	if strings.Contains(string(r.body), "horse") || strings.Contains(string(r.body), "staple") {
		l.t.Errorf("%s: the answer repeats a password: %s", d.name, r.body)
	}
}
