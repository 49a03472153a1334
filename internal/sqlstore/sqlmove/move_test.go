package sqlmove_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"caesar/internal/sqlstore"
	"caesar/internal/sqlstore/sqlmove"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// small fills a folder with several chunks of the longest tables.
func small(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	movetest.Fill(t, folder, movetest.Folder{People: 30, Items: 300, Versions: 5})
	return folder
}

// chunk is how many rows are copied at once here.
const chunk = 100

func begin(t *testing.T, folder, url string) *sqlmove.Move {
	t.Helper()
	m := open(t, folder, url)
	if err := m.Begin(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t *testing.T, folder, url string) *sqlmove.Move {
	t.Helper()
	m, err := sqlmove.Open(t.Context(), movetest.Database(folder), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() }) // again does nothing
	m.InChunksOf(chunk)
	return m
}

// finish brings a move to its end, and returns how many rows it copied, and how many anew.
func finish(t *testing.T, m *sqlmove.Move) (copied, mended int) {
	t.Helper()
	if err := m.Copy(t.Context(), func(rows int) { copied += rows }); err != nil {
		t.Fatal(err)
	}
	mended, err := m.Check(t.Context(), func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Finish(t.Context(), sqlmove.Blobs{}); err != nil {
		t.Fatal(err)
	}
	return copied, mended
}

// moving says whether a server may not serve a database.
func moving(t *testing.T, url string) bool {
	t.Helper()
	store, err := sqlstore.OpenPostgres(t.Context(), url, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	yes, err := store.Moving(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return yes
}

// ask runs a statement on the target.
func ask[T any](t *testing.T, url, query string, args ...any) (answer T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// do runs statements on the target.
func do(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func with(url, parameter string) string {
	if strings.Contains(url, "?") {
		return url + "&" + parameter
	}
	return url + "?" + parameter
}

func TestEveryRowOfEveryTableIsMovedAsItIs(t *testing.T) {
	t.Parallel()
	for name, parameter := range map[string]string{
		"plain": "pool_max_conns=3", "behind a pooler": "default_query_exec_mode=simple_protocol",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, url := small(t), with(testbed.Postgres(t), parameter)
			m := begin(t, folder, url)
			counts, err := m.Counts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !moving(t, url) {
				t.Error("a server may serve what is not there yet")
			}
			copied, mended := finish(t, m)
			if moving(t, url) || mended != 0 {
				t.Errorf("after its end the move is under way: %v; %d rows were copied anew", moving(t, url), mended)
			}
			counted := 0
			for table, rows := range movetest.Compare(t, folder, strings.Replace(url, parameter, "", 1)) {
				if rows == 0 {
					t.Errorf("of the table %s nothing was to be moved: this tests nothing", table)
				}
				if !slices.Contains(counts, sqlmove.Count{Table: table, Rows: int64(rows)}) {
					t.Errorf("the table %s with %d rows is missing in %v", table, rows, counts)
				}
				counted += rows
			}
			if copied != counted {
				t.Errorf("%d rows were copied of %d", copied, counted)
			}
		})
	}
}

func TestNoIDIsGivenTwice(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	finish(t, begin(t, folder, url))
	highest := map[string]int64{}
	movetest.Change(t, folder, func(tx *sql.Tx) {
		rows, err := tx.QueryContext(t.Context(), "SELECT name, seq FROM sqlite_sequence")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var id int64
			if err := rows.Scan(&name, &id); err != nil {
				t.Fatal(err)
			}
			highest[name] = id
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	})
	if len(highest) != 6 {
		t.Errorf("ids are given to %v", highest)
	}
	for table, id := range highest {
		if next := ask[int64](t, url, fmt.Sprintf("SELECT nextval('%s_id')", table)); next != id+1 {
			t.Errorf("the next of %s is %d, and %d was given last", table, next, id)
		}
	}
	if there := ask[int64](t, url, "SELECT max(id) FROM items"); there >= highest["items"] {
		t.Errorf("the item of the highest id, %d, was not deleted: this tests nothing", there)
	}
}

func TestAMoveThatBreaksOffAnywhereGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for name, breakOff := range map[string]func(t *testing.T, url string, cancel func()){
		"stopped":       func(_ *testing.T, _ string, cancel func()) { cancel() },
		"target broken": func(t *testing.T, url string, _ func()) { t.Helper(); cut(t, url) },
	} {
		folder, url := small(t), testbed.Postgres(t)
		total, runs := 0, 0
		for ; ; runs++ {
			m := begin(t, folder, url)
			there, err := m.Copied(t.Context())
			if err != nil || there != int64(total) {
				t.Fatalf("%s: %d rows are there of %d that were copied: %v", name, there, total, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			copied := 0
			err = m.Copy(ctx, func(rows int) {
				if copied += rows; copied > 150 {
					breakOff(t, url, cancel)
				}
			})
			total += copied
			cancel()
			_ = m.Close()
			if err == nil {
				break
			}
			if !moving(t, url) {
				t.Errorf("%s: a server may serve half of it", name)
			}
		}
		if runs < 5 {
			t.Errorf("%s: it was broken off %d times only: this tests nothing", name, runs)
		}
		m := begin(t, folder, url)
		if copied, mended := finish(t, m); copied != 0 || mended != 0 {
			t.Errorf("%s: %d rows were copied twice, and %d anew", name, copied, mended)
		}
		rows := movetest.Compare(t, folder, url)
		if counted := sum(maps.Values(rows)); counted != total {
			t.Errorf("%s: %d rows were copied of %d", name, total, counted)
		}
	}
}

func sum(values func(func(int) bool)) (total int) {
	for n := range values {
		total += n
	}
	return total
}

// cut ends all other connections to a database.
func cut(t *testing.T, url string) {
	t.Helper()
	ask[int64](t, url, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`)
}

func TestWhatTheServerWroteBetweenTwoRunsIsMovedToo(t *testing.T) {
	t.Parallel()
	for _, after := range []int{1, 250, 900, 1 << 30} {
		t.Run(fmt.Sprintf("after %d rows", after), func(t *testing.T) {
			t.Parallel()
			folder, url := small(t), testbed.Postgres(t)
			m := begin(t, folder, url)
			ctx, cancel := context.WithCancel(t.Context())
			copied := 0
			if err := m.Copy(ctx, func(rows int) {
				if copied += rows; copied >= after {
					cancel()
				}
			}); err != nil && ctx.Err() == nil {
				t.Fatal(err)
			}
			cancel()
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			movetest.Change(t, folder, func(tx *sql.Tx) {
				for _, statement := range []string{
					"UPDATE users SET real_name = 'somebody else' WHERE id % 5 = 3",
					"UPDATE sessions SET token_hash = randomblob(32) WHERE id = 7",
					"DELETE FROM items WHERE id % 10 = 7 OR id IN (1, 2, 3)",
					"DELETE FROM item_log WHERE id > 290",
					"DELETE FROM throttles",
					"DELETE FROM mail_queue WHERE id = (SELECT min(id) FROM mail_queue)",
					"UPDATE handles SET user_id = user_id + 1 WHERE handle < 'person 2'",
					"INSERT INTO codes SELECT randomblob(32), 1, randomblob(32), 0, 1, 2 FROM users",
					"INSERT INTO item_log (user_id, item_id, action, created_at) SELECT user_id, item_id, 9, 9 FROM item_log WHERE id < 150",
					"INSERT INTO spent_captchas VALUES (x'00', 1), (x'ffffffff', 2)",
					"INSERT INTO blobs VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 1)",
				} {
					if done, err := tx.ExecContext(t.Context(), statement); err != nil {
						t.Fatalf("%s: %v", statement, err)
					} else if n, err := done.RowsAffected(); n == 0 || err != nil {
						t.Errorf("nothing was changed by: %s", statement)
					}
				}
			})
			m = begin(t, folder, url)
			if _, mended := finish(t, m); mended == 0 {
				t.Error("nothing was copied anew")
			}
			movetest.Compare(t, folder, url)
		})
	}
}

func TestAMoveThatIsFinishedIsKnownAgain(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	if m := open(t, folder, url); m.Finished() {
		t.Error("it is finished before it began")
	}
	m := begin(t, folder, url)
	if err := m.Copy(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	_ = m.Close()
	if m = open(t, folder, url); m.Finished() {
		t.Error("it is finished before its end")
	}
	finish(t, begin(t, folder, url))
	if m = open(t, folder, url); !m.Finished() {
		t.Error("it is not known to be finished")
	}
}

func TestThePlaceOfBlobsIsRemembered(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	for _, places := range [][2]string{{"", "s3://a/"}, {"s3://a/", "s3://b/"}, {"s3://b/", ""}, {"", ""}} {
		m := open(t, folder, url)
		if m.Blobs() != places[0] {
			t.Errorf("%q is remembered, not %q", m.Blobs(), places[0])
		}
		if err := m.Begin(t.Context(), places[1]); err != nil {
			t.Fatal(err)
		}
		_ = m.Close()
	}
}

// No more of the source is sorted than what one user has: it would take its memory, and be done again for
// each chunk.
func TestTheSourceIsReadInTheOrderOfItsIndexes(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	movetest.Change(t, folder, func(tx *sql.Tx) {
		for statement, arguments := range m.Readings() {
			for _, step := range plan(t, tx, statement, arguments) {
				if strings.Contains(step, "USE TEMP B-TREE FOR ORDER BY") || strings.HasPrefix(step, "SCAN") {
					t.Errorf("%s: %s", step, statement)
				}
			}
		}
	})
}

// plan returns how SQLite carries out a statement, step by step.
func plan(t *testing.T, tx *sql.Tx, statement string, arguments int) (steps []string) {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, make([]any, arguments)...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// A chunk is held in memory: one of long rows has few of them.
func TestLongRowsAreMovedAFewAtATime(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	const long = 20
	movetest.Change(t, folder, func(tx *sql.Tx) {
		if _, err := tx.ExecContext(t.Context(), "UPDATE items SET url = printf('%.*c', 1 << 20, 'x') WHERE id <= $1", long); err != nil {
			t.Fatal(err)
		}
	})
	chunks := 0
	if err := begin(t, folder, url).Copy(t.Context(), func(int) { chunks++ }); err != nil {
		t.Fatal(err)
	}
	m := begin(t, folder, url)
	compared := 0
	if _, err := m.Check(t.Context(), func(int) { compared++ }); err != nil {
		t.Fatal(err)
	}
	if chunks < long/5 || compared < chunks {
		t.Errorf("%d chunks are copied, and %d compared", chunks, compared)
	}
	if err := m.Finish(t.Context(), sqlmove.Blobs{}); err != nil {
		t.Fatal(err)
	}
	movetest.Compare(t, folder, url)
}

func TestABlobIsToldByItsVersion(t *testing.T) {
	t.Parallel()
	folder := small(t)
	const alone = "zzzzzzzzzzzzzzzzzzzzzzzzzz"
	movetest.Change(t, folder, func(tx *sql.Tx) {
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO blobs VALUES ($1, 7)", alone); err != nil {
			t.Fatal(err)
		}
	})
	m := open(t, folder, testbed.Postgres(t))
	var names []string
	for name, err := range m.BlobNames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		user, version, err := m.VersionOf(t.Context(), name)
		if known := name != alone; err != nil || user == 0 || (version != 0) != known || (!known && user != 7) {
			t.Errorf("%s is version %d of the user %d: %v", name, version, user, err)
		}
		if there, err := m.NamesBlob(t.Context(), name); !there || err != nil {
			t.Errorf("%s is not known: %v", name, err)
		}
	}
	if len(names) != 6 || !slices.IsSorted(names) {
		t.Errorf("the blobs are %q", names)
	}
	if there, err := m.NamesBlob(t.Context(), "aaaaaaaaaaaaaaaaaaaaaaaaaa"); there || err != nil {
		t.Errorf("another's is known: %v", err)
	}
}
