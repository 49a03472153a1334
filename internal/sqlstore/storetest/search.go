package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"caesar/internal/vault"
)

var searches = []test{
	{"a search finds any part of a platform, literally", aSearchIsLiteral},
	{"every page of every search is what it should be", everyPageOfEverySearch},
	{"a page past any end is empty and still counts", aPagePastAnyEnd},
	{"both ends of a range of dates are included", bothEndsAreIncluded},
}

// platforms hold what a pattern, a quote or a fold could be misread from.
var platforms = []string{
	"GitHub", "github enterprise", "GitLab", "微信", "微博", "支付宝 Alipay", "100% 折扣", "1000 折扣", "under_score", "underXscore",
	`back\slash`, "O'Reilly", `"quoted"`, "Straße", "STRASSE", "Ünïcode", "U\u0308nicode", "İstanbul", "Ὀδυσσεύς", "emoji 🏛️ Rome", "-- comment", "*", "a?b",
}

func aSearchIsLiteral(f *fixture) {
	id := f.person("marcus")
	for _, platform := range platforms {
		f.item(id, platform)
	}
	for typed, want := range map[string][]string{
		"":           platforms,
		"git":        {"GitHub", "github enterprise", "GitLab"},
		"HUB":        {"GitHub", "github enterprise"},
		"微":          {"微信", "微博"},
		"微信":         {"微信"},
		"宝 a":        {"支付宝 Alipay"},
		"0%":         {"100% 折扣"},
		"%":          {"100% 折扣"},
		"_":          {"under_score"},
		"under_":     {"under_score"},
		`\`:          {`back\slash`},
		"'":          {"O'Reilly"},
		`"`:          {`"quoted"`},
		"strasse":    {"Straße", "STRASSE"},
		"STRAßE":     {"Straße", "STRASSE"},
		"ünï":        {"Ünïcode"},
		"ü":          {"Ünïcode", "U\u0308nicode"},
		"U\u0308":    {"Ünïcode", "U\u0308nicode"},
		"ὀδυσσεύσ":   {"Ὀδυσσεύς"},
		"🏛":          {"emoji 🏛️ Rome"},
		"--":         {"-- comment"},
		"*":          {"*"},
		"?":          {"a?b"},
		"nowhere":    nil,
		"' OR 1=1--": nil,
		"github ":    {"github enterprise"},
	} {
		list, count, err := f.Items(f.Context(), id, vault.Query{Page: page, Platform: vault.Fold(typed)})
		f.must(err)
		got := make([]string, len(list))
		for i, item := range list {
			got[len(list)-1-i] = item.Platform
		}
		if !slices.Equal(got, want) || count != int64(len(want)) {
			f.Errorf("%q finds %d: %q, want %q", typed, count, got, want)
		}
	}
	// What is longer than any platform is found in none, however it is made.
	for _, typed := range []string{"%", "_", `\`, "a", "微"} {
		_, count, err := f.Items(f.Context(), id, vault.Query{Page: page, Platform: strings.Repeat(typed, 32<<10)})
		f.must(err)
		equal(f, "items found", count, 0)
	}
}

// everyPageOfEverySearch compares the store with a slice.
func everyPageOfEverySearch(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	var all []vault.Item
	for i := range 230 {
		at := noon.Add(time.Duration(i/2) * time.Second)
		for _, owner := range []int64{id, other}[:1+i%2] {
			item, err := f.CreateItem(f.Context(), owner, sealAs(owner, platforms[i%len(platforms)], at))
			f.must(err)
			if owner == id {
				all = append(all, item)
			}
		}
	}
	f.says(true)(f.DeleteItem(f.Context(), id, all[100].ID, noon))
	all = slices.Delete(all, 100, 101)
	slices.Reverse(all)

	for _, q := range []vault.Query{
		{},
		{Platform: "git"},
		{Platform: "微"},
		{Platform: "微博"},
		{Platform: "nowhere"},
		{From: noon.Add(50 * time.Second)},
		{Until: noon.Add(50 * time.Second)},
		{From: noon.Add(20 * time.Second), Until: noon.Add(70 * time.Second)},
		{From: noon.Add(70 * time.Second), Until: noon.Add(20 * time.Second)},
		{Platform: "git", From: noon.Add(20 * time.Second), Until: noon.Add(70 * time.Second)},
	} {
		want := slices.DeleteFunc(slices.Clone(all), func(item vault.Item) bool { return !matches(item, q) })
		for _, size := range []int64{7, 20, 199, 200} {
			for number := int64(1); number <= int64(len(want))/size+2; number++ {
				q.Page = vault.Page{Number: number, Size: size}
				f.comparePage(id, q, want)
			}
		}
	}
}

func matches(item vault.Item, q vault.Query) bool {
	return strings.Contains(vault.Fold(item.Platform), q.Platform) &&
		!item.CreatedAt.Before(q.From) && (q.Until.IsZero() || !item.CreatedAt.After(q.Until))
}

func (f *fixture) comparePage(userID int64, q vault.Query, matching []vault.Item) {
	f.Helper()
	list, count, err := f.Items(f.Context(), userID, q)
	f.must(err)
	from := min(q.Page.Offset(), int64(len(matching)))
	want := matching[from:min(from+q.Page.Size, int64(len(matching)))]
	if count != int64(len(matching)) || !slices.Equal(ids(list), ids(want)) {
		f.Fatalf("%+v: %d of %d, want %d of %d", q, ids(list), count, ids(want), len(matching))
	}
}

func ids(items []vault.Item) []int64 {
	var ids []int64
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	return ids
}

func aPagePastAnyEnd(f *fixture) {
	id := f.person("marcus")
	list, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
	f.must(err)
	if list == nil || len(list) != 0 || count != 0 {
		f.Errorf("of no items the list is %#v, the count %d", list, count)
	}
	item := f.item(id, "github")
	for _, p := range []vault.Page{{Number: 2, Size: 1}, {Number: 2, Size: 200}, {Number: 1 << 53, Size: 200}, {Number: math.MaxInt64 / 200, Size: 200}} {
		for _, platform := range []string{"", "git"} {
			list, count, err := f.Items(f.Context(), id, vault.Query{Page: p, Platform: platform})
			f.must(err)
			if list == nil || len(list) != 0 || count != 1 {
				f.Errorf("page %+v is %#v, the count %d", p, list, count)
			}
		}
		entries, count, err := f.Log(f.Context(), id, p)
		f.must(err)
		if entries == nil || len(entries) != 0 || count != 1 {
			f.Errorf("page %+v of the log is %#v, the count %d", p, entries, count)
		}
		entries, count, err = f.ItemLog(f.Context(), id, item.ID, p)
		f.must(err)
		if entries == nil || len(entries) != 0 || count != 1 {
			f.Errorf("page %+v of the item's log is %#v, the count %d", p, entries, count)
		}
	}
}

func bothEndsAreIncluded(f *fixture) {
	id := f.person("marcus")
	f.item(id, "github")
	second := time.Second
	for _, c := range []struct {
		from, until time.Time
		want        int64
	}{
		{noon, noon, 1},
		{noon.Add(-second), noon.Add(second), 1},
		{noon.Add(second), time.Time{}, 0},
		{time.Time{}, noon.Add(-second), 0},
		{noon, time.Time{}, 1},
		{time.Time{}, noon, 1},
		{time.Unix(0, 0), time.Unix(99_999_999_999, 0), 1},
		{time.Unix(0, 0), time.Unix(0, 0), 0},
	} {
		_, count, err := f.Items(f.Context(), id, vault.Query{Page: page, From: c.from, Until: c.until})
		f.must(err)
		equal(f, fmt.Sprintf("items from %v until %v", c.from.Unix(), c.until.Unix()), count, c.want)
	}
}
