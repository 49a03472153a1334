package storetest

import (
	"fmt"
	"reflect"
	"time"

	"caesar/internal/vault"
)

var logs = []test{
	{"the log tells what was done, newest first", theLogTellsAll},
	{"an item's log tells what was created, viewed and edited", anItemsLogIsItsOwn},
	{"the log comes in pages", theLogComesInPages},
	{"many views at once are a row each", manyViewsAtOnce},
}

func theLogTellsAll(f *fixture) {
	id := f.person("marcus")
	first, second := f.item(id, "github"), f.item(id, "gitlab")
	f.says(true)(f.LogView(f.Context(), id, first.ID, first.MAC, noon.Add(time.Second)))
	next := edited(first, "2.new")
	f.says(true)(f.ReplaceItem(f.Context(), next, first.MAC))
	f.must(f.LogWrongMainPassword(f.Context(), id, first.ID, noon.Add(3*time.Second)))
	f.must(f.LogWrongMainPassword(f.Context(), id, 0, noon.Add(4*time.Second)))
	f.says(true)(f.DeleteItem(f.Context(), id, second.ID, noon.Add(5*time.Second)))

	entries, count, err := f.Log(f.Context(), id, page)
	f.must(err)
	want := []vault.Entry{
		{ItemID: second.ID, Action: vault.Deleted, At: noon.Add(5 * time.Second)},
		{ItemID: 0, Action: vault.WrongMainPassword, At: noon.Add(4 * time.Second)},
		{ItemID: first.ID, Action: vault.WrongMainPassword, At: noon.Add(3 * time.Second)},
		{ItemID: first.ID, Action: vault.Edited, At: next.UpdatedAt},
		{ItemID: first.ID, Action: vault.Viewed, At: noon.Add(time.Second)},
		{ItemID: second.ID, Action: vault.Created, At: noon},
		{ItemID: first.ID, Action: vault.Created, At: noon},
	}
	equal(f, "count", count, int64(len(want)))
	for i := range entries {
		if entries[i].ID <= 0 || i+1 < len(entries) && entries[i].ID <= entries[i+1].ID {
			f.Errorf("ids do not fall: %+v", entries)
		}
		entries[i].ID = 0
	}
	if !reflect.DeepEqual(entries, want) {
		f.Errorf("log %+v\nwant %+v", entries, want)
	}
}

func anItemsLogIsItsOwn(f *fixture) {
	id := f.person("marcus")
	item, other := f.item(id, "github"), f.item(id, "gitlab")
	f.says(true)(f.LogView(f.Context(), id, item.ID, item.MAC, noon))
	f.says(true)(f.LogView(f.Context(), id, other.ID, other.MAC, noon))
	f.must(f.LogWrongMainPassword(f.Context(), id, item.ID, noon))
	entries, count, err := f.ItemLog(f.Context(), id, item.ID, page)
	f.must(err)
	var got []logged
	for _, e := range entries {
		got = append(got, logged{e.Action, e.ItemID})
	}
	equal(f, "count", count, 2)
	equal(f, "log of the item", fmt.Sprint(got), fmt.Sprint([]logged{{vault.Viewed, item.ID}, {vault.Created, item.ID}}))

	_, _, err = f.ItemLog(f.Context(), id, other.ID+1, page)
	f.wants(vault.ErrNoItem, err)
	f.says(true)(f.DeleteItem(f.Context(), id, item.ID, noon))
	_, _, err = f.ItemLog(f.Context(), id, item.ID, page)
	f.wants(vault.ErrNoItem, err)
}

func theLogComesInPages(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	item, foreign := f.item(id, "github"), f.item(other, "github")
	for range 6 {
		f.says(true)(f.LogView(f.Context(), id, item.ID, item.MAC, noon))
		f.says(true)(f.LogView(f.Context(), other, foreign.ID, foreign.MAC, noon))
	}
	reads := map[string]func(vault.Page) ([]vault.Entry, int64, error){
		"log":      func(p vault.Page) ([]vault.Entry, int64, error) { return f.Log(f.Context(), id, p) },
		"item log": func(p vault.Page) ([]vault.Entry, int64, error) { return f.ItemLog(f.Context(), id, item.ID, p) },
	}
	for name, read := range reads {
		all, _, err := read(page)
		f.must(err)
		equal(f, "entries of the "+name, len(all), 7)
		for _, size := range []int64{1, 3, 7} {
			var paged []vault.Entry
			for number := int64(1); number <= 7/size+1; number++ {
				entries, count, err := read(vault.Page{Number: number, Size: size})
				f.must(err)
				equal(f, "count of the "+name, count, 7)
				paged = append(paged, entries...)
			}
			if !reflect.DeepEqual(paged, all) {
				f.Errorf("pages of %d of the %s are %+v, want %+v", size, name, paged, all)
			}
		}
	}
}

func manyViewsAtOnce(f *fixture) {
	id := f.person("marcus")
	item := f.item(id, "github")
	yes := f.atOnce(many, func(int) (bool, error) { return f.LogView(f.Context(), id, item.ID, item.MAC, noon) })
	equal(f, "views that were logged", yes, many)
	_, count, err := f.ItemLog(f.Context(), id, item.ID, page)
	f.must(err)
	equal(f, "log rows", count, many+1)
}
