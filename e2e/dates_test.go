package e2e_test

import (
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// zones are the time zones of servers: at any moment the first two are a day apart.
var zones = []string{"Pacific/Kiritimati", "Etc/GMT+12", "Asia/Shanghai", "America/New_York", "UTC"}

func TestDatesBoundTheListAtBothEndsInTheServersTimeZone(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			l := open(t, append(quick(), testbed.Env("TZ", name))...)
			p := l.person()
			older, newer := twoSeconds(l, p, zone)
			for _, c := range dateCases(older.at, newer.at, zone) {
				query := url.Values{}
				if c.start != "" {
					query.Set("date_start", c.start)
				}
				if c.end != "" {
					query.Set("date_end", c.end)
				}
				var want []string
				if c.newer {
					want = append(want, newer.id)
				}
				if c.older {
					want = append(want, older.id)
				}
				if got := l.listAll(p, query); !slices.Equal(got, want) {
					t.Errorf("from %q to %q: %v, and want %v of %s at %v and %s at %v",
						c.start, c.end, got, want, newer.id, newer.at, older.id, older.at)
				}
			}
		})
	}
}

// kept is an item and when it was created.
type kept struct {
	id string
	at time.Time
}

// twoSeconds keeps items until two were created at different seconds of one day of a zone, and leaves
// only those two.
func twoSeconds(l *lab, p *person, zone *time.Location) (older, newer kept) {
	l.t.Helper()
	older = keepOne(l, p, zone)
	l.eventually("another second has begun", func() bool {
		newer = keepOne(l, p, zone)
		if newer.at.After(older.at) && newer.at.Day() == older.at.Day() {
			return true
		}
		drop := &newer
		if newer.at.Day() != older.at.Day() { // midnight was between the two
			drop = &kept{id: older.id}
			older = newer
		}
		id, _ := strconv.ParseInt(drop.id, 10, 64)
		if err := p.DeleteItem(l.t.Context(), id, p.MainPassword); err != nil {
			l.t.Fatal(err)
		}
		return false
	})
	return older, newer
}

func keepOne(l *lab, p *person, zone *time.Location) kept {
	l.t.Helper()
	id := l.keep(p, "x")
	page, err := p.ListItems(l.t.Context(), client.ItemQuery{Paging: client.Paging{PageSize: 1}})
	if err != nil || len(page.Data) != 1 || page.Data[0].ID != id {
		l.t.Fatalf("item %d is not the newest: %v", id, err)
	}
	return kept{strconv.FormatInt(id, 10), page.Data[0].CreatedAt.Time().In(zone)}
}

// dateCase is a range of dates, and which of two items it holds.
type dateCase struct {
	start, end   string
	older, newer bool
}

func dateCases(older, newer time.Time, zone *time.Location) []dateCase {
	unix := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	day := func(days int) string {
		return time.Date(older.Year(), older.Month(), older.Day()+days, 12, 0, 0, 0, zone).Format(time.DateOnly)
	}
	cases := []dateCase{
		{"", "", true, true},
		// A bare date: as the first its beginning, as the last its end.
		{day(0), "", true, true},
		{"", day(0), true, true},
		{day(0), day(0), true, true},
		{day(-1), day(1), true, true},
		{day(1), "", false, false},
		{"", day(-1), false, false},
		{day(-1), day(-1), false, false},
		{day(1), day(1), false, false},
		{day(1), day(-1), false, false},
		{day(0), unix(older), true, false},
		{unix(newer), day(0), false, true},
		// A bound before all time is one too.
		{"", "0001-01-01T00:00:00Z", false, false},
		{"0001-01-01T00:00:00Z", "", true, true},
		{"0000-01-01", "0001-01-01", false, false},
		{"", "1969-12-31T23:59:59Z", false, false},
	}
	// A moment, however it is written, is in the range at either end.
	for _, write := range []func(time.Time) string{
		unix,
		func(t time.Time) string { return t.Format(time.DateTime) },
		func(t time.Time) string { return t.Format(time.RFC3339) },
		func(t time.Time) string { return t.In(time.FixedZone("", 5*3600+45*60)).Format(time.RFC3339) },
		func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") },
	} {
		cases = append(cases,
			dateCase{write(older), write(newer), true, true},
			dateCase{write(older), write(older), true, false},
			dateCase{write(newer), write(newer), false, true},
			dateCase{write(older.Add(time.Second)), write(newer), false, true},
			dateCase{write(older), write(newer.Add(-time.Second)), true, false},
			dateCase{write(newer.Add(time.Second)), "", false, false},
			dateCase{"", write(older.Add(-time.Second)), false, false},
			dateCase{write(newer), write(older), false, false},
		)
	}
	return cases
}

func TestDatesAndSearchNarrowTogether(t *testing.T) {
	t.Parallel()
	l := open(t, append(quick(), testbed.Env("TZ", "UTC"))...)
	p := l.person()
	l.keep(p, "GitHub")
	id := l.keep(p, "百度")
	before := time.Now().Add(-time.Hour)
	page, err := p.ListItems(t.Context(), client.ItemQuery{Platform: "百", DateStart: before})
	if err != nil || page.Count != 1 || page.Data[0].ID != id {
		t.Errorf("%+v, %v", page, err)
	}
	page, err = p.ListItems(t.Context(), client.ItemQuery{Platform: "百", DateEnd: before})
	if err != nil || page.Count != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}
