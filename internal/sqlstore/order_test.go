package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"caesar/internal/sqlstore"
)

// disorders are what must never be seen in a database, each with the query that counts it.
var disorders = map[string]string{
	"users whose items are not as many as is kept": `
		SELECT count(*) FROM users u WHERE u.item_count <> (SELECT count(*) FROM items i WHERE i.user_id = u.id)`,
	"users who do not hold both of their handles": `
		SELECT count(*) FROM users u WHERE (SELECT count(*) FROM handles h WHERE h.user_id = u.id AND h.handle IN (u.name_handle, u.email_handle)) <> 2`,
	"handles of nobody, or of one who has others": `
		SELECT count(*) FROM handles h WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = h.user_id AND h.handle IN (u.name_handle, u.email_handle))`,
	"users whose vault keys are not of the revision that is kept": `
		SELECT count(*) FROM users u WHERE u.key_revision <> coalesce((SELECT k.revision FROM key_records k WHERE k.user_id = u.id), 0)`,
	"users who are active and to be erased, or not active and never erased": `
		SELECT count(*) FROM users u WHERE (u.status = 'active') = EXISTS (SELECT 1 FROM erasures e WHERE e.user_id = u.id)`,
	"sessions of who may not use them": `
		SELECT count(*) FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id AND u.status = 'active')`,
	"key records of nobody": `
		SELECT count(*) FROM key_records k WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = k.user_id)`,
	"versions of which no blob is known": `
		SELECT count(*) FROM versions v WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.name = v.blob AND b.user_id = v.user_id)`,
	"blobs of no version": `
		SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.blob = b.name AND v.user_id = b.user_id)`,
	"items without a log": `
		SELECT count(*) FROM items i WHERE NOT EXISTS (SELECT 1 FROM item_log l WHERE l.user_id = i.user_id AND l.item_id = i.id)
			AND EXISTS (SELECT 1 FROM users u WHERE u.id = i.user_id)`,
	"data that nobody will erase of users who are gone": `
		SELECT count(*) FROM (SELECT user_id FROM items UNION SELECT user_id FROM item_log UNION SELECT user_id FROM versions) d
		WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = d.user_id) AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.user_id = d.user_id)`,
}

// inOrder looks for what must never be seen. Each query sees one state, so that it may be asked at any time.
func inOrder(t testing.TB, row func(query string, args []any, dest ...any) error) {
	t.Helper()
	for what, query := range disorders {
		var n int
		if err := row(query, nil, &n); err != nil || n > 0 {
			t.Errorf("there are %d %s: %v", n, what, err)
		}
	}
}

func TestDisorderIsNoticed(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			id := register(t, store, "marcus")
			if _, err := store.CreateItem(t.Context(), id, sealed(id, "github")); err != nil {
				t.Fatal(err)
			}
			for what, statements := range map[string][]string{
				"users whose items are not as many as is kept":                          {"UPDATE users SET item_count = 2 WHERE id = $1"},
				"users who do not hold both of their handles":                           {"UPDATE handles SET user_id = user_id + 1 WHERE handle = 'marcus' AND user_id = $1"},
				"handles of nobody, or of one who has others":                           {"UPDATE users SET name_handle = 'tullius' WHERE id = $1"},
				"users whose vault keys are not of the revision that is kept":           {"UPDATE users SET key_revision = 1 WHERE id = $1"},
				"users who are active and to be erased, or not active and never erased": {"UPDATE users SET status = 'closing' WHERE id = $1"},
				"sessions of who may not use them": {
					"INSERT INTO sessions (user_id, token_hash, client, address, created_at, last_used_at, expires_at) SELECT id + 1, sealed_password, '', '', 1, 1, 1 FROM users WHERE id = $1",
				},
				"key records of nobody": {
					`INSERT INTO key_records (user_id, revision, kdf_type, kdf_iterations, kdf_memory_mib, kdf_parallelism, salt, sealed_user_key, verifier, public_key, wrapped_private_key, user_key_id, mac)
						SELECT id + 1, 1, 1, 1, 1, 1, '', sealed_password, sealed_password, sealed_password, '', '', sealed_password FROM users WHERE id = $1`,
				},
				"versions of which no blob is known": {
					"INSERT INTO versions (user_id, name, size, sha256, blob, header_size, header_hash, created_at, mac) SELECT id, 'a', 1, sealed_password, 'b', 1, sealed_password, 1, sealed_password FROM users WHERE id = $1",
				},
				"blobs of no version":                               {"INSERT INTO blobs (name, user_id) VALUES ('b', $1)"},
				"items without a log":                               {"DELETE FROM item_log WHERE user_id = $1"},
				"data that nobody will erase of users who are gone": {"UPDATE items SET user_id = user_id + 1 WHERE user_id = $1"},
			} {
				if err := undone(store, statements, id, disorders[what]); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			inOrder(t, store.Row)
		})
	}
}

// undone runs statements and a query that has to count something then, and undoes them.
func undone(store *sqlstore.Store, statements []string, id int64, query string) error {
	errUndo := errors.New("undo")
	err := store.Write(context.Background(), func(tx *sqlstore.Tx) error {
		for _, statement := range statements {
			if _, err := tx.Exec(statement, id); err != nil {
				return err
			}
		}
		var n int
		if err := tx.Row(query, nil, &n); err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("nothing is noticed after %q", statements)
		}
		return errUndo
	})
	if errors.Is(err, errUndo) {
		return nil
	}
	return err
}
