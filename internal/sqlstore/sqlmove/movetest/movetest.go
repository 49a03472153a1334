// Package movetest makes data folders that are worth moving, and compares what a move made of them.
//
// It knows tables by the databases alone, and nothing of how rows are moved: what it finds equal is equal
// whatever a move believes of itself.
package movetest

import (
	"context"
	"database/sql"
	"encoding/base32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"caesar/internal/sqlstore"
)

// Test is a test, as testing.TB, or what else is to be told of failures. Fatal and Fatalf don't return.
type Test interface {
	Helper()
	Context() context.Context
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Folder is how much a data folder is filled with.
type Folder struct {
	People, Items, Versions int
	// Large is how many of the versions have a blob of LargeBytes; all others have some KiB.
	Large, LargeBytes int
}

// Database returns the path of the database in a data folder.
func Database(folder string) string { return filepath.Join(folder, "caesar.db") }

// Fill fills a data folder, beside what is in it already, with people that nobody is, and all that they
// keep: rows of every table that look like real ones, and blobs. No server may run on it.
func Fill(t Test, folder string, with Folder) {
	t.Helper()
	store, err := sqlstore.OpenSQLite(t.Context(), Database(folder)) // which makes the tables
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	Change(t, folder, func(tx *sql.Tx) {
		var base int64
		if err := tx.QueryRowContext(t.Context(), "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'users'").Scan(&base); err != nil {
			t.Fatal(err)
		}
		for _, f := range fillings {
			_, err := tx.ExecContext(t.Context(), f.insert, sql.Named("rows", f.rows(with)),
				sql.Named("people", with.People), sql.Named("items", with.Items), sql.Named("base", base))
			if err != nil {
				t.Fatalf("%v: %s", err, f.insert)
			}
		}
		fillVersions(t, tx, folder, base, with)
		// The highest ids are given, and nobody's any more.
		if _, err := tx.ExecContext(t.Context(), "DELETE FROM items WHERE id = (SELECT max(id) FROM items)"); err != nil {
			t.Fatal(err)
		}
	})
}

// Change writes to the database of a data folder as a server might that ran on it.
func Change(t Test, folder string, change func(*sql.Tx)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+Database(folder)+"?mode=rw&_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	change(tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// numbers are n.i from 1 to :rows.
const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows) "

// fillings make so many rows each, for numbers: :people and :items are how many there are to be, :base the
// highest id of a user before.
var fillings = []struct {
	rows   func(Folder) int
	insert string
}{
	{func(f Folder) int { return f.People }, numbers + `INSERT INTO users SELECT :base + i, 'active', 'person ' || i, '真名 ' || i, 'person' || i || '@example.net', '+86 ' || i, '工程师', '1990-01-01',
		'person ' || i, 'person' || i || '@example.net', randomblob(180), 1, 1, i % 2, :items / :people, 1800000000 + i, 1800000000 + i FROM n`},
	{func(f Folder) int { return f.People }, numbers + "INSERT INTO handles SELECT 'person ' || i || '-' || hex(randomblob(4)), :base + i FROM n"},
	{func(f Folder) int { return f.People }, numbers + "INSERT INTO handles SELECT 'person' || i || '-' || hex(randomblob(4)) || '@example.net', :base + i FROM n"},
	{func(f Folder) int { return f.People }, numbers + `INSERT INTO key_records SELECT :base + i, 1, 1, 3, 64, 1, 'person' || i || '@example.net', randomblob(220), randomblob(36), randomblob(294),
		'2.' || hex(randomblob(900)), hex(randomblob(32)), randomblob(36) FROM n`},
	{func(f Folder) int { return f.People * 2 }, numbers + `INSERT INTO sessions (user_id, token_hash, client, address, created_at, last_used_at, expires_at)
		SELECT :base + 1 + i % :people, randomblob(32), 'Firefox on Linux', '2001:db8::' || i, 1800000000 + i, 1800000000 + i, 4000000000 FROM n`},
	{func(f Folder) int { return f.People/10 + 1 }, numbers + "INSERT INTO codes SELECT randomblob(32), :base + i, randomblob(32), i % 5, 1800000000 + i, 4000000000 FROM n"},
	{func(f Folder) int { return f.Items }, numbers + `INSERT INTO items (user_id, item_key, name, email, password, sealed_platform, sealed_url, platform, platform_folded, url, created_at, updated_at, mac)
		SELECT :base + 1 + i % :people, '2.' || hex(randomblob(100)), '2.' || hex(randomblob(40)), '2.' || hex(randomblob(50)), '2.' || hex(randomblob(50)),
			'2.' || hex(randomblob(40)), '2.' || hex(randomblob(40)), '平台 ' || i, '平台 ' || i, 'https://example.org/' || i, 1800000000 + i, 1800000000 + i, randomblob(36) FROM n`},
	{func(f Folder) int { return f.Items * 2 }, numbers + `INSERT INTO item_log (user_id, item_id, action, created_at)
		SELECT :base + 1 + (i / 2) % :people, (SELECT coalesce(min(id), 0) FROM items) + i / 2, 1 + i % 2, 1800000000 + i FROM n`},
	{func(f Folder) int { return f.People/50 + 1 }, numbers + "INSERT INTO erasures SELECT :base + i, 4000000000 + i FROM n"},
	{func(f Folder) int { return f.People/5 + 1 }, numbers + "INSERT INTO spent_captchas SELECT randomblob(16), 4000000000 + i FROM n"},
	{func(f Folder) int { return f.People + 1 }, numbers + "INSERT INTO throttles SELECT randomblob(32), 4000000000000000000 + i FROM n"},
	{func(f Folder) int { return f.People/20 + 1 }, numbers + "INSERT INTO mail_queue (sealed, created_at_ms, due_at_ms, attempts) SELECT randomblob(4096), 1800000000000 + i, 4000000000000 + i, i % 3 FROM n"},
	{func(Folder) int { return 2 }, numbers + "INSERT INTO facts SELECT 'fact ' || hex(randomblob(4)), randomblob(36 * i) FROM n"},
}

// fillVersions makes rows of versions and the blobs that they name.
func fillVersions(t Test, tx *sql.Tx, folder string, base int64, with Folder) {
	t.Helper()
	blobs := filepath.Join(folder, "blobs")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		t.Fatal(err)
	}
	drawn := rand.NewChaCha8([32]byte{byte(with.People), byte(with.Versions)})
	for i := range with.Versions {
		size := 200 + int(drawn.Uint64()%20_000)
		if i < with.Large {
			size = with.LargeBytes
		}
		name, content := make([]byte, 16), make([]byte, size)
		_, _ = drawn.Read(content) // it never fails
		_, _ = drawn.Read(name)
		blob := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(name))
		if err := os.WriteFile(filepath.Join(blobs, blob+".age"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		user := base + 1 + int64(i%with.People)
		_, err := tx.ExecContext(t.Context(), `INSERT INTO versions (user_id, name, size, sha256, blob, header_size, header_hash, created_at, mac)
			VALUES ($1, $2, $3, randomblob(32), $4, 216, randomblob(32), 1800000000, randomblob(36))`, user, "备份.tar", size-216, blob)
		if err == nil {
			_, err = tx.ExecContext(t.Context(), "INSERT INTO blobs (name, user_id) VALUES ($1, $2)", blob, user)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
