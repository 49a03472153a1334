package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"slices"
	"sync"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// mailedReplicas are replicas whose mails go to a post office.
func mailedReplicas(t *testing.T) (*replicas, *postOffice) {
	t.Helper()
	at := shared(t)
	office := &postOffice{t: t}
	office.open()
	return threeReplicas(t, crowd, at, captchaOff(testbed.Env("CAESAR_SMTP", "smtp://"+office.addr))...), office
}

// received are the Message-IDs of the letters that came, by whom they are for.
func (o *postOffice) received() map[string][]string {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	ids := map[string][]string{}
	for _, l := range o.letters {
		message, err := mail.ReadMessage(bytes.NewReader(l.raw))
		if err != nil {
			o.t.Fatal(err)
		}
		ids[l.to] = append(ids[l.to], message.Header.Get("Message-ID"))
	}
	return ids
}

// askForCode has a code mailed to an address by which somebody could register under /user.
func (l *lab) askForCode(ctx context.Context, address string) error {
	return l.client().Member().SendCode(ctx, address)
}

// settle waits until all letters are sent. Those that a replica took with it when it died are not waited for
// as long as it had claimed them: a living one lets go of a letter at once, here.
func (r *replicas) settle() {
	r.t.Helper()
	const lease, living = 90 * time.Second, 5 * time.Second
	there := r.from(r.t, "192.0.2.250")
	for deadline := time.Now().Add(time.Minute); query[int](r, "SELECT count(*) FROM mail_queue") != 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatal("in a minute not all letters were sent")
		}
		now := time.Now()
		if r.order("UPDATE mail_queue SET due_at_ms = 0 WHERE due_at_ms BETWEEN $1 AND $2",
			now.UnixMilli(), now.Add(lease-living).UnixMilli()) == 0 {
			continue
		}
		// The workers may sleep until the lease would have ended; what is queued wakes them.
		if err := there.all[0].askForCode(r.t.Context(), fmt.Sprintf("wake.%d@example.org", people.Add(1))); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestEachMailIsSentOnceAlthoughEveryReplicaHasAWorker(t *testing.T) {
	t.Parallel()
	r, office := mailedReplicas(t)
	want := map[string]int{}
	var known []*person
	for _, l := range r.all {
		p := l.newcomer()
		if err := p.SendCode(t.Context(), p.Email, client.ForActivation); err != nil {
			t.Fatal(err)
		}
		known = append(known, p)
	}
	const letters = 100
	here := r.from(t, "192.0.2.1") // mails are limited by who asks for them
	here.race(letters, func(l *lab, i int) error {
		return l.askForCode(t.Context(), fmt.Sprintf("member.%d@example.org", i))
	}).only(t, "")
	for i := range letters {
		want[fmt.Sprintf("member.%d@example.org", i)] = 1
	}
	for _, p := range known {
		code := numberLine.FindSubmatch(office.await(r.all[0], p.Email, 1)[0].raw)
		if err := r.all[1].client().Activate(t.Context(), p.Email, string(code[1])); err != nil {
			t.Fatal(err)
		}
		if err := r.all[2].client().SendCode(t.Context(), p.Email, client.ForPassword); err != nil {
			t.Fatal(err)
		}
		want[p.Email] = 2
	}
	r.settle()
	got := office.received()
	for to, times := range want {
		if ids := got[to]; len(ids) != times || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != times {
			t.Errorf("to %s came %v", to, ids)
		}
	}
}

// Who dies between handing a letter on and writing that down can't be told from who dies before: the letter
// is sent once more, and its Message-ID tells that it is the same.
func TestALetterOfAReplicaThatIsKilledIsSentByAnotherAndIsTheSameOne(t *testing.T) {
	t.Parallel()
	r, office := mailedReplicas(t)
	var mu sync.Mutex
	answered := map[string]bool{}
	ctx, stop := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	for i := range r.all {
		here := r.from(t, fmt.Sprintf("192.0.2.%d", 1+i)) // mails are limited by who asks for them
		asking.Go(func() {
			for n := 0; n < 90 && ctx.Err() == nil; n++ {
				to := fmt.Sprintf("member.%d.%d@example.org", i, n)
				if here.all[i].askForCode(ctx, to) == nil {
					mu.Lock()
					answered[to] = true
					mu.Unlock()
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	for _, l := range r.all {
		time.Sleep(200*time.Millisecond + rand.N(100*time.Millisecond)) // at any moment of its work
		l.Kill()
		l.Restart()
	}
	stop()
	asking.Wait()
	r.settle()
	got, twice := office.received(), 0
	for to := range answered {
		if len(got[to]) == 0 {
			t.Errorf("no letter came to %s, who was answered", to)
		}
	}
	for to, ids := range got {
		if twice += len(ids) - 1; len(slices.Compact(slices.Clone(ids))) != 1 {
			t.Errorf("to %s came different letters: %v", to, ids)
		}
	}
	t.Logf("%d of %d asks were answered; %d letters came twice", len(answered), 3*90, twice)
	if len(answered) < 30 {
		t.Error("hardly anything was asked for: this tests nothing")
	}
}
