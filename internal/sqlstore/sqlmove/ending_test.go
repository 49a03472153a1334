package sqlmove_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"caesar/internal/fault"
	"caesar/internal/sqlstore"
	"caesar/internal/sqlstore/sqlmove"
	"caesar/internal/sqlstore/sqlmove/movetest"
	"caesar/internal/testbed"
)

// movedTo returns where the rows of a folder were moved to, as a server reads it.
func movedTo(t *testing.T, folder string) string {
	t.Helper()
	store, err := sqlstore.OpenSQLite(t.Context(), movetest.Database(folder))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	to, err := store.Moved(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestTheSourceKnowsThatItWasMovedAndWhereTo(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	if to := movedTo(t, folder); to != "" {
		t.Errorf("before its end it was moved to %q", to)
	}
	finish(t, m)
	to := movedTo(t, folder)
	if name := ask[string](t, url, "SELECT current_database()"); !strings.HasPrefix(to, "postgres://") || !strings.HasSuffix(to, "/"+name) || strings.Contains(to, "@") {
		t.Errorf("it was moved to %q", to)
	}
	if there := ask[int](t, url, "SELECT count(*) FROM facts WHERE name IN ('move', 'moved')"); there != 0 {
		t.Error("the target has what the source notes")
	}
	_, err := sqlmove.Open(t.Context(), movetest.Database(folder), testbed.Postgres(t))
	if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Slug != "moved_away" || !strings.Contains(refused.Message.String(), to) {
		t.Errorf("to move it to another database ends with %v", err)
	}
}

// A move that breaks off between the two last things that it writes goes on.
func TestASourceThatIsMarkedBeforeTheEndIsMovedToItsEnd(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	if err := m.MarkSource(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = m.Close()
	finish(t, begin(t, folder, url))
	movetest.Compare(t, folder, url)
	if there := ask[int](t, url, "SELECT count(*) FROM facts WHERE name = 'moved'"); there != 0 {
		t.Error("the target is marked as moved away")
	}
}

// A copy from before the end of the move may have been served since: what it has taken is not in the target.
func TestACopyFromBeforeTheEndOfTheMoveDoesNotPassForTheSource(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	_ = m.Close()
	served := t.TempDir()
	database, err := os.ReadFile(movetest.Database(folder)) // all of it: nobody has it open
	if err == nil {
		err = os.WriteFile(movetest.Database(served), database, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	finish(t, begin(t, folder, url))
	movetest.Fill(t, served, movetest.Folder{People: 1, Items: 2})
	_, err = sqlmove.Open(t.Context(), movetest.Database(served), url)
	if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Slug != "moved_copy" || !strings.Contains(refused.Message.String(), movetest.Database(served)) {
		t.Errorf("it ends with %v", err)
	}
	if to := movedTo(t, served); to != "" {
		t.Errorf("it was moved to %q", to)
	}
	url = testbed.Postgres(t)
	finish(t, begin(t, served, url))
	movetest.Compare(t, served, url)
}

func TestWhatWasUndoneCanBeMovedAgainToAnEmptyDatabaseOnly(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	mark := m.BlobsMark()
	undo := func(giveBack error) (string, error) {
		return sqlmove.Undo(t.Context(), movetest.Database(folder), func(drawn, _ []byte) error {
			if !slices.Equal(drawn, mark) {
				t.Errorf("the mark of the blobs is %x and was %x", drawn, mark)
			}
			return giveBack
		})
	}
	if to, err := undo(errors.New("not called")); to != "" || err != nil {
		t.Errorf("what was not moved was moved to %q: %v", to, err)
	}
	finish(t, m)
	_ = m.Close()
	was := movedTo(t, folder)
	if _, err := undo(errors.New("disk full")); err == nil || movedTo(t, folder) != was {
		t.Errorf("it is undone although the blobs were not given back: %v", err)
	}
	if to, err := undo(nil); to != was || err != nil || movedTo(t, folder) != "" {
		t.Errorf("it was moved to %q, and is moved to %q: %v", to, movedTo(t, folder), err)
	}
	// It may be written to from now on: its old target is no target that it was moved to.
	_, err := sqlmove.Open(t.Context(), movetest.Database(folder), url)
	if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Slug != "target_full" {
		t.Errorf("to move it to where it was moved ends with %v", err)
	}
	url = testbed.Postgres(t)
	finish(t, begin(t, folder, url))
	movetest.Compare(t, folder, url)
}

func TestAFinishedMoveTellsWhatItDidWithTheBlobs(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	if err := m.Copy(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if err := m.Finish(t.Context(), sqlmove.Blobs{Lost: 3}); err != nil {
		t.Fatal(err)
	}
	_ = m.Close()
	m = open(t, folder, url)
	if done := m.Done(); done != (sqlmove.Blobs{Lost: 3}) {
		t.Errorf("at its end it did %+v", done)
	}
	brought := sqlmove.Blobs{Place: "s3://a/"}
	if err := m.Brought(t.Context(), brought); err != nil || m.Done() != brought {
		t.Errorf("it did %+v: %v", m.Done(), err)
	}
	if done := open(t, folder, url).Done(); done != brought {
		t.Errorf("after blobs were brought it did %+v", done)
	}
}

// The target may be served before its blobs are brought: which there are, and whose, its rows tell.
func TestTheBlobsOfAFinishedMoveAreThoseOfTheTarget(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	finish(t, begin(t, folder, url))
	const since = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	gone := ask[string](t, url, "SELECT max(name) FROM blobs")
	do(t, url, "DELETE FROM blobs WHERE name = '"+gone+"'", "INSERT INTO blobs VALUES ('"+since+"', 7)")
	m := open(t, folder, url)
	var names []string
	for name, err := range m.BlobNames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if len(names) != 5 || !slices.Contains(names, since) || slices.Contains(names, gone) || !slices.IsSorted(names) {
		t.Errorf("the blobs are %q", names)
	}
	if there, err := m.NamesBlob(t.Context(), gone); there || err != nil {
		t.Errorf("one that is gone is known: %v", err)
	}
	if user, version, err := m.VersionOf(t.Context(), since); user != 7 || version != 0 || err != nil {
		t.Errorf("it is version %d of the user %d: %v", version, user, err)
	}
}

// holding is the advisory lock that a test has whoever writes a certain fact wait for.
const holding = "4711"

// held has what writes a fact of a name wait before it is committed, until release is called.
func held(t *testing.T, url, name string) (release func()) {
	t.Helper()
	do(t, url, "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock("+holding+"); RETURN NULL; END'",
		"CREATE TRIGGER held AFTER INSERT ON facts FOR EACH ROW WHEN (NEW.name = '"+name+"') EXECUTE FUNCTION hold()")
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_, err = conn.Exec(t.Context(), "SELECT pg_advisory_lock("+holding+")")
	}
	if err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = conn.Close(context.Background()) })
	t.Cleanup(release)
	return release
}

// awaitHeld waits until so many wait for a lock.
func awaitHeld(t *testing.T, url string, many int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ask[int](t, url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == many {
			return
		}
	}
	t.Fatalf("not %d are held", many)
}

// Neither sees what the other writes before that is committed; and yet only one of them is to go on.
func TestOfAServerThatStartsAndAMoveThatBeginsAtOnceTheFirstGoesOn(t *testing.T) {
	t.Parallel()
	for first, fact := range map[string]string{"the server": "root key", "the move": "move"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			folder, url := small(t), testbed.Postgres(t)
			store, err := sqlstore.OpenPostgres(t.Context(), url, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			m := open(t, folder, url)
			release := held(t, url, fact)
			acts := map[string]func() error{
				"the server": func() error {
					_, err := store.RememberRootKey(t.Context(), []byte("mark"))
					return err
				},
				"the move": func() error { return m.Begin(t.Context(), "") },
			}
			begins := func(who string) <-chan error {
				ended := make(chan error, 1)
				go func() { ended <- acts[who]() }()
				return ended
			}
			went := begins(first)
			awaitHeld(t, url, 1)
			second := map[string]string{"the server": "the move", "the move": "the server"}[first]
			follows := begins(second)
			awaitHeld(t, url, 2)
			release()
			refused, ok := errors.AsType[*fault.Error](<-follows)
			if !ok || (refused.Slug != "target_full" && refused != sqlstore.ErrMoving) {
				t.Errorf("%s, which comes second, ends with %v", second, refused)
			}
			if err := <-went; err != nil {
				t.Errorf("%s, which comes first, ends with %v", first, err)
			}
			if moving(t, url) != (first == "the move") {
				t.Errorf("a move is under way: %v", moving(t, url))
			}
		})
	}
}

// The source was never served: it brings no mark of a root key.
func TestAServerDoesNotStartForTheFirstTimeWhileAMoveIsUnderWay(t *testing.T) {
	t.Parallel()
	folder, url := small(t), testbed.Postgres(t)
	m := begin(t, folder, url)
	store, err := sqlstore.OpenPostgres(t.Context(), url, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if stored, err := store.RememberRootKey(t.Context(), []byte("mark")); !errors.Is(err, sqlstore.ErrMoving) || stored != nil {
		t.Errorf("it remembers %q: %v", stored, err)
	}
	finish(t, m)
	if stored, err := store.RememberRootKey(t.Context(), []byte("mark")); string(stored) != "mark" || err != nil {
		t.Errorf("at the end it remembers %q: %v", stored, err)
	}
}
