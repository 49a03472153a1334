package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"caesar/internal/vault"
)

var items = []test{
	{"an item is read as it was sealed", anItemIsReadAsSealed},
	{"any text comes back as it was kept", anyTextComesBack},
	{"an item's id is never given twice", anItemIDIsNeverGivenTwice},
	{"an edit takes the place of what it was made from", anEditReplaces},
	{"of many edits at once of one content one is stored", oneOfManyEdits},
	{"an item is deleted once", anItemIsDeletedOnce},
	{"of many deletes at once one is told yes", oneOfManyDeletes},
	{"many items made at once have an id each", manyItemsAtOnce},
	{"what looks and what deletes at once fit each other", viewsAndDeletesFit},
}

func anItemIsReadAsSealed(f *fixture) {
	id := f.person("marcus")
	var sealed vault.Item
	made, err := f.CreateItem(f.Context(), id, func(itemID int64) vault.Item {
		sealed = sealAs(id, "微信 Ünï'%_\\", noon)(itemID)
		return sealed
	})
	f.must(err)
	if made.ID <= 0 || made.ID != sealed.ID {
		f.Errorf("the item got the id %d, sealed was %d", made.ID, sealed.ID)
	}
	read, err := f.Item(f.Context(), id, made.ID)
	f.must(err)
	list, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
	f.must(err)
	equal(f, "count", count, 1)
	for _, got := range append(list, made, read) {
		if !reflect.DeepEqual(got, sealed) {
			f.Errorf("read %+v\nwant %+v", got, sealed)
		}
	}
	_, err = f.Item(f.Context(), id, made.ID+1)
	f.wants(vault.ErrNoItem, err)
	equal(f, "log", fmt.Sprint(f.log(id)), fmt.Sprint([]logged{{vault.Created, made.ID}}))
}

// anyTextComesBack keeps a letter of every 61st number of Unicode: all but NUL, which the domain lets in
// nowhere.
func anyTextComesBack(f *fixture) {
	id := f.person("marcus")
	var all []rune
	for r := rune(1); r <= utf8.MaxRune; r += 61 {
		if utf8.ValidRune(r) {
			all = append(all, r)
		}
	}
	for _, text := range []string{string(all), "\x01\x7f\u0080\ufeff\ufffe\uffff\U0010ffff", "\r\n\t", "' \" \\ $1 % _ -- /* */ ;", " "} {
		made, err := f.CreateItem(f.Context(), id, func(itemID int64) vault.Item {
			item := sealAs(id, text, noon)(itemID)
			item.Key, item.Name, item.Email, item.Password = text, text, text, text
			return item
		})
		f.must(err)
		read, err := f.Item(f.Context(), id, made.ID)
		f.must(err)
		if !reflect.DeepEqual(read, made) {
			f.Errorf("%.20q comes back as another", text)
		}
		_, count, err := f.Items(f.Context(), id, vault.Query{Page: page, Platform: vault.Fold(text)})
		f.must(err)
		equal(f, "it is found", count > 0, true)
	}
}

func anItemIDIsNeverGivenTwice(f *fixture) {
	id := f.person("marcus")
	last := f.item(id, "github").ID
	for range 3 {
		f.says(true)(f.DeleteItem(f.Context(), id, last, noon))
		next := f.item(id, "github").ID
		if next <= last {
			f.Fatalf("after %d was deleted comes %d", last, next)
		}
		last = next
	}
	other := f.item(f.person("tullius"), "github").ID
	if other <= last {
		f.Errorf("after %d comes %d for another user", last, other)
	}
}

func anEditReplaces(f *fixture) {
	id := f.person("marcus")
	item := f.item(id, "github")
	next := edited(item, "2.new name")
	next.Platform, next.URL, next.Key = "GitLab", "", ""
	f.says(true)(f.ReplaceItem(f.Context(), next, item.MAC))
	got, err := f.Item(f.Context(), id, item.ID)
	f.must(err)
	if !reflect.DeepEqual(got, next) {
		f.Errorf("read %+v\nwant %+v", got, next)
	}
	// The search goes by the new platform.
	for platform, want := range map[string]int64{"lab": 1, "hub": 0} {
		_, count, err := f.Items(f.Context(), id, vault.Query{Page: page, Platform: platform})
		f.must(err)
		equal(f, "items found by "+platform, count, want)
	}
	// What was made from the old content comes too late, and leaves no trace.
	f.says(false)(f.ReplaceItem(f.Context(), edited(item, "2.stale"), item.MAC))
	f.says(false)(f.LogView(f.Context(), id, item.ID, item.MAC, noon))
	f.says(true)(f.LogView(f.Context(), id, item.ID, next.MAC, noon))
	equal(f, "log", fmt.Sprint(f.log(id)), fmt.Sprint([]logged{{vault.Viewed, item.ID}, {vault.Edited, item.ID}, {vault.Created, item.ID}}))
	got, err = f.Item(f.Context(), id, item.ID)
	f.must(err)
	equal(f, "name", got.Name, "2.new name")
}

func oneOfManyEdits(f *fixture) {
	id := f.person("marcus")
	item := f.item(id, "github")
	stored := f.atOnce(many, func(i int) (bool, error) {
		return f.ReplaceItem(f.Context(), edited(item, fmt.Sprintf("2.edit %d", i)), item.MAC)
	})
	equal(f, "edits that were stored", stored, 1)
	equal(f, "log rows", len(f.log(id)), 2)
}

func anItemIsDeletedOnce(f *fixture) {
	id := f.person("marcus")
	item := f.item(id, "github")
	f.says(true)(f.DeleteItem(f.Context(), id, item.ID, noon))
	f.says(false)(f.DeleteItem(f.Context(), id, item.ID, noon))
	_, err := f.Item(f.Context(), id, item.ID)
	f.wants(vault.ErrNoItem, err)
	f.says(false)(f.LogView(f.Context(), id, item.ID, item.MAC, noon))
	f.says(false)(f.ReplaceItem(f.Context(), edited(item, "2.late"), item.MAC))
	equal(f, "log", fmt.Sprint(f.log(id)), fmt.Sprint([]logged{{vault.Deleted, item.ID}, {vault.Created, item.ID}}))
	_, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
	f.must(err)
	equal(f, "count", count, 0)
}

func oneOfManyDeletes(f *fixture) {
	id := f.person("marcus")
	item := f.item(id, "github")
	yes := f.atOnce(many, func(int) (bool, error) { return f.DeleteItem(f.Context(), id, item.ID, noon) })
	equal(f, "deletes that were told yes", yes, 1)
	equal(f, "log", fmt.Sprint(f.log(id)), fmt.Sprint([]logged{{vault.Deleted, item.ID}, {vault.Created, item.ID}}))
}

func manyItemsAtOnce(f *fixture) {
	id := f.person("marcus")
	f.atOnce(many, func(i int) (bool, error) {
		if i%10 == 0 { // while others read: the page and the count fit each other
			list, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
			if err == nil && int64(len(list)) != count {
				err = fmt.Errorf("a page of all has %d items, the count is %d", len(list), count)
			}
			return false, err
		}
		_, err := f.CreateItem(f.Context(), id, sealAs(id, "github", noon))
		return true, err
	})
	list, count, err := f.Items(f.Context(), id, vault.Query{Page: page})
	f.must(err)
	equal(f, "count", count, many-many/10)
	ids := map[int64]bool{}
	for i, item := range list {
		ids[item.ID] = true
		if i > 0 && item.ID >= list[i-1].ID {
			f.Errorf("%d comes after %d", item.ID, list[i-1].ID)
		}
	}
	equal(f, "ids", len(ids), many-many/10)
	equal(f, "log rows", len(f.log(id)), many-many/10)
}

func viewsAndDeletesFit(f *fixture) {
	id := f.person("marcus")
	item := f.item(id, "github")
	viewed := f.atOnce(many, func(i int) (bool, error) {
		if i == many/2 {
			deleted, err := f.DeleteItem(f.Context(), id, item.ID, noon)
			if err == nil && !deleted {
				err = errors.New("the item was not deleted")
			}
			return false, err
		}
		return f.LogView(f.Context(), id, item.ID, item.MAC, noon.Add(time.Second))
	})
	log := f.log(id)
	equal(f, "log rows", len(log), viewed+2)
	equal(f, "the last row", log[0], logged{vault.Deleted, item.ID}) // nobody saw it after it was gone
}
