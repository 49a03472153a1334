package e2e_test

import (
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// dear is by how much opening the vault with the main password is to be dearer than with the unlock
// cache. It is about fifty times where nothing else runs.
const dear = 4

// quickest is the shortest of some durations: what a thing takes when nothing comes between.
func quickest(times int, measure func() time.Duration) time.Duration {
	least := measure()
	for range times - 1 {
		least = min(least, measure())
	}
	return least
}

// viewed opens an item and returns what it took and the slug of what came of it.
func (p *person) viewed(t testing.TB, item int64, mainPassword string) (took time.Duration, slug string) {
	t.Helper()
	began := time.Now()
	_, err := p.RevealItem(t.Context(), item, mainPassword)
	return time.Since(began), client.Slug(err)
}

// takes returns how long views take that come to a slug.
func (p *person) takes(t testing.TB, times int, item int64, mainPassword, want string) time.Duration {
	t.Helper()
	return quickest(times, func() time.Duration {
		took, slug := p.viewed(t, item, mainPassword)
		if slug != want {
			t.Errorf("a view came to %q, not %q", slug, want)
		}
		return took
	})
}

func TestTheMainPasswordIsDearOnceForEachSessionAndAlwaysWhereItIsWrong(t *testing.T) {
	t.Parallel()
	l := crowd(t, testbed.Args("--captcha", "off")) // at the price that a vault has
	p := l.person()
	item := l.keep(p, "GitHub")

	again := p.takes(t, 8, item, p.MainPassword, "")
	cheap := func(took time.Duration, what string) {
		t.Helper()
		if took > dear*again {
			t.Errorf("%s takes %v, a view of an open vault %v", what, took, again)
		}
	}
	full := func(took time.Duration, what string) {
		t.Helper()
		if took < dear*again {
			t.Errorf("%s takes %v only, a view of an open vault %v", what, took, again)
		}
	}
	wrong := p.takes(t, 3, item, "a wrong guess", client.MainPasswordWrong)
	full(wrong, "a wrong main password")
	full(p.takes(t, 1, item, p.MainPassword+" ", client.MainPasswordWrong), "one that is nearly right")
	cheap(p.takes(t, 8, item, p.MainPassword, ""), "the right one after wrong ones")

	// Each session pays for itself, also one that follows on another's end.
	full(quickest(3, func() time.Duration { return l.elsewhere(p).takes(t, 1, item, p.MainPassword, "") }), "the first view of a session")
	guest := l.elsewhere(p)
	guest.takes(t, 1, item, p.MainPassword, "")
	if err := l.client(client.WithToken(guest.token)).SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, slug := guest.viewed(t, item, p.MainPassword); slug != client.Unauthenticated {
		t.Errorf("a session that was signed out of still opens: %q", slug)
	}
	full(quickest(2, func() time.Duration { return l.elsewhere(p).takes(t, 1, item, p.MainPassword, "") }), "the first view after signing out")
	t.Logf("a view: %v; a wrong main password: %v", again, wrong)

	l.changesMainPassword(p, item, full, cheap)
}

// changesMainPassword changes the main password of an open session and looks at what it still knows.
func (l *lab) changesMainPassword(p *person, item int64, full, cheap func(time.Duration, string)) {
	t := l.t
	t.Helper()
	l.aDayPasses()
	const next = "the next main password"
	if err := p.SetMainPassword(t.Context(), p.MainPassword, next); err != nil {
		t.Fatal(err)
	}
	full(p.takes(t, 1, item, p.MainPassword, client.MainPasswordWrong), "the main password of before")
	full(p.takes(t, 1, item, next, ""), "the first view with the new one")
	cheap(p.takes(t, 8, item, next, ""), "the second view with the new one")
	full(p.takes(t, 1, item, p.MainPassword, client.MainPasswordWrong), "the one of before, beside an open vault")

	// And it dies with the process: nothing of it is anywhere else.
	l.Restart()
	full(p.takes(t, 1, item, next, ""), "the first view after a restart")
}
