package keyring

import (
	"bytes"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"caesar/internal/encstring"
)

// testCache is a keyring with nothing but its cache, in the time of a synctest bubble.
func testCache() *Keyring { return &Keyring{cache: newCache(time.Now)} }

// held returns how many keys are held, and whether they will be swept.
func (c *cache) held() (keys int, sweeping bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bySession) != c.recent.Len() {
		return -1, false
	}
	return len(c.bySession), c.sweep != nil
}

func testKey(t testing.TB, fill byte) *UserKey {
	t.Helper()
	key, err := newUserKey(bytes.Repeat([]byte{fill}, encstring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (k *Keyring) remembers(session string, userID, revision int64, password string) bool {
	_, ok := k.Recall(session, userID, revision, password)
	return ok
}

func TestAKeyIsRecalledByTheSameSessionUserRevisionAndPassword(t *testing.T) {
	t.Parallel()
	k := testCache()
	want := testKey(t, 5)
	k.Remember("12", 7, 3, "veni", want)
	got, ok := k.Recall("12", 7, 3, "veni")
	if !ok || !bytes.Equal(got.key.Bytes(), want.key.Bytes()) {
		t.Errorf("Recall = %v, %v", got, ok)
	}
	for name, ok := range map[string]bool{
		"another session":  k.remembers("13", 7, 3, "veni"),
		"another user":     k.remembers("12", 8, 3, "veni"),
		"another revision": k.remembers("12", 7, 4, "veni"),
		"another password": k.remembers("12", 7, 3, "vidi"),
		"no password":      k.remembers("12", 7, 3, ""),
		"moved bytes":      k.remembers("1", 7, 3, "2veni"),
	} {
		if ok {
			t.Errorf("%s has it too", name)
		}
	}
	if !k.remembers("12", 7, 3, "veni") {
		t.Error("a wrong try dropped it")
	}
}

func TestAKeyIsForgottenFiveMinutesAfterItsLastUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := testCache()
		k.Remember("12", 7, 1, "veni", testKey(t, 5))
		for range 3 {
			time.Sleep(cacheIdle - time.Second)
			if !k.remembers("12", 7, 1, "veni") {
				t.Fatal("forgotten before five minutes without use")
			}
		}
		time.Sleep(cacheIdle - time.Second)
		if k.remembers("12", 7, 1, "vidi") {
			t.Error("a wrong password has it")
		}
		time.Sleep(time.Second)
		if k.remembers("12", 7, 1, "veni") {
			t.Error("a try with a wrong password kept it alive")
		}
	})
}

func TestForgottenKeysAreWipedWithoutAnyCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := testCache()
		k.Remember("12", 7, 1, "veni", testKey(t, 5))
		e := entryAt(k.cache.bySession["12"])
		time.Sleep(time.Minute)
		k.Remember("13", 7, 1, "veni", testKey(t, 5))
		time.Sleep(cacheIdle - time.Minute + time.Second)
		synctest.Wait()
		if n, _ := k.cache.held(); n != 1 {
			t.Errorf("%d keys are held, want the younger one", n)
		}
		if e.masked != [encstring.KeySize]byte{} || e.tag != [32]byte{} {
			t.Error("the dropped entry was not wiped")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n, sweeping := k.cache.held(); n != 0 || sweeping {
			t.Errorf("%d keys are held in the end, swept for: %v", n, sweeping)
		}
		k.Remember("14", 7, 1, "veni", testKey(t, 5))
		time.Sleep(cacheIdle)
		synctest.Wait()
		if n, _ := k.cache.held(); n != 0 {
			t.Error("nobody sweeps the second time")
		}
	})
}

func TestTheMemoryOfTheCacheHoldsNoKeyInTheClear(t *testing.T) {
	t.Parallel()
	k := testCache()
	k.Remember("12", 7, 1, "veni", testKey(t, 5))
	e := entryAt(k.cache.bySession["12"])
	if bytes.Contains(e.masked[:], bytes.Repeat([]byte{5}, 8)) {
		t.Error("the key lies there unmasked")
	}
}

func TestTheEndOfASessionAndAChangeOfPasswordForget(t *testing.T) {
	t.Parallel()
	k := testCache()
	for _, session := range []string{"1", "2"} {
		k.Remember(session, 7, 1, "veni", testKey(t, 5))
	}
	k.Remember("3", 8, 1, "veni", testKey(t, 6))
	k.Forget("1")
	k.Forget("absent")
	if k.remembers("1", 7, 1, "veni") || !k.remembers("2", 7, 1, "veni") {
		t.Error("Forget drops the wrong session")
	}
	k.ForgetUser(7)
	if k.remembers("2", 7, 1, "veni") || !k.remembers("3", 8, 1, "veni") {
		t.Error("ForgetUser drops the wrong user")
	}
}

func TestASessionHasOneKeyTheNewest(t *testing.T) {
	t.Parallel()
	k := testCache()
	k.Remember("1", 7, 1, "veni", testKey(t, 5))
	k.Remember("1", 7, 2, "vidi", testKey(t, 5))
	if k.remembers("1", 7, 1, "veni") || !k.remembers("1", 7, 2, "vidi") {
		t.Error("the older key is still there")
	}
}

func TestTheKeyUnusedForLongestMakesRoom(t *testing.T) {
	t.Parallel()
	k := testCache()
	key := testKey(t, 5)
	for i := range cacheSize {
		k.Remember(strconv.Itoa(i), 7, 1, "veni", key)
	}
	if !k.remembers("0", 7, 1, "veni") {
		t.Fatal("forgotten before there were too many")
	}
	k.Remember("one more", 7, 1, "veni", key)
	if k.remembers("1", 7, 1, "veni") || !k.remembers("0", 7, 1, "veni") {
		t.Error("the wrong key made room")
	}
	if n, _ := k.cache.held(); n != cacheSize {
		t.Errorf("%d keys are held", n)
	}
}

// TestTheCacheNeverRemembersMoreThanASimpleMap runs random calls against a map without any cleverness.
func TestTheCacheNeverRemembersMoreThanASimpleMap(t *testing.T) {
	t.Parallel()
	type held struct {
		user, revision int64
		password       string
		used           time.Time
	}
	rapid.Check(t, func(rt *rapid.T) {
		now := time.Unix(1_700_000_000, 0)
		k := &Keyring{cache: newCache(func() time.Time { return now })}
		model := map[string]held{}
		session := rapid.SampledFrom([]string{"1", "2", "3"})
		number := rapid.Int64Range(1, 2)
		password := rapid.SampledFrom([]string{"a", "b"})
		rt.Repeat(map[string]func(*rapid.T){
			"remember": func(rt *rapid.T) {
				s, h := session.Draw(rt, "s"), held{number.Draw(rt, "u"), number.Draw(rt, "r"), password.Draw(rt, "p"), now}
				k.Remember(s, h.user, h.revision, h.password, testKey(t, 5))
				model[s] = h
			},
			"recall": func(rt *rapid.T) {
				s, want := session.Draw(rt, "s"), held{number.Draw(rt, "u"), number.Draw(rt, "r"), password.Draw(rt, "p"), now}
				h, ok := model[s]
				if ok && now.Sub(h.used) >= cacheIdle {
					delete(model, s)
					ok = false
				}
				h.used = now
				if got := k.remembers(s, want.user, want.revision, want.password); got != (ok && h == want) {
					rt.Fatalf("Recall = %v of %+v, held %v %+v", got, want, ok, h)
				}
				if ok && h == want {
					model[s] = h
				}
			},
			"forget": func(rt *rapid.T) {
				s := session.Draw(rt, "s")
				k.Forget(s)
				delete(model, s)
			},
			"forget user": func(rt *rapid.T) {
				u := number.Draw(rt, "u")
				k.ForgetUser(u)
				for s, h := range model {
					if h.user == u {
						delete(model, s)
					}
				}
			},
			"wait": func(rt *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(rt, "seconds")) * time.Second)
			},
		})
	})
}
