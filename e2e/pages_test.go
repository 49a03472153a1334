package e2e_test

import (
	"slices"
	"strconv"
	"testing"

	"caesar/client"
)

func TestAListIsCountedWholeAndCutIntoPagesNewestFirst(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p, other := l.person(), l.person()
	var kept []int64
	for i := range 45 {
		kept = append(kept, l.keep(p, "platform "+strconv.Itoa(i%3)))
		if i%10 == 0 {
			l.keep(other, "platform 1") // so that the ids of one user are no unbroken row
		}
	}
	slices.Reverse(kept)
	var third []int64 // those on platform 2
	for i := 0; i < len(kept); i += 3 {
		third = append(third, kept[i])
	}
	for _, c := range []struct {
		query      client.ItemQuery
		want       []int64
		count      int64
		page, size int64
	}{
		{client.ItemQuery{}, kept[:20], 45, 1, 20},
		{itemPage(1, 20), kept[:20], 45, 1, 20},
		{itemPage(2, 20), kept[20:40], 45, 2, 20},
		{itemPage(3, 20), kept[40:], 45, 3, 20},
		{itemPage(4, 20), nil, 45, 4, 20},
		{itemPage(2, 0), kept[20:40], 45, 2, 20},
		{itemPage(0, 7), kept[:7], 45, 1, 7},
		{itemPage(7, 7), kept[42:], 45, 7, 7},
		{itemPage(45, 1), kept[44:], 45, 45, 1},
		{itemPage(1, 45), kept, 45, 1, 45},
		{itemPage(2, 45), nil, 45, 2, 45},
		{itemPage(1, 200), kept, 45, 1, 200},
		{itemPage(1<<53-1, 200), nil, 45, 1<<53 - 1, 200},
		{client.ItemQuery{Platform: "M 2", Paging: client.Paging{Page: 2, PageSize: 10}}, third[10:], 15, 2, 10},
		{client.ItemQuery{Platform: "m 2", Paging: client.Paging{Page: 3, PageSize: 10}}, nil, 15, 3, 10},
		{client.ItemQuery{Platform: "m 3"}, nil, 0, 1, 20},
	} {
		page, err := p.ListItems(t.Context(), c.query)
		if err != nil {
			t.Errorf("%+v: %v", c.query, err)
			continue
		}
		var got []int64
		for _, item := range page.Data {
			got = append(got, item.ID)
			if item.UserID != p.id {
				t.Errorf("item %d is of user %d, and user %d asked", item.ID, item.UserID, p.id)
			}
		}
		if !slices.Equal(got, c.want) || page.Count != c.count || page.Page != c.page || page.PageSize != c.size {
			t.Errorf("%+v: %v, count %d, page %d of %d; want %v, %d, %d, %d", c.query, got, page.Count, page.Page, page.PageSize, c.want, c.count, c.page, c.size)
		}
	}
}

func itemPage(number, size int64) client.ItemQuery {
	return client.ItemQuery{Paging: client.Paging{Page: number, PageSize: size}}
}

func TestALogIsCountedWholeAndCutIntoPagesNewestFirst(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p := l.person()
	id, beside := l.keep(p, "x"), l.keep(p, "y")
	for range 5 {
		if _, err := p.RevealItem(t.Context(), id, p.MainPassword); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.RevealItem(t.Context(), id, "not the main password"); client.Slug(err) != client.MainPasswordWrong {
		t.Fatal(err)
	}
	if err := p.DeleteItem(t.Context(), beside, p.MainPassword); err != nil {
		t.Fatal(err)
	}
	const created, viewed, deleted, wrong = client.Created, client.Viewed, client.Deleted, client.WrongMainPassword
	ofItem := []client.EventType{viewed, viewed, viewed, viewed, viewed, created}
	ofAll := []client.EventType{deleted, wrong, viewed, viewed, viewed, viewed, viewed, created, created}
	for _, c := range []struct {
		want  client.Paging
		first int
	}{{client.Paging{}, 0}, {client.Paging{Page: 1, PageSize: 4}, 0}, {client.Paging{Page: 2, PageSize: 4}, 4}, {client.Paging{Page: 1 << 40, PageSize: 200}, 1000}} {
		page, err := p.ItemLog(t.Context(), id, c.want)
		compareEvents(t, c.want, page, err, ofItem, c.first)
		page, err = p.Log(t.Context(), c.want)
		compareEvents(t, c.want, page, err, ofAll, c.first)
	}
	if _, err := p.ItemLog(t.Context(), beside, client.Paging{}); client.Slug(err) != client.NotFound {
		t.Errorf("the log of a deleted item: %v", err)
	}
}

// compareEvents demands the page of a log whose events are all, from the first on that it should have.
func compareEvents(t *testing.T, want client.Paging, page client.Page[client.Event], err error, all []client.EventType, first int) {
	t.Helper()
	if err != nil {
		t.Errorf("%+v: %v", want, err)
		return
	}
	number, size := max(want.Page, 1), want.PageSize
	if size == 0 {
		size = 20
	}
	first = min(first, len(all))
	on := all[first:min(first+int(size), len(all))]
	var got []client.EventType
	for i, event := range page.Data {
		got = append(got, event.Type)
		if i > 0 && event.ID >= page.Data[i-1].ID {
			t.Errorf("%+v: %v is not newest first", want, page.Data)
		}
	}
	if !slices.Equal(got, on) || page.Count != int64(len(all)) || page.Page != number || page.PageSize != size {
		t.Errorf("%+v: %v, count %d, page %d of %d; want %v of %d", want, got, page.Count, page.Page, page.PageSize, on, len(all))
	}
}
