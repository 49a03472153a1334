package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// healsWithin is how long after what it stands on is back a replica may take to answer as before.
const healsWithin = 5 * time.Second

// putOff demands an answer that says to come again.
func (r *replicas) putOff(what string, got reply) {
	r.t.Helper()
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		r.t.Errorf("%s: answers %d %s, Retry-After %q", what, got.status, got.body, got.header.Get("Retry-After"))
	}
}

// is demands the status of a path that is for machines.
func (r *replicas) is(what string, l *lab, path string, status int) {
	r.t.Helper()
	if got := l.ask(question{method: http.MethodGet, path: path}); got.status != status {
		r.t.Errorf("%s: %s answers %d %s", what, path, got.status, got.body)
	}
}

func TestADatabaseThatIsRestartedIsAShort503AndTheReplicasHealByThemselves(t *testing.T) {
	t.Parallel()
	alone(t)
	database, blobs := testbed.StartPostgres(t), testbed.StartS3(t)
	r := threeReplicas(t, troubled, places{database.URL(), blobs.URL()}, captchaOff()...)
	p := r.all[0].person()
	id := r.all[0].keep(p, "GitHub")
	at := r.with(p.token)
	for how, end := range map[string]func() error{"stopped": database.Stop, "killed": database.Kill} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		for i, l := range r.all {
			what := fmt.Sprintf("while PostgreSQL is %s, replica %d", how, i+1)
			r.putOff(what+", a list", l.ask(question{method: http.MethodGet, path: "/api/auth/account", token: p.token}))
			r.putOff(what+", a login", l.ask(question{
				method: http.MethodPost, path: "/api/login", header: asJSON.header(),
				body: jsonBody(t, "user_name", p.UserName, "password", p.Password, "captcha", "", "captcha_id", ""),
			}))
			r.putOff(what+", an upload", l.ask(upload(p.token, "x", "content")))
			r.is(what, l, "/healthz", http.StatusOK)
			r.is(what, l, "/readyz", http.StatusServiceUnavailable)
		}
		if err := database.Start(); err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		for i, l := range r.all {
			what := fmt.Sprintf("after PostgreSQL was %s, replica %d", how, i+1)
			l.eventually(what+" is ready", func() bool {
				return l.ask(question{method: http.MethodGet, path: "/readyz"}).status == http.StatusOK
			})
			if _, err := at[i].RevealItem(t.Context(), id, p.MainPassword); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := at[i].CreateItem(t.Context(), p.MainPassword, client.NewItem{Name: "n", Password: "p", Platform: "p"}); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if took := time.Since(back); took > healsWithin {
			t.Errorf("they took %v to heal", took)
		} else {
			t.Logf("after PostgreSQL was %s they took %v to heal", how, took)
		}
	}
	r.noneFailed()
}

// noneFailed looks for what must not happen whatever a replica stands on does.
func (r *replicas) noneFailed() {
	r.t.Helper()
	for i, l := range r.all {
		for line := range strings.Lines(l.Log()) {
			if strings.Contains(line, " status=500 ") || strings.Contains(line, "panic") {
				r.t.Errorf("replica %d failed: %s", i+1, line)
			}
		}
	}
}

func TestTheVaultGoesOnWhileTheStoreOfBackupsIsAway(t *testing.T) {
	t.Parallel()
	at := shared(t)
	store := testbed.StartS3(t)
	at.blobs = store.URL()
	r := threeReplicas(t, troubled, at, captchaOff()...)
	p := r.all[0].person()
	content := random(5, 400_000)
	r.all[0].uploaded(p.token, "x", content)
	// One upload has begun when the store goes away.
	body, sending := io.Pipe()
	came := make(chan error, 1)
	go func() {
		_, err := r.with(p.token)[1].Member().Upload(t.Context(), "cut off", body)
		came <- err
	}()
	if _, err := sending.Write([]byte(random(6, 300_000))); err != nil {
		t.Fatal(err)
	}
	if err := store.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := sending.Write([]byte("the rest")); err == nil {
		_ = sending.Close()
	}
	if refused, ok := errors.AsType[*client.Error](<-came); !ok || refused.Slug != client.Unavailable || refused.RetryAfter == 0 {
		t.Errorf("what was under way came to %v", refused)
	}
	r.all[2].Restart() // also without the store
	for i, l := range r.all {
		what := fmt.Sprintf("without the store, replica %d", i+1)
		r.putOff(what+", an upload", l.ask(upload(p.token, "y", random(5, 100_000))))
		r.putOff(what+", a download", l.download(p.token, "", nil))
		r.is(what, l, "/readyz", http.StatusOK)
		if got := l.ask(question{method: http.MethodGet, path: "/user/files/", token: p.token}); got.status != http.StatusOK {
			t.Errorf("%s, the list of versions: %d %s", what, got.status, got.body)
		}
		l.keep(&person{Client: r.with(p.token)[i], Registration: p.Registration}, "GitHub")
	}
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	for i, l := range r.all {
		l.eventually(fmt.Sprintf("replica %d brings backups back", i+1), func() bool {
			return l.download(p.token, "", nil).status == http.StatusOK
		})
		l.kept(t, "after all", p.token, content)
	}
	if took := time.Since(back); took > healsWithin {
		t.Errorf("they took %v to heal", took)
	}
	for i, l := range r.all {
		next := random(uint64(20+i), 200_000)
		l.uploaded(p.token, "x", next)
		r.any(i+1).kept(t, "what is uploaded then", p.token, next)
	}
	r.noneFailed()
}
