package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/vault"
)

var life = []test{
	{"sweeping forgets what has run out and nothing else", sweepingForgetsWhatHasRunOut},
	{"the first root key is remembered", theFirstRootKeyIsRemembered},
	{"the first mark of the place of blobs is remembered", theFirstMarkOfBlobsIsRemembered},
	{"whether there are blobs is known", whetherThereAreBlobsIsKnown},
	{"of many marks at once of a root key one is stored", oneOfManyRootKeysIsRemembered},
	{"a store is ready until it is closed", aStoreIsReadyUntilClosed},
	{"a request that was given up changes nothing", aRequestGivenUpChangesNothing},
	{"closing while many write answers each of them", closingWhileManyWrite},
}

func sweepingForgetsWhatHasRunOut(f *fixture) {
	id := f.person("marcus")
	item := f.item(id, "github")
	_, hash := f.login(id)
	c := code("reset of marcus", "123456")
	f.requestCode(c, id, noon)
	spent, until := []byte("serial of 16 b. "), noon.Add(3*time.Minute)
	f.says(true)(f.SpendCaptcha(f.Context(), spent, until))
	for range 3 {
		f.take(noon, bucket("user"))
	}

	// As long as anything of it counts, nothing is forgotten.
	f.must(f.Sweep(f.Context(), noon.Add(time.Second)))
	f.must(f.Sweep(f.Context(), until))
	f.says(false)(f.SpendCaptcha(f.Context(), spent, until))
	equal(f, "wait at the bucket", f.take(noon.Add(time.Second), bucket("user")) > 0, true)
	f.says(true)(f.CheckCode(f.Context(), c, id, noon.Add(10*time.Minute-time.Second)))

	f.must(f.Sweep(f.Context(), noon.Add(time.Hour)))
	f.says(true)(f.SpendCaptcha(f.Context(), spent, until)) // forgotten: it would be refused as expired
	equal(f, "wait at the bucket, full again", f.take(noon, bucket("user")), 0)
	f.says(false)(f.CheckCode(f.Context(), c, id, noon)) // no clock goes back; but the row is gone
	if _, err := f.Item(f.Context(), id, item.ID); err != nil {
		f.Errorf("an item was swept away: %v", err)
	}
	equal(f, "session lives", f.live(id, hash), true)
	equal(f, "letters", len(f.letters()), 1)
}

func theFirstRootKeyIsRemembered(f *fixture) {
	mark, err := f.RootKeyMark(f.Context())
	f.must(err)
	equal(f, "length of what is stored before", len(mark), 0)
	for _, mark := range []string{"first", "second", "first"} {
		stored, err := f.RememberRootKey(f.Context(), []byte(mark))
		f.must(err)
		equal(f, "what is stored", string(stored), "first")
		mark, err := f.RootKeyMark(f.Context())
		f.must(err)
		equal(f, "what is read", string(mark), "first")
	}
}

func theFirstMarkOfBlobsIsRemembered(f *fixture) {
	_, err := f.RememberRootKey(f.Context(), []byte("root"))
	f.must(err)
	for _, mark := range []string{"first", "second", "first"} {
		stored, err := f.BlobsMark(f.Context(), []byte(mark))
		f.must(err)
		equal(f, "what is stored", string(stored), "first")
	}
}

func whetherThereAreBlobsIsKnown(f *fixture) {
	there := func(want bool) {
		f.Helper()
		yes, err := f.NamesAnyBlob(f.Context())
		f.must(err)
		equal(f, "whether any blob is named", yes, want)
	}
	id := f.person("marcus")
	there(false)
	v, _ := f.version(id, "backup", 7, backup.Retention{Keep: 10, Quota: 1 << 50})
	there(true)
	_, err := f.DeleteVersion(f.Context(), id, v.ID)
	f.must(err)
	there(false)
}

func oneOfManyRootKeysIsRemembered(f *fixture) {
	stored := make([]string, many)
	f.atOnce(many, func(i int) (bool, error) {
		mark, err := f.RememberRootKey(f.Context(), fmt.Append(nil, "mark ", i))
		stored[i] = string(mark)
		return true, err
	})
	for _, mark := range stored {
		equal(f, "what is stored", mark, stored[0])
	}
}

func aStoreIsReadyUntilClosed(f *fixture) {
	id := f.person("marcus")
	f.must(f.Ready(f.Context()))
	f.closed = true
	f.must(f.Close())
	ctx := f.Context()
	_, read := f.UserByID(ctx, id)
	_, written := f.CreateItem(ctx, id, sealAs(id, "github", noon))
	for _, err := range []error{f.Ready(ctx), read, written} {
		if e := (*fault.Error)(nil); !errors.As(err, &e) || e.Kind != fault.Unavailable {
			f.Errorf("a closed store says %v, want that it is unavailable", err)
		}
	}
}

func aRequestGivenUpChangesNothing(f *fixture) {
	id := f.person("marcus")
	ctx, giveUp := context.WithCancel(f.Context())
	giveUp()
	_, err := f.CreateItem(ctx, id, sealAs(id, "github", noon))
	f.wants(context.Canceled, err)
	_, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
	f.must(err)
	equal(f, "items", count, 0)
	equal(f, "log rows", len(f.log(id)), 0)
}

func closingWhileManyWrite(f *fixture) {
	id := f.person("marcus")
	f.closed = true
	f.atOnce(many, func(i int) (bool, error) {
		if i == many/2 {
			return true, f.Close()
		}
		_, err := f.CreateItem(f.Context(), id, sealAs(id, "github", noon))
		if e := (*fault.Error)(nil); errors.As(err, &e) && e.Kind == fault.Unavailable {
			err = nil
		}
		return err == nil, err
	})
}
