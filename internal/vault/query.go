package vault

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"caesar/internal/casefold"
)

// Page is one page of a list. Number counts from 1.
type Page struct {
	Number, Size int64
}

// The bounds of a page.
const (
	DefaultPageSize = 20
	MaxPageSize     = 200
)

// Offset is how many rows come before the page.
func (p Page) Offset() int64 { return (p.Number - 1) * p.Size }

// Query chooses items. The zero value of each filter chooses all.
type Query struct {
	Page Page
	// Platform is folded text, any part of the platform's folded text.
	Platform string
	// From and Until bound created_at, both ends included, to the second.
	From, Until time.Time
}

// Fold returns the form of a text in which the search compares: composed, without regard to case.
// It is stored beside the text, as no database folds like another.
func Fold(s string) string {
	if isPlainASCII(s) {
		return strings.ToLower(s)
	}
	// Folding can take a composed text apart (U+0130), so composing comes last.
	return norm.NFC.String(casefold.String(norm.NFC.String(s)))
}

func isPlainASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// dateLayouts are the forms of a point in time that name their day and second. Those without a zone
// are in the server's.
var dateLayouts = []string{time.DateTime, "2006-01-02T15:04:05", time.RFC3339}

// ParseFrom reads the first moment of a range: YYYY-MM-DD, YYYY-MM-DD HH:MM:SS, RFC 3339 or Unix
// seconds.
func ParseFrom(s string, zone *time.Location) (t time.Time, ok bool) {
	if y, m, d, ok := parseDay(s); ok {
		return startOfDay(y, m, d, zone), true
	}
	return parseMoment(s, zone)
}

// ParseUntil reads the last moment of a range, as ParseFrom; a bare date means its whole day.
func ParseUntil(s string, zone *time.Location) (t time.Time, ok bool) {
	if y, m, d, ok := parseDay(s); ok {
		// The next day less a second, not 24 hours on: days of 23 and 25 hours exist.
		return startOfDay(y, m, d+1, zone).Add(-time.Second), true
	}
	return parseMoment(s, zone)
}

func parseMoment(s string, zone *time.Location) (t time.Time, ok bool) {
	for _, layout := range dateLayouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.Truncate(time.Second), true
		}
	}
	seconds, ok := unixSeconds(s)
	return time.Unix(seconds, 0), ok
}

func parseDay(s string) (year int, month time.Month, day int, ok bool) {
	t, err := time.Parse(time.DateOnly, s)
	year, month, day = t.Date()
	return year, month, day, err == nil
}

// startOfDay returns the first moment of a day. Where clocks are put forward at midnight the day does not
// begin at 0:00, for which package time may give a moment of the day before; where they are put back
// within the first hour, 0:00 comes twice.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if t.Day() != time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() {
		_, forward := t.ZoneBounds()
		return forward
	}
	if last := t.Add(-time.Second); last.Day() == t.Day() {
		h, m, s := last.Clock()
		return last.Add(-time.Duration(h*3600+m*60+s) * time.Second)
	}
	return t
}

// unixSeconds reads up to 11 decimal digits: more would be milliseconds, sent by mistake.
func unixSeconds(s string) (int64, bool) {
	if len(s) > 11 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}
