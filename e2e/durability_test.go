package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"caesar/client"
)

// An answer is a promise: whatever was answered before the process was killed, at any moment and under
// writes from all sides, is there when it comes back, whole, with its log; what was not answered is
// there whole or not at all.
func TestEveryAnsweredWriteIsThereAfterSIGKILL(t *testing.T) {
	t.Parallel()
	const writers, kills = 5, 4
	l := crowd(t, quick()...)
	var diaries []*writeDiary
	for range writers {
		diaries = append(diaries, &writeDiary{lab: l, person: l.person(), items: map[int64]*writtenItem{}})
	}
	joined := &joinDiary{lab: l}
	for range kills {
		var answered atomic.Int64
		enough := make(chan struct{})
		count := func(until int64) func() {
			return func() {
				if answered.Add(1) == until {
					close(enough)
				}
			}
		}(100 + rand.Int64N(200))
		var writing sync.WaitGroup
		for _, d := range diaries {
			writing.Go(func() { untilKilled(t, d.write, count) })
		}
		writing.Go(func() { untilKilled(t, joined.write, count) })
		<-enough
		l.Kill()
		writing.Wait()
		l.Restart()
		for _, d := range diaries {
			d.check()
		}
		joined.check()
	}
	l.Stop()
	if l.OnPostgres() {
		return
	}
	if said := one[string](t, l.Database(), "PRAGMA integrity_check"); said != "ok" {
		t.Errorf("the database is not sound: %s", said)
	}
}

// untilKilled writes until an answer stays away because the server is no more.
func untilKilled(t *testing.T, write func(context.Context) error, answered func()) {
	t.Helper()
	for {
		err := write(t.Context())
		if refused, ok := errors.AsType[*client.Error](err); ok {
			t.Errorf("a write was refused: %v", refused)
			return
		}
		if err != nil {
			return
		}
		answered()
	}
}

// writtenItem is what one who wrote knows of an item.
type writtenItem struct {
	holds client.Secret
	edits int64 // that were answered
	gone  bool
	// What was asked for last and not answered, if anything: it may have come to pass or not.
	mayHold *client.Secret
	mayGo   bool
}

// writeDiary is somebody who writes, and all that was answered.
type writeDiary struct {
	*lab
	*person
	items map[int64]*writtenItem
	live  []int64
}

// write creates, edits or deletes an item.
func (d *writeDiary) write(ctx context.Context) error {
	n := rand.Uint64()
	secret := client.Secret{
		Name: fmt.Sprintf("name %x", n), Email: fmt.Sprintf("%x@example.org", n), Password: fmt.Sprintf("pass %x", n),
	}
	dice := rand.IntN(10)
	if dice < 5 || len(d.live) == 0 {
		id, err := d.CreateItem(ctx, d.MainPassword, client.NewItem{
			Name: secret.Name, Email: secret.Email, Password: secret.Password, Platform: "platform",
		})
		if err == nil {
			d.items[id], d.live = &writtenItem{holds: secret}, append(d.live, id)
		}
		return err
	}
	i := rand.IntN(len(d.live))
	item, id := d.items[d.live[i]], d.live[i]
	if dice < 8 {
		item.mayHold = &secret
		if _, err := d.EditItem(ctx, id, d.MainPassword, client.ItemEdit{
			Name: secret.Name, Email: secret.Email, Password: secret.Password,
		}); err != nil {
			return err
		}
		item.holds, item.mayHold, item.edits = secret, nil, item.edits+1
		return nil
	}
	item.mayGo = true
	if err := d.DeleteItem(ctx, id, d.MainPassword); err != nil {
		return err
	}
	item.gone, item.mayGo, d.live = true, false, slices.Delete(d.live, i, i+1)
	return nil
}

// check opens every item that is there and holds all against what was answered.
func (d *writeDiary) check() {
	d.t.Helper()
	there := d.open()
	for id, item := range d.items {
		got, found := there[id]
		delete(there, id)
		switch {
		case item.gone && found:
			d.t.Errorf("item %d is there although its deletion was answered", id)
		case item.gone:
		case !found && !item.mayGo:
			d.t.Errorf("item %d was answered and is lost", id)
		case found && got != item.holds && (item.mayHold == nil || got != *item.mayHold):
			d.t.Errorf("item %d holds %+v, not %+v", id, got, item.holds)
		}
		if item.gone = !found; found {
			item.holds = got
		}
	}
	if len(there) > 1 {
		d.t.Errorf("%d items are there that were not answered; one at most was on its way", len(there))
	}
	for id, holds := range there {
		d.items[id] = &writtenItem{holds: holds}
	}
	d.checkLog()
	d.live = nil
	for id, item := range d.items {
		item.mayHold, item.mayGo = nil, false
		if !item.gone {
			d.live = append(d.live, id)
		}
	}
}

// open opens every item that is listed.
func (d *writeDiary) open() map[int64]client.Secret {
	d.t.Helper()
	opened := map[int64]client.Secret{}
	for number := int64(1); ; number++ {
		page, err := d.ListItems(d.t.Context(), client.ItemQuery{Paging: client.Paging{Page: number, PageSize: 200}})
		if err != nil {
			d.t.Fatalf("list items: %v", err)
		}
		for _, item := range page.Data {
			if opened[item.ID], err = d.RevealItem(d.t.Context(), item.ID, d.MainPassword); err != nil {
				d.t.Fatalf("open item %d: %v", item.ID, err)
			}
		}
		if number*200 >= page.Count {
			if int64(len(opened)) != page.Count {
				d.t.Errorf("%d items are listed, and %d are counted", len(opened), page.Count)
			}
			return opened
		}
	}
}

// checkLog looks for the log row of every change: it is there exactly where the change is.
func (d *writeDiary) checkLog() {
	d.t.Helper()
	type event struct {
		id   int64
		what client.EventType
	}
	logged := map[event]int64{}
	for number := int64(1); ; number++ {
		page, err := d.person.Log(d.t.Context(), client.Paging{Page: number, PageSize: 200})
		if err != nil {
			d.t.Fatalf("read log: %v", err)
		}
		for _, e := range page.Data {
			logged[event{e.ItemID, e.Type}]++
		}
		if number*200 >= page.Count {
			break
		}
	}
	for id, item := range d.items {
		created, edited, deleted := logged[event{id, client.Created}], logged[event{id, client.Edited}], logged[event{id, client.Deleted}]
		if created != 1 || edited < item.edits || edited > item.edits+1 || (deleted == 1) != item.gone || deleted > 1 {
			d.t.Errorf("item %d, gone: %v, edited %d times, is logged as created %d, edited %d, deleted %d times",
				id, item.gone, item.edits, created, edited, deleted)
		}
		item.edits = edited
	}
}

// joinDiary registers one after another.
type joinDiary struct {
	*lab
	answered map[string]*person
	asked    *person // who got no answer
}

func (d *joinDiary) write(ctx context.Context) error {
	d.asked = d.stranger()
	if _, err := d.asked.Register(ctx, d.asked.Registration); err != nil {
		return err
	}
	if d.answered == nil {
		d.answered = map[string]*person{}
	}
	d.answered[d.asked.Email] = d.asked
	d.asked = nil
	return nil
}

// check logs in as each who was registered: all that is missing is to prove the email.
func (d *joinDiary) check() {
	d.t.Helper()
	for p := range maps.Values(d.answered) {
		if err := d.tryLogin(p.UserName, p.Password); client.Slug(err) != client.NotActivated {
			d.t.Errorf("%s was registered, but: %v", p.UserName, err)
		}
	}
	clear(d.answered)
	if d.asked == nil {
		return
	}
	// Half a registration would stand in the way of the next.
	if _, err := d.asked.Register(d.t.Context(), d.asked.Registration); err != nil {
		d.t.Errorf("who got no answer can't register again: %v", err)
	}
}
