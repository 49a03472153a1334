package e2e_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// mostMoveMemory is what a move may take of memory, in bytes, whatever it moves.
const mostMoveMemory = 100 << 20

// A folder of the size that outgrows a machine is moved by the program as people get it, stopped half-way and
// taken up again, in little memory.
func TestTenThousandPeopleAreMovedInLittleMemory(t *testing.T) {
	t.Parallel()
	alone(t)
	if fillsSlowly && os.Getenv("CAESAR_TEST_LARGE") == "" {
		t.Skip("a test that looks for races takes minutes to fill the folder; CAESAR_TEST_LARGE=1 has it do so")
	}
	old := open(t, append(quick(), testbed.Embedded())...)
	p := old.settled()
	old.Stop()
	began := time.Now()
	m := newMoving(t, old.Data, testbed.Shipped())
	movetest.Fill(t, m.folder, movetest.Folder{People: 10_000, Items: 200_000, Versions: 2000, Large: 3, LargeBytes: 100 << 20})
	t.Logf("the folder was filled in %.1f s", time.Since(began).Seconds())

	began = time.Now()
	killed := m.run(func(p running) {
		m.await("SELECT EXISTS (SELECT 1 FROM items)")
		_ = p.Kill()
	})
	if killed.answer != -1 {
		t.Fatalf("it answers %d before it is killed:\n%s", killed.answer, killed.told)
	}
	t.Logf("it was killed after %.1f s", time.Since(began).Seconds())
	m.refused()

	began = time.Now()
	peak := make(chan int64)
	r := m.run(func(p running) { go func() { peak <- highWater(p.Pid) }() })
	took := time.Since(began)
	if r.answer != 0 {
		t.Fatalf("it answers %d:\n%s%s", r.answer, r.said, r.told)
	}
	resumed := regexp.MustCompile(`going on with the move that was begun: (\d+) rows are there`).FindStringSubmatch(r.told)
	if resumed == nil {
		t.Fatalf("it does not go on where it was:\n%s", r.told)
	}
	if there, err := strconv.Atoi(resumed[1]); err != nil || there < 300_000 {
		t.Errorf("it goes on with %d rows: %v", there, err)
	}
	most := <-peak
	t.Logf("the rest took %.1f s and %.1f MiB:\n%s%s", took.Seconds(), float64(most)/(1<<20), r.told, r.said)
	if most > mostMoveMemory || most == 0 {
		t.Errorf("it took %.1f MiB", float64(most)/(1<<20))
	}
	m.compare()
	m.served(t, captchaOff()...).athome(p)
}

// await waits until the target says so.
func (m *moving) await(query string) {
	m.t.Helper()
	conn, err := pgx.Connect(m.t.Context(), m.database)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = conn.Close(m.t.Context()) }()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var so bool
		if err := conn.QueryRow(m.t.Context(), query).Scan(&so); err == nil && so { // tables may not be there yet
			return
		}
	}
	m.t.Fatalf("it did not come about that %s", query)
}

// highWater returns the most memory that a process has taken when it ends, in bytes; 0 where the system does
// not tell.
func highWater(pid int) (peak int64) {
	for ; ; time.Sleep(5 * time.Millisecond) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, found := strings.Cut(string(status), "VmHWM:")
		if err != nil || !found { // one that has ended has no memory any more
			return peak
		}
		var kilobytes int64
		if _, err := fmt.Sscanf(rest, "%d kB", &kilobytes); err == nil {
			peak = kilobytes << 10
		}
	}
}
