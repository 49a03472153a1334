package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"caesar/internal/encstring"
	"caesar/internal/vault"
)

func TestAnItemIsReadAsItWasKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	for _, p := range []vault.Plain{
		plain,
		{Name: "n", Password: "p", Platform: "x"}, // email and url may be empty
		{Name: " blanks ", Email: "not an email at all", Password: "\t", Platform: " x ", URL: "javascript:alert(1)"},
		{Name: strings.Repeat("名", vault.MaxField), Email: strings.Repeat("e", vault.MaxField), Password: strings.Repeat("🔑", vault.MaxField), Platform: strings.Repeat("平", vault.MaxLocation), URL: strings.Repeat("u", vault.MaxLocation)},
	} {
		id := h.create(who, p)
		got, err := h.View(t.Context(), who, mainPassword, id)
		h.must(err)
		if got != p {
			t.Errorf("read %.80v, want %.80v", got, p)
		}
		h.logs(who, id, vault.Viewed, vault.Created)
	}
}

func TestWhatCannotBeKeptIsToldAndNotKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	_, err := h.Create(t.Context(), who, mainPassword, vault.Plain{})
	h.refused(err, "invalid", "name", "password", "platform")
	id := h.create(who, plain)
	for _, c := range []struct {
		change func(*vault.Plain)
		field  string
	}{
		{func(p *vault.Plain) { p.Name = strings.Repeat("名", vault.MaxField+1) }, "name"},
		{func(p *vault.Plain) { p.Email = strings.Repeat("e", vault.MaxField+1) }, "email"},
		{func(p *vault.Plain) { p.Password = strings.Repeat("p", vault.MaxField+1) }, "password"},
		{func(p *vault.Plain) { p.Platform = strings.Repeat("平", vault.MaxLocation+1) }, "platform"},
		{func(p *vault.Plain) { p.URL = strings.Repeat("u", vault.MaxLocation+1) }, "url"},
		{func(p *vault.Plain) { p.Name = "a\nb" }, "name"},
		{func(p *vault.Plain) { p.Email = "a\r\nBcc: b" }, "email"},
		{func(p *vault.Plain) { p.Platform = "a\x00b" }, "platform"},
		{func(p *vault.Plain) { p.URL = "a\x1bb" }, "url"},
		{func(p *vault.Plain) { p.Password = "a\x00b" }, "password"},
	} {
		p := plain
		c.change(&p)
		_, err := h.Create(t.Context(), who, mainPassword, p)
		h.refused(err, "invalid", c.field)
		_, err = h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: p.Name, Email: p.Email, Password: p.Password, Platform: &p.Platform, URL: &p.URL})
		h.refused(err, "invalid", c.field)
	}
	_, count, err := h.List(t.Context(), who, vault.Query{Page: vault.Page{Number: 1, Size: 20}})
	if err != nil || count != 1 {
		t.Errorf("kept are %d, %v", count, err)
	}
	h.logs(who, 0, vault.Created)
}

func TestAListShowsWhatIsSealed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	items, count, err := h.List(t.Context(), who, vault.Query{Page: vault.Page{Number: 1, Size: 20}})
	h.must(err)
	if count != 1 || len(items) != 1 || items[0].ID != id || items[0].UserID != who.UserID {
		t.Fatalf("listed are %+v", items)
	}
	item := items[0]
	for name, sealed := range map[string]string{
		"key": item.Key, "name": item.Name, "email": item.Email, "password": item.Password, "platform": item.SealedPlatform, "url": item.SealedURL,
	} {
		if !encstring.Valid(sealed) {
			t.Errorf("the %s is shown as %q", name, sealed)
		}
	}
	if item.Platform != plain.Platform || item.URL != plain.URL || !item.CreatedAt.Equal(h.now()) || !item.UpdatedAt.Equal(h.now()) {
		t.Errorf("the item is %+v", item)
	}
	h.logs(who, id, vault.Created) // a list views nothing
}

func TestNothingOnDiskTellsAnItem(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(h.owner("marcus"), plain)
	files, err := filepath.Glob(filepath.Dir(h.path) + "/*")
	h.must(err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		h.must(err)
		for _, secret := range []string{plain.Name, "马可", plain.Email, plain.Password, "hunter2", mainPassword} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", filepath.Base(name), secret)
			}
		}
	}
}

func TestAnEditKeepsWhatIsNotSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	before, err := h.store.Item(t.Context(), who.UserID, id)
	h.must(err)
	h.advance(time.Minute)
	got, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "new", Email: "", Password: "secret"})
	h.must(err)
	if !got.UpdatedAt.Equal(h.now()) || !got.CreatedAt.Equal(before.CreatedAt) || got.Key != before.Key || got.Name == before.Name {
		t.Errorf("the item became %+v", got)
	}
	want := vault.Plain{Name: "new", Password: "secret", Platform: plain.Platform, URL: plain.URL}
	if p, err := h.View(t.Context(), who, mainPassword, id); err != nil || p != want {
		t.Errorf("read %+v, %v, want %+v", p, err, want)
	}
	platform, url := "GitLab", ""
	_, err = h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "new", Password: "secret", Platform: &platform, URL: &url})
	h.must(err)
	want.Platform, want.URL = platform, url
	if p, err := h.View(t.Context(), who, mainPassword, id); err != nil || p != want {
		t.Errorf("read %+v, %v, want %+v", p, err, want)
	}
	h.logs(who, id, vault.Viewed, vault.Edited, vault.Viewed, vault.Edited, vault.Created)
}

func TestUpdatedAtNeverGoesBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	created := h.now()
	h.advance(-time.Hour) // a clock that was set right
	got, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "n", Password: "p"})
	if err != nil || !got.UpdatedAt.Equal(created) {
		t.Errorf("updated at %v, %v, created at %v", got.UpdatedAt, err, created)
	}
}

func TestAnItemOfAnotherClientIsReadable(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	record, err := h.store.KeyRecord(t.Context(), who.UserID)
	h.must(err)
	userKey, err := h.keys.Unlock(t.Context(), who.UserID, record, mainPassword)
	h.must(err)
	key, err := userKey.ItemKey("") // such an item has no key of its own
	h.must(err)
	seal := func(s string) string { return key.Seal([]byte(s)) }
	item, err := h.store.CreateItem(t.Context(), who.UserID, func(id int64) vault.Item {
		item := vault.Item{
			ID: id, UserID: who.UserID, Name: seal(plain.Name), Email: seal(plain.Email), Password: seal(plain.Password),
			SealedPlatform: seal(plain.Platform), SealedURL: seal(plain.URL), Platform: plain.Platform, URL: plain.URL,
			CreatedAt: h.now(), UpdatedAt: h.now(),
		}
		h.Sign(&item)
		return item
	})
	h.must(err)
	if p, err := h.View(t.Context(), who, mainPassword, item.ID); err != nil || p != plain {
		t.Errorf("read %+v, %v", p, err)
	}
	edited, err := h.Edit(t.Context(), who, mainPassword, item.ID, vault.Change{Name: "new", Password: "p"})
	if err != nil || edited.Key != "" {
		t.Errorf("edited to %+v, %v", edited, err)
	}
	if p, err := h.View(t.Context(), who, mainPassword, item.ID); err != nil || p.Name != "new" {
		t.Errorf("read %+v, %v", p, err)
	}
}

func TestAnothersItemIsAnAbsentOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, stranger := h.owner("marcus"), h.owner("tullius")
	id := h.create(who, plain)
	page := vault.Page{Number: 1, Size: 20}
	for _, absent := range []int64{id, id + 1000} {
		_, viewed := h.View(t.Context(), stranger, mainPassword, absent)
		_, edited := h.Edit(t.Context(), stranger, mainPassword, absent, vault.Change{Name: "n", Password: "p"})
		_, _, logged := h.ItemLog(t.Context(), stranger, absent, page)
		for _, err := range []error{viewed, edited, logged, h.Delete(t.Context(), stranger, mainPassword, absent)} {
			h.refused(err, "not_found")
			if err.Error() != vault.ErrNotFound.Error() {
				t.Errorf("item %d is answered %v", absent, err)
			}
		}
		_, err := h.View(t.Context(), stranger, "wrong password", absent)
		h.refused(err, "main_password_wrong", "main_password")
	}
	h.logs(who, id, vault.Created)
	h.logs(who, 0, vault.Created)
	if p, err := h.View(t.Context(), who, mainPassword, id); err != nil || p != plain {
		t.Errorf("read %+v, %v", p, err)
	}
}

func TestADeletedItemIsGoneAndItsDeletingLogged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	h.refused(h.Delete(t.Context(), who, "wrong password", id), "main_password_wrong", "main_password")
	h.must(h.Delete(t.Context(), who, mainPassword, id))
	h.refused(h.Delete(t.Context(), who, mainPassword, id), "not_found")
	_, err := h.View(t.Context(), who, mainPassword, id)
	h.refused(err, "not_found")
	_, _, err = h.ItemLog(t.Context(), who, id, vault.Page{Number: 1, Size: 20})
	h.refused(err, "not_found")
	h.logs(who, 0, vault.Deleted, vault.WrongMainPassword, vault.Created)
}

func TestTheLogTellsSecondsAndItems(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	h.advance(300 * time.Millisecond)
	id := h.create(who, plain)
	_, err := h.Create(t.Context(), who, "wrong password", plain)
	h.refused(err, "main_password_wrong", "main_password")
	_, err = h.View(t.Context(), who, "wrong password", id)
	h.refused(err, "main_password_wrong", "main_password")
	entries, _, err := h.Log(t.Context(), who, vault.Page{Number: 1, Size: 20})
	h.must(err)
	at := h.now().Truncate(time.Second)
	for i := range entries {
		entries[i].ID = 0
	}
	want := []vault.Entry{{ItemID: id, Action: vault.WrongMainPassword, At: at}, {ItemID: 0, Action: vault.WrongMainPassword, At: at}, {ItemID: id, Action: vault.Created, At: at}}
	if !reflect.DeepEqual(entries, want) {
		t.Errorf("the log is %+v, want %+v", entries, want)
	}
	h.logs(who, id, vault.Created) // wrong tries are in the log of the whole user
}
