package e2e_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"caesar/client"
)

// platforms are kept in this order, and found by their own text whatever is in it.
var platforms = []string{
	"GitHub", "github enterprise", "百度 Baidu", "百分百", "腾讯云", "100%", "100 percent", "a_b", "aXb", "it's", `it"s`,
	`back\slash`, `back\\slash`, "Ünïcødé", "Straße", "ΣΊΣΥΦΟΣ", "Ｗｉｄｅ", "🐎 horse", "[a-z]*?", "a+b c&d=e#f", "50％", "x",
}

func TestASearchFindsAnyPartOfThePlatformWithoutRegardToCase(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p, other := l.person(), l.person()
	for _, platform := range platforms {
		l.keep(p, platform)
	}
	for _, platform := range []string{"GitHub", "百度 Baidu", "100%"} {
		l.keep(other, platform)
	}
	for wanted, want := range map[string][]string{
		"":                   platforms,
		"hub":                {"GitHub", "github enterprise"},
		"GITHUB":             {"GitHub", "github enterprise"},
		"gIThUB ":            {"github enterprise"},
		"百":                  {"百度 Baidu", "百分百"},
		"百度":                 {"百度 Baidu"},
		"度 BAI":              {"百度 Baidu"},
		"腾讯":                 {"腾讯云"},
		"讯腾":                 nil,
		"%":                  {"100%"},
		"0%":                 {"100%"},
		"1%0":                nil,
		"％":                  {"50％"},
		"_":                  {"a_b"},
		"A_B":                {"a_b"},
		"'":                  {"it's"},
		"' OR '1'='1":        nil,
		"'; DROP TABLE x;--": nil,
		`"`:                  {`it"s`},
		`\`:                  {`back\slash`, `back\\slash`},
		`\\`:                 {`back\\slash`},
		`\%`:                 nil,
		`\_`:                 nil,
		"üNÏCØDÉ":            {"Ünïcødé"},
		"U\u0308ni\u0308":    {"Ünïcødé"}, // the same letters, taken apart
		"strasse":            {"Straße"},
		"STRASSE":            {"Straße"},
		"σίσυφος":            {"ΣΊΣΥΦΟΣ"},
		"🐎":                  {"🐎 horse"},
		"[a-z]":              {"[a-z]*?"},
		"*":                  {"[a-z]*?"},
		"?":                  {"[a-z]*?"},
		"+b c&d=e#":          {"a+b c&d=e#f"},
		"  ":                 nil,
		"nowhere":            nil,
	} {
		// As the whole vault is listed newest first, so is what is found.
		want = slices.Clone(want)
		slices.Reverse(want)
		page, err := p.ListItems(t.Context(), client.ItemQuery{Platform: wanted, Paging: client.Paging{PageSize: 200}})
		if err != nil {
			t.Errorf("searching %q: %v", wanted, err)
			continue
		}
		var found []string
		for _, item := range page.Data {
			found = append(found, item.Platform)
		}
		if !slices.Equal(found, want) || page.Count != int64(len(want)) {
			t.Errorf("searching %q finds %q and counts %d, not %q", wanted, found, page.Count, want)
		}
	}
}

func TestASearchGoesByThePlatformThatAnItemHasNow(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p := l.person()
	id := l.keep(p, "Before")
	after := "后来 After"
	if _, err := p.EditItem(t.Context(), id, p.MainPassword, client.ItemEdit{Name: "n", Password: "p", Platform: &after}); err != nil {
		t.Fatal(err)
	}
	for platform, want := range map[string]int64{"before": 0, "来 AFTER": 1} {
		if page, err := p.ListItems(t.Context(), client.ItemQuery{Platform: platform}); err != nil || page.Count != want {
			t.Errorf("searching %q counts %d, not %d: %v", platform, page.Count, want, err)
		}
	}
}

// listAll asks for the ids that a query of the list finds, as the answer has them.
func (l *lab) listAll(p *person, query url.Values) []string {
	l.t.Helper()
	r := l.ask(question{method: "GET", path: "/api/auth/account?" + query.Encode(), token: p.token})
	if r.status != 200 {
		l.t.Errorf("listing %s answers %d %s", query.Encode(), r.status, r.body)
		return nil
	}
	page, _ := decode(l.t, r.body).(map[string]any)
	var ids []string
	for _, item := range object(page).list("data") {
		ids = append(ids, item.number("id"))
	}
	return ids
}

func TestAQueryTooLongForAnyPlatformIsRefusedAndHarmsNobody(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p := l.person()
	l.keep(p, "x")
	// Within the bounds of a header it is read, and finds nothing.
	if found := l.listAll(p, url.Values{"platform": {strings.Repeat("百", 2000)}}); len(found) != 0 {
		t.Errorf("it found %v", found)
	}
	// Beyond them net/http answers before any of our code, in words of its own.
	l.http.Transport = l.base
	r := l.ask(question{method: "GET", path: "/api/auth/account?platform=" + strings.Repeat("a", 1<<20), token: p.token})
	if r.status != 431 {
		t.Errorf("a query of 1 MiB answers %d %.100s", r.status, r.body)
	}
	if found := l.in(t).listAll(p, nil); len(found) != 1 {
		t.Errorf("after that the list has %v", found)
	}
}
