package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"caesar/client"
)

// vaultJournal is somebody who uses a vault while servers fail, one request after another, and all that they
// know of it by the answers.
type vaultJournal struct {
	*person
	t      testing.TB
	record *record
	login  func(*person) error // into the session of the person
	items  map[int64]*journalItem
	asked  map[string]client.Secret // what was to be kept and not answered, by its platform
}

// journalItem is what answers say of an item.
type journalItem struct {
	// holds is what it may hold: what was answered last, and what was asked for since and not answered.
	holds  []client.Secret
	mayGo  bool // a deletion was not answered
	gone   bool
	edits  int // that were answered
	unsure int // that were not
}

// knows takes what an answer showed of an item.
func (j *vaultJournal) knows(id int64, got client.Secret) {
	item := j.items[id]
	if item.gone || !slices.Contains(item.holds, got) {
		j.t.Errorf("item %d, gone: %v, holds %+v, and not one of %+v", id, item.gone, got, item.holds)
	}
	item.holds, item.mayGo = []client.Secret{got}, false
}

// absent takes an answer that there is no such item.
func (j *vaultJournal) absent(id int64) {
	item := j.items[id]
	if !item.gone && !item.mayGo {
		j.t.Errorf("item %d was answered and is lost", id)
	}
	item.gone = true
}

// sift returns an error, but that an item is not there where it may be gone: that is an answer.
func (j *vaultJournal) sift(id int64, err error) error {
	if client.Slug(err) == client.NotFound {
		j.absent(id)
		return nil
	}
	return err
}

// step makes a request of any kind and says whether it was answered.
func (j *vaultJournal) step(ctx context.Context) error {
	id, found := j.any()
	dice := rand.IntN(100)
	switch {
	case dice < 6:
		return j.record.note("log in", func() error { return j.login(j.person) })
	case dice < 24:
		return j.record.note("list", func() error { return j.list(ctx) })
	case dice < 46 && len(j.items) < 150, !found:
		return j.record.note("keep", func() error { return j.keep(ctx) })
	case dice < 62:
		return j.record.note("edit", func() error { return j.edit(ctx, id) })
	case dice < 92:
		return j.record.note("view", func() error { return j.view(ctx, id) })
	default:
		return j.record.note("delete", func() error { return j.remove(ctx, id) })
	}
}

// any is an item that is not known to be gone.
func (j *vaultJournal) any() (id int64, found bool) {
	for id, item := range j.items { // in an order that is another one each time
		if !item.gone {
			return id, true
		}
	}
	return 0, false
}

func drawSecret() client.Secret {
	n := rand.Uint64()
	return client.Secret{Name: fmt.Sprintf("name %x", n), Email: fmt.Sprintf("%x@example.org", n), Password: fmt.Sprintf("pass %x", n)}
}

func (j *vaultJournal) keep(ctx context.Context) error {
	secret, platform := drawSecret(), fmt.Sprintf("platform %x", rand.Uint64())
	j.asked[platform] = secret
	id, err := j.CreateItem(ctx, j.MainPassword, client.NewItem{
		Name: secret.Name, Email: secret.Email, Password: secret.Password, Platform: platform,
	})
	if err != nil {
		return err
	}
	delete(j.asked, platform)
	if j.items[id] != nil {
		j.t.Errorf("two items have the id %d", id)
	}
	j.items[id] = &journalItem{holds: []client.Secret{secret}}
	return nil
}

func (j *vaultJournal) view(ctx context.Context, id int64) error {
	got, err := j.RevealItem(ctx, id, j.MainPassword)
	if err == nil {
		j.knows(id, got)
	}
	return j.sift(id, err)
}

func (j *vaultJournal) edit(ctx context.Context, id int64) error {
	item, secret := j.items[id], drawSecret()
	item.holds, item.unsure = append(item.holds, secret), item.unsure+1
	_, err := j.EditItem(ctx, id, j.MainPassword, client.ItemEdit{Name: secret.Name, Email: secret.Email, Password: secret.Password})
	if err == nil {
		item.edits, item.unsure = item.edits+1, item.unsure-1
		j.knows(id, secret)
	}
	return j.sift(id, err)
}

func (j *vaultJournal) remove(ctx context.Context, id int64) error {
	item := j.items[id]
	err := j.DeleteItem(ctx, id, j.MainPassword)
	switch {
	case err == nil:
		item.gone = true
	case client.Slug(err) != client.NotFound:
		item.mayGo = true
	}
	return j.sift(id, err)
}

// list holds what is listed against what is known. Those that are not there are gone from then on, and what
// was kept without an answer is known.
func (j *vaultJournal) list(ctx context.Context) error {
	there := map[int64]bool{}
	for number := int64(1); ; number++ {
		page, err := j.ListItems(ctx, client.ItemQuery{Paging: client.Paging{Page: number, PageSize: 200}})
		if err != nil {
			return err
		}
		for _, item := range page.Data {
			there[item.ID] = true
			if known := j.items[item.ID]; known != nil && known.gone {
				j.t.Errorf("item %d is there although it is deleted", item.ID)
			} else if known == nil {
				j.adopt(item)
			}
		}
		if number*200 >= page.Count {
			break
		}
	}
	for id, item := range j.items {
		if there[id] {
			item.mayGo = false
		} else if !item.gone {
			j.absent(id)
		}
	}
	return nil
}

// adopt takes an item that is there and was not answered.
func (j *vaultJournal) adopt(item client.Item) {
	secret, asked := j.asked[item.Platform]
	if !asked {
		j.t.Errorf("item %d on %s is there, and nobody asked for it", item.ID, item.Platform)
	}
	delete(j.asked, item.Platform)
	j.items[item.ID] = &journalItem{holds: []client.Secret{secret}}
}

// check opens all that is there, and reads the log.
func (j *vaultJournal) check(ctx context.Context) {
	if err := j.list(ctx); err != nil {
		j.t.Errorf("after all, the list: %v", err)
		return
	}
	for id, item := range j.items {
		got, err := j.RevealItem(ctx, id, j.MainPassword)
		switch {
		case item.gone && statusOf(err) == http.StatusNotFound:
		case item.gone || err != nil:
			j.t.Errorf("after all, item %d, gone: %v, is answered with %v", id, item.gone, err)
		default:
			j.knows(id, got)
		}
	}
	j.checkLog(ctx)
}

// checkLog looks for the log row of every change: it is there exactly where the change is.
func (j *vaultJournal) checkLog(ctx context.Context) {
	logged := map[int64]map[client.EventType]int{}
	for number := int64(1); ; number++ {
		page, err := j.Log(ctx, client.Paging{Page: number, PageSize: 200})
		if err != nil {
			j.t.Errorf("after all, the log: %v", err)
			return
		}
		for _, e := range page.Data {
			if logged[e.ItemID] == nil {
				logged[e.ItemID] = map[client.EventType]int{}
			}
			logged[e.ItemID][e.Type]++
		}
		if number*200 >= page.Count {
			break
		}
	}
	for id, item := range j.items {
		of := logged[id]
		if deleted := of[client.Deleted]; of[client.Created] != 1 || deleted > 1 || (deleted == 1) != item.gone ||
			of[client.Edited] < item.edits || of[client.Edited] > item.edits+item.unsure {
			j.t.Errorf("item %d, gone: %v, of %d edits and %d that were not answered, is logged as %v", id, item.gone, item.edits, item.unsure, of)
		}
	}
}
