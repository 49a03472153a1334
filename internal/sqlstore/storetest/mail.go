package storetest

import (
	"fmt"
	"slices"
	"time"
)

var mails = []test{
	{"a letter is lent to one worker at a time", aLetterIsLentToOne},
	{"of many workers at once each gets letters of its own", manyWorkersShareTheQueue},
	{"a letter that failed comes again later", aLetterThatFailedComesAgain},
	{"the queue tells when its next letter is due", theQueueTellsWhatIsNext},
}

// post has a letter queued, as somebody who asks for a code would.
func (f *fixture) post(letter string, at time.Time) {
	f.Helper()
	r := codeRequest(code(letter, "123456"), 0, at)
	r.Letter = []byte(letter)
	_, err := f.RequestCode(f.Context(), r)
	f.must(err)
}

func aLetterIsLentToOne(f *fixture) {
	f.post("second", noon.Add(time.Second))
	f.post("first", noon)
	claimed, err := f.ClaimMail(f.Context(), noon, time.Minute, 10)
	f.must(err)
	if len(claimed) != 1 || string(claimed[0].Sealed) != "first" || claimed[0].ID <= 0 || claimed[0].Attempts != 0 ||
		!claimed[0].CreatedAt.Equal(noon) || !claimed[0].DueAt.Equal(noon) {
		f.Fatalf("claimed %+v", claimed)
	}
	claimed, err = f.ClaimMail(f.Context(), noon.Add(time.Minute-time.Second), time.Minute, 10)
	f.must(err)
	if len(claimed) != 1 || string(claimed[0].Sealed) != "second" {
		f.Fatalf("claimed during the lease %+v", claimed)
	}
	claimed, err = f.ClaimMail(f.Context(), noon.Add(time.Minute), time.Minute, 10)
	f.must(err)
	if len(claimed) != 1 || string(claimed[0].Sealed) != "first" || claimed[0].Attempts != 0 {
		f.Fatalf("claimed after the lease %+v", claimed)
	}
	f.must(f.MailSent(f.Context(), claimed[0].ID))
	f.must(f.MailSent(f.Context(), claimed[0].ID)) // by a worker whose lease had run out
	f.must(f.MailFailed(f.Context(), claimed[0].ID, noon))
	equal(f, "letters left", fmt.Sprint(f.letters()), "[second]")
}

func manyWorkersShareTheQueue(f *fixture) {
	var want []string
	for i := range many {
		letter := fmt.Sprintf("letter %02d", i)
		f.post(letter, noon)
		want = append(want, letter)
	}
	claims := make([][]string, 10)
	f.atOnce(len(claims), func(i int) (bool, error) {
		claimed, err := f.ClaimMail(f.Context(), noon, time.Minute, 7)
		for _, q := range claimed {
			claims[i] = append(claims[i], string(q.Sealed))
		}
		return true, err
	})
	got := slices.Concat(claims...)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		f.Errorf("lent were %q", got)
	}
	for _, claimed := range claims {
		if len(claimed) > 7 {
			f.Errorf("%d letters were lent at once", len(claimed))
		}
	}
}

func aLetterThatFailedComesAgain(f *fixture) {
	f.post("letter", noon)
	for attempts := range 3 {
		at := noon.Add(time.Duration(attempts) * time.Hour)
		claimed, err := f.ClaimMail(f.Context(), at, time.Minute, 10)
		f.must(err)
		if len(claimed) != 1 || claimed[0].Attempts != attempts || !claimed[0].CreatedAt.Equal(noon) {
			f.Fatalf("claimed at attempt %d: %+v", attempts, claimed)
		}
		next := at.Add(time.Hour)
		f.must(f.MailFailed(f.Context(), claimed[0].ID, next))
		claimed, err = f.ClaimMail(f.Context(), next.Add(-time.Millisecond), time.Minute, 10)
		f.must(err)
		equal(f, "letters claimed too early", len(claimed), 0)
	}
}

func theQueueTellsWhatIsNext(f *fixture) {
	_, found, err := f.NextMail(f.Context())
	f.must(err)
	equal(f, "a letter is found in an empty queue", found, false)
	f.post("late", noon.Add(time.Hour))
	f.post("early", noon)
	wants := func(want time.Time) {
		f.Helper()
		due, found, err := f.NextMail(f.Context())
		f.must(err)
		equal(f, "a letter is found", found, true)
		equal(f, "due", due.UnixMilli(), want.UnixMilli())
	}
	wants(noon)
	_, err = f.ClaimMail(f.Context(), noon, time.Minute, 1)
	f.must(err)
	wants(noon.Add(time.Minute))
	_, err = f.ClaimMail(f.Context(), noon.Add(time.Minute), 2*time.Hour, 1)
	f.must(err)
	wants(noon.Add(time.Hour))
}
