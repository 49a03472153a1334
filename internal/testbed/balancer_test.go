package testbed_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"caesar/internal/testbed"
)

// ask asks for something that a server logs.
func ask(t *testing.T, base string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/auth/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

func TestABalancerAsksItsServersInTurnAndLeavesOutThoseThatAreGone(t *testing.T) {
	t.Parallel()
	var servers []*testbed.Server
	for range 3 {
		servers = append(servers, testbed.Start(t, testbed.Embedded()))
	}
	b := testbed.Balance(t, servers...)
	asked := func(s *testbed.Server) int { return strings.Count(s.Log(), "status=401") }
	for range 9 {
		if r := ask(t, b.URL); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("it answers %s", r.Status)
		}
	}
	for i, s := range servers {
		if n := asked(s); n < 2 { // a check may have been late
			t.Errorf("server %d was asked %d times of 9", i+1, n)
		}
	}
	// Nothing of a request was done that could not be handed over: it is given to another.
	servers[0].Kill()
	for range 9 {
		if r := ask(t, b.URL); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("with a server gone, it answers %s", r.Status)
		}
	}
	servers[0].Restart()
	before := asked(servers[0])
	for deadline := time.Now().Add(10 * time.Second); asked(servers[0]) == before; time.Sleep(10 * time.Millisecond) {
		if ask(t, b.URL); time.Now().After(deadline) {
			t.Fatal("a server that is back is not asked")
		}
	}
	for _, s := range servers {
		s.Kill()
	}
	if r := ask(t, b.URL); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("with all servers gone, it answers %s, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
	}
	for _, s := range servers {
		s.Restart() // each is to end well
	}
}
