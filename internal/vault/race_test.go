package vault_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/sqlstore"
	"caesar/internal/vault"
)

func slugOf(err error) string {
	if e := (*fault.Error)(nil); errors.As(err, &e) {
		return e.Slug
	}
	return ""
}

// meddling is a store at which something happens just before a call goes through.
type meddling struct {
	vault.Store
	beforeLogView, beforeReplace, beforeCreate, beforeDelete func()
}

func (m *meddling) LogView(ctx context.Context, userID, id int64, mac []byte, now time.Time) (bool, error) {
	m.beforeLogView()
	return m.Store.LogView(ctx, userID, id, mac, now)
}

func (m *meddling) ReplaceItem(ctx context.Context, item vault.Item, was []byte) (bool, error) {
	m.beforeReplace()
	return m.Store.ReplaceItem(ctx, item, was)
}

func (m *meddling) CreateItem(ctx context.Context, userID int64, seal func(int64) vault.Item) (vault.Item, error) {
	m.beforeCreate()
	return m.Store.CreateItem(ctx, userID, seal)
}

func (m *meddling) DeleteItem(ctx context.Context, userID, id int64, now time.Time) (bool, error) {
	m.beforeDelete()
	return m.Store.DeleteItem(ctx, userID, id, now)
}

func newMeddledHouse(t *testing.T) (*house, *meddling) {
	t.Helper()
	nothing := func() {}
	m := &meddling{beforeLogView: nothing, beforeReplace: nothing, beforeCreate: nothing, beforeDelete: nothing}
	h := newHouseOn(t, func(s *sqlstore.Store) vault.Store {
		m.Store = s
		return m
	})
	return h, m
}

// once returns a function that does something the first time only, also where what it does comes back to
// it.
func once(do func()) func() {
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) {
			do()
		}
	}
}

func TestAViewThatRacesADeleteShowsNothing(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	m.beforeLogView = once(func() { h.must(h.Delete(t.Context(), who, mainPassword, id)) })
	p, err := h.View(t.Context(), who, mainPassword, id)
	h.refused(err, "not_found")
	if p != (vault.Plain{}) {
		t.Errorf("shown was %+v", p)
	}
	h.logs(who, 0, vault.Deleted, vault.Created) // and no view
}

func TestAViewThatRacesAnEditShowsWhatIsThere(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	m.beforeLogView = once(func() {
		_, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "new", Password: "p"})
		h.must(err)
	})
	p, err := h.View(t.Context(), who, mainPassword, id)
	if err != nil || p.Name != "new" {
		t.Errorf("shown was %+v, %v", p, err)
	}
	h.logs(who, id, vault.Viewed, vault.Edited, vault.Created)
}

func TestAnEditThatRacesADeleteBringsNothingBack(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	m.beforeReplace = once(func() { h.must(h.Delete(t.Context(), who, mainPassword, id)) })
	_, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "new", Password: "p"})
	h.refused(err, "not_found")
	h.logs(who, 0, vault.Deleted, vault.Created)
}

func TestAnEditThatRacesAnotherKeepsWhatItDoesNotChange(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	m.beforeReplace = once(func() {
		url := "https://new.example/"
		_, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "first", Password: "p", URL: &url})
		h.must(err)
	})
	platform := "new platform"
	_, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "second", Password: "p", Platform: &platform})
	h.must(err)
	p, err := h.View(t.Context(), who, mainPassword, id)
	want := vault.Plain{Name: "second", Password: "p", Platform: platform, URL: "https://new.example/"}
	if err != nil || p != want {
		t.Errorf("read %+v, %v, want %+v", p, err, want)
	}
	h.logs(who, id, vault.Viewed, vault.Edited, vault.Edited, vault.Created)
}

func TestAnItemThatNeverStaysStillIsToBeAskedForAgain(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	n := 0
	m.beforeLogView = func() {
		n++
		item, err := h.store.Item(t.Context(), who.UserID, id)
		h.must(err)
		was := item.MAC
		item.Platform = fmt.Sprint("platform ", n)
		h.Sign(&item)
		if done, err := h.store.ReplaceItem(t.Context(), item, was); err != nil || !done {
			t.Error(done, err)
		}
	}
	p, err := h.View(t.Context(), who, mainPassword, id)
	if slugOf(err) != "unavailable" || p != (vault.Plain{}) {
		t.Errorf("shown was %+v, %v", p, err)
	}
	if n < 2 || n > 100 {
		t.Errorf("it was tried %d times", n)
	}
}

func TestWhatRacesAnErasingIsLoggedOutAndLeavesNothing(t *testing.T) {
	t.Parallel()
	h, m := newMeddledHouse(t)
	erase := func(userID int64) func() {
		return once(func() {
			erased, err := h.store.Erase(t.Context(), userID, true, []byte("letter"), h.now())
			if err != nil || !erased {
				t.Error(erased, err)
			}
		})
	}
	who := h.owner("marcus")
	m.beforeCreate = erase(who.UserID)
	_, err := h.Create(t.Context(), who, mainPassword, plain)
	h.refused(err, "unauthenticated")
	m.beforeCreate = func() {}

	who = h.owner("tullius")
	id := h.create(who, plain)
	m.beforeDelete = erase(who.UserID)
	h.refused(h.Delete(t.Context(), who, mainPassword, id), "unauthenticated")
	for more := true; more; {
		more, err = h.store.EraseRemains(t.Context(), who.UserID, 100)
		h.must(err)
	}
	h.logs(who, 0)
}

func TestManyEditsViewsAndADeleteAtOnceFitTheLog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	id := h.create(who, plain)
	var views, edits, deletes atomic.Int64
	var all sync.WaitGroup
	race := func(n int, counter *atomic.Int64, do func(i int) error) {
		for i := range n {
			all.Go(func() {
				switch err := do(i); {
				case err == nil:
					counter.Add(1)
				case slugOf(err) != "not_found":
					t.Error(err)
				}
			})
		}
	}
	race(20, &views, func(int) error {
		p, err := h.View(t.Context(), who, mainPassword, id)
		if err == nil && p.Password == "" {
			return errors.New("an empty item was shown")
		}
		return err
	})
	race(20, &edits, func(i int) error {
		_, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: fmt.Sprint("edit ", i), Password: "p"})
		return err
	})
	all.Wait()
	if views.Load() != 20 || edits.Load() != 20 {
		t.Errorf("without a delete, %d views and %d edits of 20 each got through", views.Load(), edits.Load())
	}
	race(10, &views, func(int) error { _, err := h.View(t.Context(), who, mainPassword, id); return err })
	race(10, &edits, func(i int) error {
		_, err := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: fmt.Sprint("late edit ", i), Password: "p"})
		return err
	})
	race(5, &deletes, func(int) error { return h.Delete(t.Context(), who, mainPassword, id) })
	all.Wait()
	if deletes.Load() != 1 {
		t.Errorf("%d deletes were told that they did it", deletes.Load())
	}
	counted := map[vault.Action]int64{}
	actions := h.actions(who, 0)
	for _, a := range actions {
		counted[a]++
	}
	want := map[vault.Action]int64{vault.Created: 1, vault.Viewed: views.Load(), vault.Edited: edits.Load(), vault.Deleted: 1}
	for action, n := range want {
		if counted[action] != n {
			t.Errorf("the log has %d of action %d, want %d", counted[action], action, n)
		}
	}
	if actions[0] != vault.Deleted {
		t.Errorf("after the deleting stands %v", actions[0])
	}
}
