package sqlstore

import (
	"context"
	"time"

	"caesar/internal/vault"
)

func addLog(t *tx, userID, itemID int64, action vault.Action, at time.Time) error {
	return t.later("INSERT INTO item_log (user_id, item_id, action, created_at) VALUES ($1, $2, $3, $4)",
		userID, itemID, int(action), at.Unix())
}

// LogWrongMainPassword implements vault.Store.
func (s *Store) LogWrongMainPassword(ctx context.Context, userID, itemID int64, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		// Of a user who was erased in the meantime nothing may be written any more.
		_, err := t.exec("INSERT INTO item_log (user_id, item_id, action, created_at) SELECT id, $1, $2, $3 FROM users WHERE id = $4"+t.forShare,
			itemID, int(vault.WrongMainPassword), now.Unix(), userID)
		return err
	})
}

// ItemLog implements vault.Store.
func (s *Store) ItemLog(_ context.Context, userID, itemID int64, page vault.Page) ([]vault.Entry, int64, error) {
	var there int
	err := s.row("SELECT 1 FROM items WHERE user_id = $1 AND id = $2", list(userID, itemID), &there)
	if err != nil {
		return nil, 0, found(err, vault.ErrNoItem)
	}
	return s.logPage("user_id = $1 AND item_id = $2 AND action <= $3", page, userID, itemID, int(vault.Edited))
}

// Log implements vault.Store.
func (s *Store) Log(_ context.Context, userID int64, page vault.Page) ([]vault.Entry, int64, error) {
	return s.logPage("user_id = $1", page, userID)
}

// logPage reads the count and a page of the entries for which where holds.
func (s *Store) logPage(where string, page vault.Page, args ...any) ([]vault.Entry, int64, error) {
	counting := "SELECT count(*) FROM item_log WHERE " + where
	n := len(args)
	query := "SELECT (" + counting + `), l.id, l.item_id, l.action, l.created_at FROM (
			SELECT id AS page_id FROM item_log WHERE ` + where + `
			ORDER BY id DESC LIMIT ` + s.bound(n+1) + ` OFFSET ` + s.bound(n+2) + `) p
		CROSS JOIN item_log l WHERE l.user_id = $1 AND l.id = p.page_id
		ORDER BY p.page_id DESC`
	entries := []vault.Entry{}
	var count int64
	err := s.rows(query, append(args, page.Size, page.Offset()), func(rows scanner) error {
		var e vault.Entry
		var at int64
		if err := rows.Scan(&count, &e.ID, &e.ItemID, &e.Action, &at); err != nil {
			return err
		}
		e.At = unix(at)
		entries = append(entries, e)
		return nil
	})
	if err == nil && len(entries) == 0 && page.Offset() > 0 { // an empty first page is all there is
		err = s.row(counting, args[:n:n], &count)
	}
	return entries, count, explain(err)
}
