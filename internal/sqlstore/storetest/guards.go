package storetest

import (
	"crypto/sha256"
	"fmt"
	"time"

	"caesar/internal/throttle"
)

var guards = []test{
	{"a captcha is spent once", aCaptchaIsSpentOnce},
	{"of many at once one spends a captcha", oneOfManySpendsACaptcha},
	{"a bucket gives so many tokens and then one at a time", aBucketGivesItsTokens},
	{"tokens are taken from all buckets or from none", tokensAreTakenFromAllOrNone},
	{"a mark chooses the buckets", aMarkChoosesTheBuckets},
	{"a token that is given back can be taken again", aTokenIsGivenBack},
	{"of many at once only so many get a token", onlySoManyGetAToken},
}

func aCaptchaIsSpentOnce(f *fixture) {
	until := noon.Add(3 * time.Minute)
	f.says(true)(f.SpendCaptcha(f.Context(), []byte("serial of 16 b. "), until))
	f.says(false)(f.SpendCaptcha(f.Context(), []byte("serial of 16 b. "), until))
	f.says(true)(f.SpendCaptcha(f.Context(), []byte("serial of 16 b.!"), until))
}

func oneOfManySpendsACaptcha(f *fixture) {
	first := f.atOnce(many, func(int) (bool, error) {
		return f.SpendCaptcha(f.Context(), []byte("serial of 16 b. "), noon.Add(3*time.Minute))
	})
	equal(f, "calls that were the first", first, 1)
}

// bucket is a take of 3 tokens at once, and one a minute.
func bucket(name string) throttle.Take {
	key := sha256.Sum256([]byte(name))
	return throttle.Take{Key: key[:], Burst: 3, Every: time.Minute}
}

// take asks for a token of each bucket, where nothing is marked.
func (f *fixture) take(at time.Time, takes ...throttle.Take) (wait time.Duration) {
	f.Helper()
	_, wait, err := f.TakeAll(f.Context(), throttle.Question{Otherwise: takes}, at)
	f.must(err)
	return wait
}

func aBucketGivesItsTokens(f *fixture) {
	b := bucket("user")
	for _, c := range []struct{ after, wait time.Duration }{
		{0, 0},
		{0, 0},
		{0, 0},
		{0, time.Minute},
		{500 * time.Millisecond, time.Minute - 500*time.Millisecond},
		{time.Minute, 0},
		{time.Minute, time.Minute},
		{time.Hour, 0},
		{time.Hour, 0},
		{time.Hour, 0},
		{time.Hour, time.Minute},
	} {
		equal(f, fmt.Sprintf("wait after %s", c.after), f.take(noon.Add(c.after), b), c.wait)
	}
	equal(f, "wait at another bucket", f.take(noon, bucket("other")), 0)
}

func tokensAreTakenFromAllOrNone(f *fixture) {
	full, empty := bucket("full"), bucket("empty")
	for range 3 {
		equal(f, "wait", f.take(noon, empty), 0)
	}
	for range 5 {
		equal(f, "wait for both", f.take(noon, full, empty), time.Minute)
		equal(f, "wait for both, the other way round", f.take(noon, empty, full), time.Minute)
	}
	for range 3 {
		equal(f, "wait at the full one", f.take(noon, full), 0)
	}
	equal(f, "wait at the full one, emptied", f.take(noon, full), time.Minute)
}

func aMarkChoosesTheBuckets(f *fixture) {
	mark := sha256.Sum256([]byte("mark"))
	q := throttle.Question{Mark: mark[:], IfMarked: []throttle.Take{bucket("friend")}, Otherwise: []throttle.Take{bucket("stranger")}}
	ask := func(at time.Time, want bool) {
		f.Helper()
		marked, wait, err := f.TakeAll(f.Context(), q, at)
		f.must(err)
		equal(f, "marked", marked, want)
		equal(f, "wait", wait, 0)
	}
	ask(noon, false)
	ask(noon, false)
	until := noon.Add(time.Hour)
	f.must(f.Refund(f.Context(), nil, throttle.Mark{Key: mark[:], Until: until}, noon))
	ask(noon, true)
	ask(until.Add(-time.Second), true)
	ask(until, false)
	equal(f, "wait at the strangers' bucket, a second before the hour", f.take(noon, bucket("stranger")) > 0, true)
}

func aTokenIsGivenBack(f *fixture) {
	b := bucket("user")
	mark := throttle.Mark{Key: bucket("mark").Key, Until: noon.Add(time.Hour)}
	f.must(f.Refund(f.Context(), []throttle.Take{bucket("absent")}, mark, noon))
	for range 3 {
		f.take(noon, b)
	}
	f.must(f.Refund(f.Context(), []throttle.Take{b}, mark, noon))
	equal(f, "wait for the token that was given back", f.take(noon, b), 0)
	equal(f, "wait for one more", f.take(noon, b), time.Minute)
	for range 3 {
		equal(f, "wait at the bucket that was absent", f.take(noon, bucket("absent")), 0)
	}
	equal(f, "wait at it, emptied", f.take(noon, bucket("absent")) > 0, true)
}

func onlySoManyGetAToken(f *fixture) {
	got := f.atOnce(many, func(int) (bool, error) {
		_, wait, err := f.TakeAll(f.Context(), throttle.Question{Otherwise: []throttle.Take{bucket("user"), bucket("address")}}, noon)
		return wait == 0, err
	})
	equal(f, "calls that got a token", got, 3)
}
