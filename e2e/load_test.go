package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// Two hundred hashes of 19 MiB side by side would be 3.7 GiB.
func TestTwoHundredLoginsAtOnceTakeNoMoreMemoryThanAFewAndHealthStillAnswers(t *testing.T) {
	t.Parallel()
	l := crowd(t, testbed.Args("--captcha", "off"), testbed.Env("CAESAR_TRUSTED_PROXIES", "127.0.0.1/32"))
	const each, logins = 10, 200
	known := []*person{l.person(), l.person(), l.person(), l.person()}

	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	answers := 0
	watching.Go(func() { answers = l.watchHealth(ctx) })

	came := l.race(logins, func(i int) error {
		from := l.behind(fmt.Sprintf("192.0.2.%d", 1+i))
		if i < each*len(known) {
			return from.tryLogin(known[i%len(known)].UserName, known[i%len(known)].Password)
		}
		return from.tryLogin(fmt.Sprintf("nobody %d", i), "no such password")
	})
	stop()
	watching.Wait()
	came.only(t, "", client.LoginWrong)
	if came[""] != each*len(known) {
		t.Errorf("it came to %v", came)
	}
	if answers == 0 {
		t.Error("/healthz was never asked while the logins ran")
	}
	if peak := peakMemory(t, l.Pid()); peak > loadMost<<20 {
		t.Errorf("the program took up to %d MiB; %d are allowed", peak>>20, loadMost)
	} else {
		t.Logf("the program took up to %d MiB, and answered /healthz %d times", peak>>20, answers)
	}
}

// watchHealth asks /healthz again and again until ctx ends, each time over a connection of its own, and
// returns how often it was answered. None may take a second.
func (l *lab) watchHealth(ctx context.Context) (answers int) {
	c := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ; ctx.Err() == nil; answers++ {
		response, err := c.Get(l.URL + "/healthz")
		if err != nil {
			l.t.Errorf("/healthz did not answer in time: %v", err)
			return answers
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			l.t.Errorf("/healthz: %s", response.Status)
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return answers
}

// peakMemory returns the most bytes of memory that a process has taken (VmHWM of proc(5)).
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("this system does not tell: %v", err)
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatal("VmHWM is not there")
	return 0
}
