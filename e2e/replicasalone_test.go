package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"caesar/internal/testbed"
)

// A place where nobody can make anything, not even root.
const nowhere = os.DevNull + "/none"

// All that a replica needs is given to it: its machine may be read-only, and be thrown away.
func TestAReplicaWithoutADataFolderDoesAllThatOthersDo(t *testing.T) {
	t.Parallel()
	at := shared(t)
	keys := newKeys(t)
	office := &postOffice{t: t}
	office.open()
	l := crowd(t, captchaOff(append(at.options(), testbed.Folder(nowhere), testbed.Env("CAESAR_SMTP", "smtp://"+office.addr),
		testbed.Args("--root-key-file", keys.root(), "--backup-key-file", keys.backup()))...)...)
	p := office.person(l)
	id := l.keep(p, "GitHub")
	content := random(3, 300_000)
	v, err := p.Member().Upload(t.Context(), "x", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	// What it kept is there when its machine is gone, for another one.
	l.Kill()
	l.Restart()
	if seen, err := p.RevealItem(t.Context(), id, p.MainPassword); err != nil || seen.Password != "s3kr1t" {
		t.Errorf("it holds %+v: %v", seen, err)
	}
	l.kept(t, "from another machine", p.token, content)
	if err := p.Member().DeleteVersion(t.Context(), v.ID); err != nil {
		t.Error(err)
	}
	r := &replicas{places: at, t: t, all: []*lab{l}}
	if whole, begun := r.objects(); len(whole)+len(begun) != 0 {
		t.Errorf("in the store is left %v, %v", whole, begun)
	}
}

// The chores that one of all replicas does are lent to it, and to another one when it is gone.
func TestAChoreIsOneReplicasUntilItsLeaseEndsAndThenAnothers(t *testing.T) {
	t.Parallel()
	r := threeReplicas(t, crowd, shared(t), captchaOff()...)
	lent := func(chore string) time.Time {
		return time.UnixMilli(query[int64](r, "SELECT until_ms FROM leases WHERE name = $1", chore))
	}
	for _, chore := range []string{"sweep", "sweep backups"} {
		// All three have looked at it when they started, and one has got it.
		until := lent(chore)
		if n := query[int](r, "SELECT count(*) FROM leases WHERE name = $1", chore); n != 1 || until.Before(time.Now()) {
			t.Errorf("%s is lent %d times, until %v", chore, n, until)
		}
		for _, l := range r.all { // whoever has it dies; it may have been any
			l.Kill()
			l.Restart()
		}
		if again := lent(chore); !again.Equal(until) {
			t.Errorf("%s was lent until %v, and was taken away until %v", chore, until, again)
		}
		r.order("UPDATE leases SET until_ms = $1 WHERE name = $2", time.Now().Add(-time.Second).UnixMilli(), chore)
		r.all[1].Kill()
		r.all[1].Restart()
		r.all[0].eventually(fmt.Sprintf("%s is another one's", chore), func() bool { return lent(chore).After(time.Now()) })
	}
}
