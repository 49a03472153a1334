package e2e_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"caesar/api/apitest"
	"caesar/client"
	"caesar/internal/testbed"
)

// chaosPeople is how many people use the servers while they fail: each with one client for the vault and one
// for backups.
const chaosPeople = 8

// chaos is a load on three replicas behind a balancer, and what they stand on, each of which can be ended.
type chaos struct {
	*replicas
	database *testbed.PostgresServer
	store    *testbed.S3Server
	office   *heldOffice
	balancer *testbed.Balancer
	base     http.RoundTripper

	record    record
	incidents []incident
	vaults    []*vaultJournal
	backups   []*backupJournal
	mails     *mailJournal
}

// What was answered while a replica was killed, the database was restarted in order and out of it, and the
// store of backups was gone, is there; nobody got a letter twice; and nothing failed but in those moments.
func TestNothingThatWasAnsweredIsLostWhateverPartOfThreeReplicasFails(t *testing.T) {
	t.Parallel()
	alone(t)
	c := startChaos(t)
	ctx, stop := context.WithCancel(t.Context())
	load := c.begin(ctx)
	time.Sleep(lull)
	c.killReplica(c.all[1])
	time.Sleep(lull)
	c.during("PostgreSQL is stopped and started", c.database.Stop, c.database.Start, time.Second,
		incident{statuses: []int{http.StatusServiceUnavailable}})
	time.Sleep(lull)
	c.during("the S3 server is stopped and started", c.store.Stop, c.store.Start, 2*time.Second,
		incident{statuses: []int{http.StatusServiceUnavailable}, files: true, cuts: true})
	time.Sleep(lull)
	c.office.hold()
	c.all[0].eventually("letters are held up", func() bool { return c.office.waiting() >= 3 })
	c.during("PostgreSQL is killed and started", c.database.Kill, func() error {
		c.office.release(true) // whoever brought these letters can't write it down yet
		return c.database.Start()
	}, time.Second, incident{statuses: []int{http.StatusServiceUnavailable}})
	time.Sleep(lull)
	stop()
	load.Wait()
	c.check()
}

// lull is how long the load goes on undisturbed after each incident.
const lull = 3 * time.Second

// startChaos starts everything, and registers those who use it.
func startChaos(t *testing.T) *chaos {
	t.Helper()
	c := &chaos{database: testbed.StartPostgres(t), store: testbed.StartS3(t), office: holdingOffice(t)}
	c.replicas = threeReplicas(t, troubled, places{c.database.URL(), c.store.URL()},
		captchaOff(testbed.Env("CAESAR_SMTP", "smtp://"+c.office.addr), testbed.Args("--backup-keep", "1000"))...)
	var servers []*testbed.Server
	for _, l := range c.all {
		servers = append(servers, l.Server)
	}
	c.balancer = testbed.Balance(t, servers...)
	base := &http.Transport{MaxIdleConns: 100, MaxIdleConnsPerHost: 100, ExpectContinueTimeout: 10 * time.Second}
	t.Cleanup(base.CloseIdleConnections)
	c.base = base

	people := make([]*person, chaosPeople)
	var joining sync.WaitGroup
	for i := range people {
		joining.Go(func() { people[i] = c.office.person(c.any(i)) })
	}
	joining.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, p := range people {
		p.Client = c.client(c.base, client.WithToken(p.token))
		c.vaults = append(c.vaults, &vaultJournal{
			person: p, t: t, record: &c.record, login: c.login,
			items: map[int64]*journalItem{}, asked: map[string]client.Secret{},
		})
		c.backups = append(c.backups, &backupJournal{
			Member: c.client(c.base, client.WithToken(p.token)).Member(), t: t, record: &c.record,
			answered: map[int64]client.Version{}, asked: map[string]sentFile{},
		})
	}
	c.mails = &mailJournal{record: &c.record, ask: c.askForCode, answered: map[string]bool{}}
	return c
}

// client speaks to the replicas through the balancer. What they answer is held against the document.
func (c *chaos) client(base http.RoundTripper, options ...client.Option) *client.Client {
	c.t.Helper()
	through := &http.Client{Timeout: answersWithin, Transport: apitest.NewTransport(c.t, pastBalancer{base})}
	made, err := client.New(c.balancer.URL, append(options, client.WithHTTPClient(through))...)
	if err != nil {
		c.t.Errorf("make client: %v", err)
	}
	return made
}

func (c *chaos) login(p *person) error {
	return p.Login(c.t.Context(), client.Credentials{UserName: p.UserName, Password: p.Password, Captcha: "any", CaptchaID: "any"})
}

func (c *chaos) askForCode(ctx context.Context, from, address string) error {
	return c.client(forwarded{c.base, from}).Member().SendCode(ctx, address)
}

// begin has everybody make one request after another until ctx ends.
func (c *chaos) begin(ctx context.Context) *sync.WaitGroup {
	var load sync.WaitGroup
	run := func(step func(context.Context) error, pause time.Duration) {
		load.Go(func() {
			for ctx.Err() == nil {
				wait := pause
				if step(context.WithoutCancel(ctx)) != nil {
					// What was not answered has come to pass by then, or never will.
					wait = 250 * time.Millisecond
				}
				time.Sleep(wait)
			}
		})
	}
	for i := range c.vaults {
		run(c.vaults[i].step, 10*time.Millisecond)
		run(c.backups[i].step, 30*time.Millisecond)
	}
	run(c.mails.step, 150*time.Millisecond)
	return &load
}

// during ends a part, waits, and starts it again.
func (c *chaos) during(what string, end, start func() error, away time.Duration, as incident) {
	c.t.Helper()
	as.what, as.began = what, time.Now()
	if err := end(); err != nil {
		c.t.Fatal(err)
	}
	time.Sleep(away)
	if err := start(); err != nil {
		c.t.Fatal(err)
	}
	as.ended = time.Now()
	c.incidents = append(c.incidents, as)
}

// killReplica kills a replica while letters are on their way, and starts it again a while after the balancer has
// noticed. Who dies just after a letter was taken can't know of it, and has it sent once more: so here none
// is taken then.
func (c *chaos) killReplica(l *lab) {
	c.t.Helper()
	c.office.hold()
	c.all[0].eventually("letters are held up, and those that were taken are off the queue", func() bool {
		leased := query[int](c.replicas, "SELECT count(*) FROM mail_queue WHERE due_at_ms > $1", time.Now().UnixMilli())
		return leased >= 3 && leased == c.office.waiting()
	})
	in := incident{what: "a replica is killed", began: time.Now(), statuses: []int{http.StatusBadGateway, http.StatusServiceUnavailable}, cuts: true}
	l.Kill()
	c.office.release(false)
	in.ended = time.Now()
	c.incidents = append(c.incidents, in)
	time.Sleep(lull / 2)
	l.Restart()
}

// check demands, with all parts there again, all that was answered.
func (c *chaos) check() {
	c.t.Helper()
	c.record.judge(c.t, c.incidents)
	began := time.Now()
	var checking sync.WaitGroup
	for i := range c.vaults {
		checking.Go(func() { c.vaults[i].check(c.t.Context()) })
		checking.Go(func() { c.backups[i].check(c.t.Context()) })
	}
	checking.Wait()
	c.settle()
	c.mails.check(c.t, c.office.received())
	c.noneFailed()
	items, versions, bytes := 0, 0, int64(0)
	for i := range c.vaults {
		items += len(c.vaults[i].items)
		versions += len(c.backups[i].answered)
		for _, v := range c.backups[i].answered {
			bytes += v.Size
		}
	}
	c.t.Logf("%d items and %d backups of %d MiB were held against the answers in %v", items, versions, bytes>>20, time.Since(began).Round(time.Millisecond))
}
