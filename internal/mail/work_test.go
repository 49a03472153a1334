package mail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"caesar/internal/mail"
	"caesar/internal/phrase"
)

// work starts the worker and returns what stops it, which it does within the test in any case.
func (o *office) work(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about within 20 s")
		}
	}
}

func letter(t *testing.T) mail.Letter {
	t.Helper()
	return mail.ResetCode(address(t, "alice@example.com"), "Alice Liddell", "zyxwvu", 10*time.Minute, phrase.English)
}

func TestQueuedLetterIsSentAtOnceWhenTheWorkerIsWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{}
		o := newOffice(t, p)
		defer o.work(t)()
		time.Sleep(10 * time.Second)
		start := time.Now()
		o.queue(letter(t))
		synctest.Wait()
		if p.count() != 1 || !p.at[0].Equal(start) || o.store.left() != 0 {
			t.Fatalf("sent %d, left %d", p.count(), o.store.left())
		}
	})
}

func TestQueuedLetterIsSentWithinAMinuteWhenNobodyWakesTheWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{}
		o := newOffice(t, p)
		defer o.work(t)()
		time.Sleep(time.Second)
		o.store.put(o.Seal(letter(t)), time.Now()) // by another replica that died before waking its own
		time.Sleep(time.Minute)
		synctest.Wait()
		if p.count() != 1 {
			t.Fatalf("sent %d", p.count())
		}
	})
}

func TestIdleWorkerHardlyLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, &pouch{})
		defer o.work(t)()
		time.Sleep(time.Hour)
		synctest.Wait()
		if o.store.claims > 62 {
			t.Fatalf("looked %d times in an idle hour", o.store.claims)
		}
	})
}

func TestNothingIsThrownAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{}
		o := newOffice(t, p)
		defer o.work(t)()
		o.queue(mail.Nothing())
		synctest.Wait()
		if p.count() != 0 || o.store.left() != 0 || o.log.Len() != 0 {
			t.Fatalf("sent %d, left %d, logged %q", p.count(), o.store.left(), o.log)
		}
	})
}

func TestLetterIsTriedAgainAtGrowingIntervalsUntilItIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{fail: func(attempt int) error {
			if attempt < 12 {
				return &mail.SendError{Stage: "connect", Cause: errors.New("refused")}
			}
			return nil
		}}
		o := newOffice(t, p)
		defer o.work(t)()
		o.queue(letter(t))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if p.count() != 12 || o.store.left() != 0 {
			t.Fatalf("tried %d times, left %d", p.count(), o.store.left())
		}
		for i := range 11 {
			full := min(5*time.Second<<i, 15*time.Minute)
			wait := p.at[i+1].Sub(p.at[i])
			if wait < full/2 || wait > full+time.Second {
				t.Errorf("after %d failures it waited %v, want %v to %v", i+1, wait, full/2, full)
			}
			if p.got[i+1].ID != p.got[0].ID || !p.got[i+1].Date.Equal(p.got[0].Date) {
				t.Errorf("attempt %d has another Message-ID or Date", i+2)
			}
		}
	})
}

func TestLetterThatIsRefusedForGoodIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{fail: func(int) error { return &mail.SendError{Stage: "RCPT", Code: 550, Permanent: true} }}
		o := newOffice(t, p)
		defer o.work(t)()
		o.queue(letter(t))
		time.Sleep(time.Hour)
		synctest.Wait()
		if p.count() != 1 || o.store.left() != 0 {
			t.Fatalf("tried %d times, left %d", p.count(), o.store.left())
		}
		if log := o.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "550") {
			t.Errorf("logged: %s", log)
		}
	})
}

func TestLetterIsGivenUpAfterFiveDaysAndTheLogTellsNoSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{fail: func(int) error { return &mail.SendError{Stage: "connect", Cause: errors.New("refused")} }}
		o := newOffice(t, p)
		defer o.work(t)()
		o.queue(letter(t))
		time.Sleep(5*24*time.Hour - time.Minute)
		synctest.Wait()
		if o.store.left() != 1 {
			t.Fatal("given up too early")
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if o.store.left() != 0 {
			t.Fatal("not given up after five days")
		}
		log := o.log.String()
		if strings.Count(log, "level=ERROR") != 1 {
			t.Errorf("the log should hold one error:\n%.2000s", log)
		}
		for _, secret := range []string{"alice", "Liddell", "zyxwvu"} {
			if strings.Contains(log, secret) {
				t.Errorf("the log tells %q", secret)
			}
		}
	})
}

func TestLetterThatCannotBeOpenedIsKeptForTheRightKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{}
		o := newOffice(t, p)
		defer o.work(t)()
		id := o.store.put(newOffice(t, p).Seal(letter(t)), time.Now())
		time.Sleep(time.Minute)
		synctest.Wait()
		if q, there := o.store.get(id); p.count() != 0 || !there || q.Attempts == 0 {
			t.Fatalf("sent %d, there %v, attempts %d", p.count(), there, q.Attempts)
		}
	})
}

func TestStoreThatFailsIsAskedAgainWithoutSpinning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{}
		o := newOffice(t, p)
		o.store.failWith(errors.New("database is away"))
		defer o.work(t)()
		o.queue(letter(t))
		time.Sleep(time.Hour)
		synctest.Wait()
		if o.store.claims < 60 || o.store.claims > 150 {
			t.Errorf("asked %d times in an hour", o.store.claims)
		}
		o.store.failWith(nil)
		time.Sleep(time.Minute) // a code that is mailed must not have run out meanwhile
		synctest.Wait()
		if p.count() != 1 || o.store.left() != 0 {
			t.Fatalf("after the store came back: sent %d, left %d", p.count(), o.store.left())
		}
	})
}

func TestLetterIsSentOnceAlthoughTheStoreIsAwayForAMomentWhenItWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{hold: time.Second}
		o := newOffice(t, p)
		defer o.work(t)()
		o.queue(letter(t))
		time.Sleep(500 * time.Millisecond) // it is on its way
		o.store.failWith(errors.New("database is restarted"))
		time.Sleep(20 * time.Second)
		o.store.failWith(nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if p.count() != 1 || o.store.left() != 0 {
			t.Fatalf("sent %d, left %d", p.count(), o.store.left())
		}
	})
}

func TestWorkerThatIsToldToStopDoesNotWaitForAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, &pouch{hold: time.Second})
		stop := o.work(t)
		o.queue(letter(t))
		time.Sleep(500 * time.Millisecond)
		o.store.failWith(errors.New("database is away"))
		time.Sleep(time.Second)
		told := time.Now()
		stop()
		if took := time.Since(told); took > 9*time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

func TestLetterThatWasSentWhileTheStoreWasAwayForLongIsWrittenDownAndNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, away := range []time.Duration{80 * time.Second, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			p := &pouch{hold: time.Second}
			o := newOffice(t, p)
			defer o.work(t)()
			o.queue(letter(t))
			time.Sleep(500 * time.Millisecond) // it is on its way
			o.store.failWith(errors.New("database is away"))
			time.Sleep(away)
			o.store.failWith(nil)
			o.queue(letter(t))
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if p.count() != 2 || p.got[0].ID == p.got[1].ID || o.store.left() != 0 {
				t.Fatalf("away for %v: sent %d, left %d", away, p.count(), o.store.left())
			}
		})
	}
}

func TestLetterThatIsSentAtTheLastMomentIsWrittenDownAMomentLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{hold: 5 * time.Second}
		o := newOffice(t, p)
		stop := o.work(t)
		o.queue(letter(t))
		time.Sleep(100 * time.Millisecond)
		o.store.failWith(errors.New("database is away"))
		time.AfterFunc(6*time.Second, func() { o.store.failWith(nil) })
		stop()
		if p.count() != 1 || o.store.left() != 0 {
			t.Fatalf("sent %d, left %d", p.count(), o.store.left())
		}
	})
}

func TestLetterThatTheStoreDidNotLearnOfIsWrittenDownWhenTheWorkerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{hold: time.Second}
		o := newOffice(t, p)
		stop := o.work(t)
		o.queue(letter(t))
		time.Sleep(500 * time.Millisecond)
		o.store.failWith(errors.New("database is away"))
		time.Sleep(10 * time.Minute) // the worker is between two tries for most of a minute
		o.store.failWith(nil)
		stop()
		if p.count() != 1 || o.store.left() != 0 {
			t.Fatalf("sent %d, left %d", p.count(), o.store.left())
		}
	})
}

func TestWorkerThatStopsTellsThatALetterMayBeSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, &pouch{hold: time.Second})
		stop := o.work(t)
		o.queue(letter(t))
		time.Sleep(500 * time.Millisecond)
		o.store.failWith(errors.New("database is away"))
		time.Sleep(time.Second)
		stop()
		if log := o.log.String(); !strings.Contains(log, "may be sent again") || !strings.Contains(log, "database is away") {
			t.Errorf("logged: %s", log)
		}
	})
}

func TestLetterThatWasLentTooLateIsLeftForTheNextLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{hold: 24 * time.Hour}
		o := newOffice(t, p)
		o.store.slow = 40 * time.Second
		id := o.queue(letter(t))
		claimed := time.Now()
		defer o.work(t)()
		time.Sleep(time.Minute)
		if q, _ := o.store.get(id); q.Attempts != 0 || !q.DueAt.Equal(claimed.Add(90*time.Second)) {
			t.Errorf("it was begun, and is due at %v", q.DueAt)
		}
		o.store.mu.Lock()
		o.store.slow = 30 * time.Second // which leaves it 20
		o.store.mu.Unlock()
		time.Sleep(82 * time.Second)
		if q, _ := o.store.get(id); q.Attempts != 1 {
			t.Errorf("after 52 s of the second lease there were %d attempts", q.Attempts)
		}
	})
}

func TestSlowLetterDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{hold: 3 * time.Second}
		o := newOffice(t, p)
		for range 20 {
			o.queue(letter(t))
		}
		defer o.work(t)()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if p.count() != 20 || o.store.left() != 0 {
			t.Fatalf("sent %d, left %d", p.count(), o.store.left())
		}
	})
}

func TestTransportThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{hold: 24 * time.Hour}
		o := newOffice(t, p)
		defer o.work(t)()
		id := o.queue(letter(t))
		time.Sleep(46 * time.Second)
		synctest.Wait()
		if q, _ := o.store.get(id); q.Attempts != 1 {
			t.Fatalf("%d attempts after 46 s", q.Attempts)
		}
	})
}

func TestTwoWorkersOverOneQueueSendEachLetterOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{hold: 100 * time.Millisecond}
		o := newOffice(t, p)
		for range 40 {
			o.queue(letter(t))
		}
		defer o.work(t)()
		defer o.work(t)()
		time.Sleep(time.Minute)
		synctest.Wait()
		seen := map[string]int{}
		for _, m := range p.got {
			seen[m.ID]++
		}
		if len(seen) != 40 || len(p.got) != 40 {
			t.Fatalf("%d letters were sent %d times", len(seen), len(p.got))
		}
	})
}

func TestLetterOfAWorkerThatDiedIsSentWhenItsLeaseEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pouch{}
		o := newOffice(t, p)
		o.queue(letter(t))
		if got, err := o.store.ClaimMail(t.Context(), time.Now(), 90*time.Second, 8); err != nil || len(got) != 1 {
			t.Fatalf("claim: %v, %v", got, err)
		}
		defer o.work(t)()
		time.Sleep(89 * time.Second)
		synctest.Wait()
		if p.count() != 0 {
			t.Fatal("sent while it was another's")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if p.count() != 1 {
			t.Fatal("not sent after the lease ended")
		}
	})
}

func TestWorkerThatIsToldToStopFinishesWhatItSends(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hold time.Duration
		sent int
		took time.Duration
	}{
		"a moment more is given":    {3 * time.Second, 1, 2 * time.Second},
		"but no more than a moment": {time.Hour, 0, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pouch{hold: test.hold}
				o := newOffice(t, p)
				stop := o.work(t)
				id := o.queue(letter(t))
				time.Sleep(time.Second)
				told := time.Now()
				stop()
				if took := time.Since(told); took != test.took {
					t.Errorf("stopping took %v, want %v", took, test.took)
				}
				q, there := o.store.get(id)
				if p.count() != test.sent || there == (test.sent == 1) {
					t.Errorf("sent %d, still queued %v", p.count(), there)
				}
				if there && time.Until(q.DueAt) > 5*time.Second {
					t.Errorf("due again in %v only", time.Until(q.DueAt))
				}
			})
		})
	}
}

func TestWakingNeverWaits(t *testing.T) {
	t.Parallel()
	o := newOffice(t, &pouch{})
	for range 1000 {
		o.Wake() // there is no worker: a second one would wait for ever if it waited
	}
}
