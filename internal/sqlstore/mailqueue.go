package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"caesar/internal/mail"
)

func queueLetter(t *tx, sealed []byte, now time.Time) error {
	return t.later("INSERT INTO mail_queue (sealed, created_at_ms, due_at_ms) VALUES ($1, $2, $2)", sealed, now.UnixMilli())
}

// ClaimMail implements mail.Store. A lease is a letter put off. However many letters there are, it takes two
// exchanges with a database that is elsewhere: the lease runs while they last.
func (s *Store) ClaimMail(ctx context.Context, now time.Time, lease time.Duration, most int) (letters []mail.Queued, err error) {
	err = s.write(ctx, func(t *tx) error {
		letters = nil
		err := t.rows("SELECT id, sealed, created_at_ms, due_at_ms, attempts FROM mail_queue WHERE due_at_ms <= $1 ORDER BY due_at_ms, id LIMIT $2"+t.skipLocked,
			list(now.UnixMilli(), most), func(rows scanner) error {
				var q mail.Queued
				var created, due int64
				if err := rows.Scan(&q.ID, &q.Sealed, &created, &due, &q.Attempts); err != nil {
					return err
				}
				q.CreatedAt, q.DueAt = time.UnixMilli(created), time.UnixMilli(due)
				letters = append(letters, q)
				return nil
			})
		if err != nil {
			return err
		}
		for _, q := range letters {
			if err := t.later("UPDATE mail_queue SET due_at_ms = $1 WHERE id = $2", now.Add(lease).UnixMilli(), q.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return letters, err
}

// MailSent implements mail.Store.
func (s *Store) MailSent(ctx context.Context, id int64) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM mail_queue WHERE id = $1", id)
		return err
	})
}

// MailFailed implements mail.Store.
func (s *Store) MailFailed(ctx context.Context, id int64, next time.Time) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("UPDATE mail_queue SET attempts = attempts + 1, due_at_ms = $1 WHERE id = $2", next.UnixMilli(), id)
		return err
	})
}

// NextMail implements mail.Store.
func (s *Store) NextMail(_ context.Context) (due time.Time, any bool, err error) { //nolint:predeclared // the name the interface gives it
	var ms int64
	err = s.row("SELECT due_at_ms FROM mail_queue ORDER BY due_at_ms LIMIT 1", nil, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	return time.UnixMilli(ms), err == nil, explain(err)
}
