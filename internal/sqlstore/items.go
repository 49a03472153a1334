package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"caesar/internal/vault"
)

const itemColumns = "id, item_key, name, email, password, sealed_platform, sealed_url, platform, url, created_at, updated_at, mac"

// itemRow is where a row of items is scanned into.
type itemRow struct {
	vault.Item
	created, updated int64
}

func (r *itemRow) into() []any {
	return []any{
		&r.ID, &r.Key, &r.Name, &r.Email, &r.Password, &r.SealedPlatform, &r.SealedURL,
		&r.Platform, &r.URL, &r.created, &r.updated, &r.MAC,
	}
}

func (r *itemRow) item(userID int64) vault.Item {
	r.UserID, r.CreatedAt, r.UpdatedAt = userID, unix(r.created), unix(r.updated)
	return r.Item
}

// CreateItem implements vault.Store.
func (s *Store) CreateItem(ctx context.Context, userID int64, seal func(id int64) vault.Item) (item vault.Item, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := countItems(t, userID, 1); err != nil {
			return err
		}
		id, err := t.next("items")
		if err != nil {
			return err
		}
		item = seal(id)
		err = t.later(`INSERT INTO items (id, user_id, item_key, name, email, password, sealed_platform, sealed_url,
				platform, platform_folded, url, created_at, updated_at, mac)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			id, userID, item.Key, item.Name, item.Email, item.Password, item.SealedPlatform, item.SealedURL,
			item.Platform, vault.Fold(item.Platform), item.URL, item.CreatedAt.Unix(), item.UpdatedAt.Unix(), item.MAC)
		if err != nil {
			return err
		}
		return addLog(t, userID, id, vault.Created, item.CreatedAt)
	})
	return item, err
}

// countItems keeps the count of a user's items, so that no list has to count them.
func countItems(t *tx, userID int64, more int) error {
	n, err := t.exec("UPDATE users SET item_count = item_count + $1 WHERE id = $2", more, userID)
	if err == nil && n == 0 {
		return vault.ErrNoOwner
	}
	return err
}

// Item implements vault.Store.
func (s *Store) Item(_ context.Context, userID, id int64) (vault.Item, error) {
	var r itemRow
	err := s.row("SELECT "+itemColumns+" FROM items WHERE user_id = $1 AND id = $2", list(userID, id), r.into()...)
	return r.item(userID), found(err, vault.ErrNoItem)
}

// Items implements vault.Store. The choice of ids reads the index only; the rows of the page are joined
// after: a cross join, since SQLite never turns that around, as it else might and read all of a user's rows.
func (s *Store) Items(_ context.Context, userID int64, q vault.Query) (items []vault.Item, count int64, err error) {
	where, args := s.itemFilter(userID, q)
	counting := "SELECT count(*) FROM items WHERE " + where
	if len(args) == 1 {
		counting = "SELECT coalesce(max(item_count), 0) FROM users WHERE id = $1" // 0 where the user is gone
	}
	query, n := s.wideItemsQuery(where, counting, len(args)), len(args)
	if n > 1 && q.Page.Offset() <= mostAside {
		query = s.narrowItemsQuery(where, counting, n)
	}
	items = []vault.Item{}
	err = s.rows(query, append(args, q.Page.Size, q.Page.Offset()), func(rows scanner) error {
		var r itemRow
		if err := rows.Scan(append(list(&count), r.into()...)...); err != nil {
			return err
		}
		items = append(items, r.item(userID))
		return nil
	})
	// Sorted here, where the rows come sorted most of the time, rather than by the database, which would
	// copy them into a table of its own for it.
	slices.SortFunc(items, func(a, b vault.Item) int { return cmp.Compare(b.ID, a.ID) })
	if err == nil && len(items) == 0 && q.Page.Offset() > 0 { // an empty first page is all there is
		err = s.row(counting, args[:n:n], &count)
	}
	return items, count, explain(err)
}

// wideItemsQuery counts first and then walks to the page. The arguments after the nth are the size and
// the offset of the page.
func (w *words) wideItemsQuery(where, counting string, n int) string {
	return "SELECT (" + counting + "), " + prefixed("i.", itemColumns) + ` FROM (
			SELECT id AS page_id FROM items WHERE ` + where + `
			ORDER BY id DESC LIMIT ` + w.bound(n+1) + ` OFFSET ` + w.bound(n+2) + `) p
		CROSS JOIN items i WHERE i.user_id = $1 AND i.id = p.page_id`
}

// mostAside is the largest offset for which the ids before the page are put aside rather than walked
// over twice.
const mostAside = 200

// narrowItemsQuery finds the page and the count in one walk where few items match, as in most searches:
// where the ids up to the page's end and one more are not all there, those that are there are the count.
func (w *words) narrowItemsQuery(where, counting string, n int) string {
	size, offset := w.bound(n+1), w.bound(n+2)
	return `WITH found AS MATERIALIZED (
			SELECT id AS found_id FROM items WHERE ` + where + ` ORDER BY id DESC LIMIT ` + size + ` + ` + offset + ` + 1)
		SELECT CASE WHEN (SELECT count(*) FROM found) <= ` + size + ` + ` + offset + `
			THEN (SELECT count(*) FROM found) ELSE (` + counting + `) END, ` + prefixed("i.", itemColumns) + `
		FROM (SELECT found_id FROM found ORDER BY found_id DESC LIMIT ` + size + ` OFFSET ` + offset + `) p
		CROSS JOIN items i WHERE i.user_id = $1 AND i.id = p.found_id`
}

// itemFilter returns the condition that a query makes, with its arguments.
func (w *words) itemFilter(userID int64, q vault.Query) (where string, args []any) {
	where, args = "user_id = $1", list(userID)
	and := func(before string, arg any, after string) {
		args = append(args, arg)
		where += " AND " + before + parameter(len(args)) + after
	}
	if q.Platform != "" {
		and(w.position+"(platform_folded, ", q.Platform, ") > 0")
	}
	if !q.From.IsZero() {
		and("created_at >= ", q.From.Unix(), "")
	}
	if !q.Until.IsZero() {
		and("created_at <= ", q.Until.Unix(), "")
	}
	return where, args
}

// LogView implements vault.Store.
func (s *Store) LogView(ctx context.Context, userID, id int64, mac []byte, now time.Time) (logged bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO item_log (user_id, item_id, action, created_at)
			SELECT user_id, id, $1, $2 FROM items WHERE user_id = $3 AND id = $4 AND mac = $5`+t.forShare,
			int(vault.Viewed), now.Unix(), userID, id, mac)
		logged = n > 0
		return err
	})
	return logged, err
}

// ReplaceItem implements vault.Store.
func (s *Store) ReplaceItem(ctx context.Context, item vault.Item, was []byte) (replaced bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE items SET item_key = $1, name = $2, email = $3, password = $4, sealed_platform = $5,
				sealed_url = $6, platform = $7, platform_folded = $8, url = $9, updated_at = $10, mac = $11
			WHERE user_id = $12 AND id = $13 AND mac = $14`,
			item.Key, item.Name, item.Email, item.Password, item.SealedPlatform, item.SealedURL,
			item.Platform, vault.Fold(item.Platform), item.URL, item.UpdatedAt.Unix(), item.MAC,
			item.UserID, item.ID, was)
		if replaced = n > 0; !replaced || err != nil {
			return err
		}
		return addLog(t, item.UserID, item.ID, vault.Edited, item.UpdatedAt)
	})
	return replaced, err
}

// DeleteItem implements vault.Store.
func (s *Store) DeleteItem(ctx context.Context, userID, id int64, now time.Time) (deleted bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM items WHERE user_id = $1 AND id = $2", userID, id)
		if deleted = n > 0; !deleted || err != nil {
			return err
		}
		if err := countItems(t, userID, -1); err != nil {
			return err
		}
		return addLog(t, userID, id, vault.Deleted, now)
	})
	return deleted, err
}
