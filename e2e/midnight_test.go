package e2e_test

import (
	"encoding/binary"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// TestADayEndsWithItsLastSecond keeps items before and after midnight, in a zone of the test's own making
// in which it is midnight in a moment.
func TestADayEndsWithItsLastSecond(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "zone")
	writeZone(t, file, time.UTC)
	l := open(t, append(quick(), testbed.Env("TZ", file))...)
	p := l.person()
	var before, after []string
	var day time.Time
	for tries := 10; day.IsZero(); tries-- {
		if tries == 0 {
			t.Fatal("the machine was too slow to keep items on both sides of midnight")
		}
		midnight := time.Now().Truncate(time.Second).Add(3 * time.Second)
		zone := zoneOfMidnight(midnight)
		writeZone(t, file, zone)
		l.Restart()
		deleteAll(l, p)
		before, after = keepAround(l, p, midnight, zone)
		if before != nil && after != nil {
			day = midnight.Add(-time.Second).In(zone)
		}
	}
	slices.Reverse(before)
	slices.Reverse(after)
	this, next := day.Format(time.DateOnly), day.Add(time.Second).Format(time.DateOnly)
	for _, c := range []struct {
		start, end string
		want       []string
	}{
		{this, this, before},
		{next, next, after},
		{this, next, append(slices.Clone(after), before...)},
		{"", this, before},
		{next, "", after},
		{"", this + " 23:59:59", before},
		{next + " 00:00:00", "", after},
	} {
		query := url.Values{"date_start": {c.start}, "date_end": {c.end}, "page_size": {"200"}}
		if got := l.listAll(p, query); !slices.Equal(got, c.want) {
			t.Errorf("from %q to %q: %v, not %v", c.start, c.end, got, c.want)
		}
	}
}

// keepAround keeps items from a second before midnight to a second after it, oldest first, or returns nil
// for a side of which it missed the second next to midnight.
func keepAround(l *lab, p *person, midnight time.Time, zone *time.Location) (before, after []string) {
	l.t.Helper()
	var last, first bool
	pace := time.NewTicker(50 * time.Millisecond) // all have to fit on one page
	defer pace.Stop()
	for ; time.Since(midnight) < time.Second; <-pace.C {
		if time.Until(midnight) > time.Second {
			continue
		}
		item := keepOne(l, p, zone)
		if item.at.Before(midnight) {
			before = append(before, item.id)
		} else {
			after = append(after, item.id)
		}
		last = last || item.at.Equal(midnight.Add(-time.Second))
		first = first || item.at.Equal(midnight)
	}
	if !last {
		before = nil
	}
	if !first {
		after = nil
	}
	return before, after
}

// zoneOfMidnight is a zone in which a moment is midnight.
func zoneOfMidnight(t time.Time) *time.Location {
	const day = 24 * 60 * 60
	offset := day - int(t.Unix()%day)
	if offset > day/2 {
		offset -= day
	}
	return time.FixedZone("TEST", offset)
}

// writeZone writes a zone of one offset as a file of time zone information (RFC 8536, version 1).
func writeZone(t *testing.T, path string, zone *time.Location) {
	t.Helper()
	_, offset := time.Now().In(zone).Zone()
	file := append([]byte("TZif"), make([]byte, 16)...)
	for _, count := range []uint32{0, 0, 0, 0, 1, 5} { // one local time type, five octets of designations
		file = binary.BigEndian.AppendUint32(file, count)
	}
	file = binary.BigEndian.AppendUint32(file, uint32(int32(offset)))
	file = append(file, "\x00\x00TEST\x00"...)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func deleteAll(l *lab, p *person) {
	l.t.Helper()
	page, err := p.ListItems(l.t.Context(), client.ItemQuery{Paging: client.Paging{PageSize: 200}})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, item := range page.Data {
		if err := p.DeleteItem(l.t.Context(), item.ID, p.MainPassword); err != nil {
			l.t.Fatal(err)
		}
	}
}
