package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"caesar/client"
)

// race is lab.race, each request made at the next replica.
func (r *replicas) race(requests int, request func(l *lab, i int) error) raced {
	r.t.Helper()
	return r.all[0].race(requests, func(i int) error { return request(r.any(i), i) })
}

// guessed are the doors at which somebody's secrets are guessed at, by the slug of a wrong guess: each with
// somebody of its own.
func (r *replicas) guessed() map[string]func(l *lab) error {
	r.t.Helper()
	outside, inside := r.all[0].person(), r.all[1].person()
	id := r.all[2].keep(&person{Client: r.with(inside.token)[2], Registration: inside.Registration}, "GitHub")
	fresh := r.all[0].login(inside) // a session that has not shown the main password
	return map[string]func(l *lab) error{
		client.LoginWrong: func(l *lab) error { return l.tryLogin(outside.UserName, "a wrong guess") },
		client.MainPasswordWrong: func(l *lab) error {
			_, err := l.client(client.WithToken(fresh)).RevealItem(r.t.Context(), id, "a wrong guess")
			return err
		},
	}
}

func (r *replicas) countGuesses() {
	for door, guess := range r.guessed() {
		for i := range guessesAtUser + len(r.all) {
			err := guess(r.any(i))
			if i < guessesAtUser {
				r.expect(fmt.Sprintf("guess %d", i+1), err, door)
			} else {
				waits(r.t, fmt.Sprintf("%s: guess %d, at replica %d", door, i+1, i%len(r.all)+1), err)
			}
		}
	}
}

func (r *replicas) raceGuesses() {
	for door, guess := range r.guessed() {
		came := r.race(crowdSize, func(l *lab, _ int) error { return guess(l) })
		came.only(r.t, door, client.TooMany)
		if looked := came[door]; looked < 1 || looked > guessesAtUser {
			r.t.Errorf("%s: %d guesses were looked at", door, looked)
		}
	}
}

func (r *replicas) raceCode() {
	p := r.all[0].newcomer()
	code := r.all[1].code(p, client.ForActivation)
	came := r.race(crowdSize, func(l *lab, _ int) error { return l.client().Activate(r.t.Context(), p.Email, code) })
	came.only(r.t, "", client.CodeWrong, client.TooMany) // the throttle lets no fifty through
	if came[""] != 1 || came[client.CodeWrong] == 0 {
		r.t.Errorf("it came to %v", came)
	}
	if err := r.all[2].tryLogin(p.UserName, p.Password); err != nil {
		r.t.Errorf("the one is not active: %v", err)
	}
}

func (r *replicas) raceEdits() {
	ctx := r.t.Context()
	p := r.all[0].person()
	id := r.all[0].keep(p, "GitHub")
	at := r.with(p.token)
	came := r.race(crowdSize, func(_ *lab, i int) error {
		c, text := at[i%len(at)], fmt.Sprint(i)
		if i%5 == 4 { // and some look on
			seen, err := c.RevealItem(ctx, id, p.MainPassword)
			if err == nil && seen.Email != "" && seen.Name != seen.Email {
				r.t.Errorf("two edits are mixed: %+v", seen)
			}
			return err
		}
		_, err := c.EditItem(ctx, id, p.MainPassword, client.ItemEdit{Name: text, Email: text, Password: text})
		return err
	})
	came.only(r.t, "")
	held := map[client.Secret]int{}
	for i, c := range at {
		seen, err := c.RevealItem(ctx, id, p.MainPassword)
		if held[seen]++; err != nil || seen.Name != seen.Email || seen.Email != seen.Password {
			r.t.Errorf("in the end replica %d has %+v: %v", i+1, seen, err)
		}
	}
	if len(held) != 1 {
		r.t.Errorf("the replicas have %v", held)
	}
	if n := r.all[1].logged(&person{Client: at[1]}, client.Edited); n != crowdSize-crowdSize/5 {
		r.t.Errorf("%d edits are logged", n)
	}
}

func (r *replicas) raceDeletions() {
	p := r.all[0].person()
	id := r.all[0].keep(p, "GitHub")
	at := r.with(p.token)
	came := r.race(crowdSize, func(_ *lab, i int) error { return at[i%len(at)].DeleteItem(r.t.Context(), id, p.MainPassword) })
	if came[""] != 1 || came[client.NotFound] != crowdSize-1 {
		r.t.Errorf("it came to %v", came)
	}
	if n := r.all[1].logged(&person{Client: at[1]}, client.Deleted); n != 1 {
		r.t.Errorf("the deletion is logged %d times", n)
	}
}

func (r *replicas) raceQuota() {
	ctx := r.t.Context()
	p := r.all[0].person()
	at := r.with(p.token)
	const size = 1_200_000 // of which three are within the quota
	var kept atomic.Int64
	came := r.race(12, func(_ *lab, i int) error {
		_, err := at[i%len(at)].Member().Upload(ctx, "x", strings.NewReader(random(uint64(i), size)))
		if err == nil {
			kept.Add(1)
		}
		return err
	})
	came.only(r.t, "", client.TooLarge)
	if kept.Load() == 0 {
		r.t.Errorf("it came to %v", came)
	}
	for i, c := range at {
		backups, err := c.Member().Versions(ctx)
		if err != nil || int64(len(backups.Files)) != kept.Load() || backups.Used != kept.Load()*size || backups.Used > 4<<20 {
			r.t.Errorf("%d were answered, and replica %d has %+v: %v", kept.Load(), i+1, backups, err)
		}
	}
	// Room that was used by what broke off is given back.
	for i := kept.Load(); i < 3; i++ {
		r.any(int(i)).uploaded(p.token, "x", random(1, size))
	}
	if got := r.all[1].ask(upload(p.token, "x", random(1, size))); got.status != http.StatusRequestEntityTooLarge {
		r.t.Errorf("a fourth file answers %d %s", got.status, got.body)
	}
	r.all[0].eventually("no more than the versions lies in the store", func() bool {
		whole, begun := r.objects()
		return len(whole) == query[int](r, "SELECT count(*) FROM blobs") && len(begun) == 0
	})
}

func TestOfFiftyWhoShowTheSameCaptchaToThreeReplicasOneGetsIn(t *testing.T) {
	t.Parallel()
	r := threeReplicas(t, crowd, shared(t))
	captcha := func(l *lab) (id, answer string) {
		drawn, err := l.client().Captcha(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return drawn.ID, l.readCaptcha(drawn.ID)
	}
	p := r.all[0].stranger()
	p.CaptchaID, p.Registration.Captcha = captcha(r.all[1])
	if _, err := p.Register(t.Context(), p.Registration); err != nil {
		t.Fatal(err)
	}
	if err := p.Activate(t.Context(), p.Email, r.all[2].code(p, client.ForActivation)); err != nil {
		t.Fatal(err)
	}
	id, answer := captcha(r.all[0])
	came := r.race(crowdSize, func(l *lab, _ int) error {
		return l.client().Login(t.Context(), client.Credentials{
			UserName: p.UserName, Password: p.Password, CaptchaID: id, Captcha: answer,
		})
	})
	if came[""] != 1 || came[client.CaptchaWrong] != crowdSize-1 {
		t.Errorf("it came to %v", came)
	}
	// Each way to guess spends one: whatever a replica has drawn is looked at once, by all together.
	wrong, right := captcha(r.all[1])
	forged := string(slices.Concat([]byte(right[:4]), []byte{'0' + (right[4]-'0'+1)%10}))
	for i, try := range []string{forged, right, right} {
		err := r.any(i).client().Login(t.Context(), client.Credentials{
			UserName: p.UserName, Password: p.Password, CaptchaID: wrong, Captcha: try,
		})
		r.expect(fmt.Sprintf("try %d", i+1), err, client.CaptchaWrong)
	}
}
