package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"caesar/client"
	"caesar/internal/testbed"
)

// mostMoveMemory is what a move may take of memory, in bytes, whatever it moves.
const mostMoveMemory = 100 << 20

// realPeople is how many of the ten thousand can log in.
const realPeople = 100

// A folder of the size that outgrows a machine is moved by the program as people get it, stopped half-way and
// taken up again, in little memory.
func TestTenThousandPeopleAreMovedInLittleMemory(t *testing.T) {
	t.Parallel()
	alone(t)
	old := open(t, append(proxied(), testbed.Embedded(), testbed.Shipped())...)
	began := time.Now()
	p, others := old.settled(), make([]*person, realPeople)
	items := make([]int64, realPeople)
	for from := 0; from < realPeople; from += 20 {
		few(t, 20, func(i int) {
			i += from
			at := old.behind(fmt.Sprintf("2001:db8:%x::1", i)) // one address gets few codes
			others[i] = at.person()
			items[i] = at.keep(others[i], "before")
		})
		if err := os.RemoveAll(filepath.Join(old.Data, "outbox")); err != nil { // who looks for a code reads all mails
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(old.Data, "outbox"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	old.Stop()
	t.Logf("people came in %.1f s", time.Since(began).Seconds())

	began = time.Now()
	m := newMoving(t, old.Data, testbed.Shipped())
	large := buildLarge(t, m.database)
	t.Logf("what fills was built in %.1f s", time.Since(began).Seconds())
	began = time.Now()
	large.run("fill", m.folder, "10000", "200000", "2000", "3", strconv.Itoa(100<<20))
	t.Logf("the folder was filled in %.1f s", time.Since(began).Seconds())

	m.halfMoved()
	m.refused()
	m.movedInLittleMemory()
	began = time.Now()
	m.compareLarge(large)
	t.Logf("all was compared in %.1f s", time.Since(began).Seconds())

	began = time.Now()
	now := m.served(t, captchaOff(testbed.Shipped())...)
	now.athome(p)
	few(t, realPeople, func(i int) {
		c := now.client(client.WithToken(now.login(others[i])))
		if secret, err := c.RevealItem(t.Context(), items[i], others[i].MainPassword); err != nil || secret.Password != "s3kr1t" {
			t.Errorf("the item %d of %s holds %+v: %v", items[i], others[i].UserName, secret, err)
		}
	})
	t.Logf("people were at home in %.1f s", time.Since(began).Seconds())
}

// few does something so many times, a few at once.
func few(t *testing.T, times int, do func(i int)) {
	t.Helper()
	var doing sync.WaitGroup
	var next atomic.Int64
	for range 4 {
		doing.Go(func() {
			for i := next.Add(1) - 1; i < int64(times) && !t.Failed(); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	doing.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// halfMoved kills a move amid the rows.
func (m *moving) halfMoved() {
	m.t.Helper()
	began := time.Now()
	killed := m.run(func(p running) {
		m.await("SELECT EXISTS (SELECT 1 FROM items)")
		_ = p.Kill()
	})
	if killed.answer != -1 {
		m.t.Fatalf("it answers %d before it is killed:\n%s", killed.answer, killed.told)
	}
	m.t.Logf("it was killed after %.1f s", time.Since(began).Seconds())
}

// movedInLittleMemory takes the move up again, and to its end.
func (m *moving) movedInLittleMemory() {
	m.t.Helper()
	began := time.Now()
	peak := make(chan int64)
	r := m.run(func(p running) { go func() { peak <- highWater(p.Pid) }() })
	took := time.Since(began)
	most := <-peak
	if r.answer != 0 {
		m.t.Fatalf("it answers %d:\n%s%s", r.answer, r.said, r.told)
	}
	resumed := regexp.MustCompile(`going on with the move that was begun: (\d+) rows are there`).FindStringSubmatch(r.told)
	if resumed == nil {
		m.t.Fatalf("it does not go on where it was:\n%s", r.told)
	}
	if there, err := strconv.Atoi(resumed[1]); err != nil || there < 300_000 {
		m.t.Errorf("it goes on with %d rows: %v", there, err)
	}
	m.t.Logf("the rest took %.1f s and %.1f MiB:\n%s%s", took.Seconds(), float64(most)/(1<<20), r.told, r.said)
	if most > mostMoveMemory || most == 0 {
		m.t.Errorf("it took %.1f MiB", float64(most)/(1<<20))
	}
}

// compareLarge is compare for more rows than a test that looks for races can read.
func (m *moving) compareLarge(large large) {
	m.t.Helper()
	tables := map[string]int{}
	for line := range strings.Lines(large.run("compare", m.folder)) {
		var table string
		var rows int
		if _, err := fmt.Sscan(line, &table, &rows); err != nil {
			m.t.Fatalf("it says %q: %v", line, err)
		}
		tables[table] = rows
	}
	if tables["users"] < 10_000 || tables["items"] < 200_000 {
		m.t.Errorf("there are %v", tables)
	}
	m.sameBlobs()
}

// large is the program that fills folders and compares what they became without looking for races.
type large struct {
	t           testing.TB
	path, moved string
}

func buildLarge(t testing.TB, moved string) large {
	t.Helper()
	path := filepath.Join(t.TempDir(), "large")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, "caesar/internal/sqlstore/sqlmove/movetest/large")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as the shipped program, most of which is in it
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return large{t, path, moved}
}

// run returns what it says.
func (l large) run(args ...string) string {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), l.path, args...)
	cmd.Env = append(os.Environ(), "CAESAR_DATABASE="+l.moved)
	var told strings.Builder
	cmd.Stderr = &told
	said, err := cmd.Output()
	if err != nil {
		l.t.Fatalf("large %s: %v: %s", args[0], err, &told)
	}
	return string(said)
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
