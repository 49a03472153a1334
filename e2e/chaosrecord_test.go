package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/client"
)

const (
	// graceFor is how long after a fault has ended its errors may still be seen: the balancer has to notice,
	// and what was under way to end.
	graceFor = 3 * time.Second
	// mostWait is how long any answer may take.
	mostWait = 25 * time.Second
)

// cut is in the place of a status where the connection ended before the answer had.
const cut = 0

// request is one request of a load, and what came of it.
type request struct {
	kind         string
	began, ended time.Time
	status       int
	err          error
}

// carryFiles are the kinds of requests whose connection may end before the answer: a file that is brought
// back can't be taken back, and who sends one may not come to read what is answered before its end.
var carryFiles = []string{"upload", "download"}

// incident is what was done to a part while the load was on. What it excuses, it does from its beginning until
// a little after its end.
type incident struct {
	what         string
	began, ended time.Time
	statuses     []int // that were answered, to requests of any kind or, with files, to those that carry files
	files        bool  // it is about files alone
	cuts         bool  // also the connections of those that carry files may end
}

// excuses says whether a request may have failed for an incident.
func (i incident) excuses(r request) bool {
	during := !r.ended.Before(i.began) && !r.began.After(i.ended.Add(graceFor))
	carries := slices.Contains(carryFiles, r.kind)
	if r.status == cut {
		return during && i.cuts && carries
	}
	return during && (carries || !i.files) && slices.Contains(i.statuses, r.status)
}

// record is all that came of a load.
type record struct {
	mu       sync.Mutex
	requests []request
}

// note makes a request and keeps what came of it.
func (r *record) note(kind string, do func() error) error {
	began := time.Now()
	err := do()
	ended := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request{kind, began, ended, statusOf(err), err})
	return err
}

func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if refused, ok := errors.AsType[*client.Error](err); ok {
		return refused.Status
	}
	if between, ok := errors.AsType[balancerAnswer](err); ok {
		return int(between)
	}
	return cut
}

// balancerAnswer is the error for an answer that the balancer gave in a server's place: its status.
type balancerAnswer int

func (b balancerAnswer) Error() string { return fmt.Sprintf("the balancer answered %d", int(b)) }

// pastBalancer hands on the servers' answers, which are those with an id, and makes errors of all others.
type pastBalancer struct{ base http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (p pastBalancer) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.base.RoundTrip(r)
	if err != nil || response.Header.Get("X-Request-Id") != "" {
		return response, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return nil, balancerAnswer(response.StatusCode)
}

// judge demands that no request failed but for an incident, and tells the figures.
func (r *record) judge(t testing.TB, incidents []incident) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	answered, failed := map[string]int{}, make([]map[string]int, len(incidents))
	slowest := map[string]time.Duration{}
	last := make([]time.Time, len(incidents)) // when the last request failed for it
	for i := range failed {
		failed[i], last[i] = map[string]int{}, incidents[i].ended
	}
	wrong := 0
	for _, q := range r.requests {
		took := q.ended.Sub(q.began)
		if slowest[q.kind] = max(slowest[q.kind], took); took > mostWait {
			t.Errorf("%s took %v: %v", q.kind, took, q.err)
		}
		if q.err == nil {
			answered[q.kind]++
			continue
		}
		i := len(incidents) - 1 // the latest that excuses it
		for i >= 0 && !incidents[i].excuses(q) {
			i--
		}
		if i < 0 {
			if wrong++; wrong <= 20 {
				t.Errorf("%s, %v after the load began: %v", q.kind, q.began.Sub(r.requests[0].began).Round(time.Millisecond), q.err)
			}
			continue
		}
		failed[i][fmt.Sprint(q.status)]++
		if q.ended.After(last[i]) {
			last[i] = q.ended
		}
	}
	if wrong > 20 {
		t.Errorf("%d requests in all failed for no reason", wrong)
	}
	t.Logf("answered: %s", table(answered))
	t.Logf("slowest: %s", table(slowest))
	for i, in := range incidents {
		t.Logf("%s, for %v: errors by status (0 is a cut connection): %s; the last %v after its end", in.what,
			in.ended.Sub(in.began).Round(time.Millisecond), table(failed[i]), last[i].Sub(in.ended).Round(time.Millisecond))
	}
}

// table writes a map in the order of its keys.
func table[V any](m map[string]V) string {
	var entries []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		entries = append(entries, fmt.Sprintf("%s %v", key, m[key]))
	}
	if entries == nil {
		return "none"
	}
	return strings.Join(entries, ", ")
}
