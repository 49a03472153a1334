package sqlstore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
)

// deedsOf are one of each kind that a store does: a read, a write, and the question whether it is ready.
func deedsOf(store *sqlstore.Store, userID int64) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"a read": func(ctx context.Context) error {
			_, err := store.UserByID(ctx, userID)
			return err
		},
		"a write": func(ctx context.Context) error {
			_, err := store.CreateItem(ctx, userID, sealed(userID, "github"))
			return err
		},
		"ready": store.Ready,
	}
}

// soon is within what one is told who need not wait for the patience to run out, on a busy machine.
const soon = 2 * time.Second

// away holds that whatever is asked of a store is answered within a time with 503 and when to come again.
func away(t *testing.T, deeds map[string]func(context.Context) error, within time.Duration) {
	t.Helper()
	for what, do := range deeds {
		begun := time.Now()
		err := do(t.Context())
		if took := time.Since(begun); !unavailable(err) || took > within {
			t.Errorf("%s is answered after %v with %v", what, took, err)
		}
	}
}

// back waits until all is answered again.
func back(t *testing.T, deeds map[string]func(context.Context) error) {
	t.Helper()
	for what, do := range deeds {
		waitUntil(t, func() bool {
			err := do(t.Context())
			if err != nil && !unavailable(err) {
				t.Fatalf("%s: %v", what, err)
			}
			return err == nil
		})
	}
}

func TestAPostgreSQLThatIsRestartedIsMissedForAMoment(t *testing.T) {
	t.Parallel()
	server := testbed.StartPostgres(t)
	store := openPostgres(t, server.URL())
	id := register(t, store, "marcus")
	deeds := deedsOf(store, id)
	items := 0
	for what, end := range map[string]func() error{"stopped": server.Stop, "killed": server.Kill} {
		back(t, deeds)
		items++
		if err := end(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // first over the connections that broke
			away(t, deeds, soon)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		back(t, deeds)
		items++
		if t.Failed() {
			t.Fatalf("when it was %s", what)
		}
	}
	if n := asked[int](t, server.URL(), "SELECT count(*) FROM items"); n != items {
		t.Errorf("%d items are there, %d were answered", n, items)
	}
}

// TestWhatWasAnsweredBeforeAPostgreSQLWasKilledIsThere also holds that what was not answered is there
// once or never.
func TestWhatWasAnsweredBeforeAPostgreSQLWasKilledIsThere(t *testing.T) {
	t.Parallel()
	server := testbed.StartPostgres(t)
	store := openPostgres(t, server.URL())
	id := register(t, store, "marcus")
	var mu sync.Mutex
	answered, failed := map[int64]bool{}, 0
	var writing sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		writing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				item, err := store.CreateItem(context.Background(), id, sealed(id, "github"))
				mu.Lock()
				switch {
				case err == nil:
					answered[item.ID] = true
				case unavailable(err):
					failed++
				default:
					t.Errorf("a write is answered with %v", err)
				}
				mu.Unlock()
			}
		})
	}
	many := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(answered) >= n
		}
	}
	for round := 1; round <= 2; round++ {
		waitUntil(t, many(100*round))
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	so := len(answered)
	mu.Unlock()
	waitUntil(t, many(so+1))
	close(stop)
	writing.Wait()
	for item := range answered {
		if _, err := store.Item(t.Context(), id, item); err != nil {
			t.Errorf("item %d was answered, and is lost: %v", item, err)
		}
	}
	if n := asked[int](t, server.URL(), "SELECT count(*) FROM items"); n < len(answered) || n > len(answered)+failed {
		t.Errorf("%d items are there of %d that were answered and %d that were not", n, len(answered), failed)
	}
	inOrder(t, store.Row)
}

func TestAPostgreSQLThatDoesNotAnswerIsWaitedForSoLongAndHeals(t *testing.T) {
	t.Parallel()
	p, url := between(t, testbed.Postgres(t))
	const patience = 500 * time.Millisecond
	store, err := sqlstore.OpenPostgresWith(t.Context(), url, sqlstore.PostgresTerms{Connections: 3, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	id := register(t, store, "marcus")
	deeds := deedsOf(store, id)
	back(t, deeds)
	p.freeze()
	for range 2 { // first over the connections that are there, then over new ones
		away(t, deeds, 2*patience+soon)
	}
	p.thaw()
	back(t, deeds)
	inOrder(t, store.Row)
}

// TestAPostgreSQLThatFallsSilentInATransactionIsGivenUp freezes at each of its statements.
func TestAPostgreSQLThatFallsSilentInATransactionIsGivenUp(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	p, url := between(t, database)
	store, err := sqlstore.OpenPostgresWith(t.Context(), url, sqlstore.PostgresTerms{Connections: 3, Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	for at := range 3 {
		runs, statement := 0, 0
		frozenAt := func(n int) {
			if n == at {
				p.freeze()
			}
		}
		begun := time.Now()
		err := store.Write(t.Context(), func(tx *sqlstore.Tx) error {
			runs++
			for statement = range 2 {
				frozenAt(statement)
				if _, err := tx.Exec("INSERT INTO facts (name, value) VALUES ($1, $2)", time.Now().String(), []byte("0")); err != nil {
					return err
				}
			}
			frozenAt(2)
			return nil
		})
		if took := time.Since(begun); runs != 1 || !unavailable(err) || took > 4*time.Second {
			t.Errorf("frozen at statement %d, of which %d were said, it ran %d times and is answered after %v with %v", at, statement+1, runs, took, err)
		}
		p.thaw()
		back(t, map[string]func(context.Context) error{"ready": store.Ready})
	}
	// The last one was asked to commit, and is there or not; of the others there is nothing.
	if n := asked[int](t, database, "SELECT count(*) FROM facts"); n != 0 && n != 2 {
		t.Errorf("%d rows of three transactions of two are there", n)
	}
}

func TestAPostgreSQLThatTakesNoWritesIsNotReadyAndHeals(t *testing.T) {
	t.Parallel()
	store, url := marked(t)
	id := register(t, store, "marcus")
	deeds := deedsOf(store, id)
	back(t, deeds)
	readOnly := func(value string) {
		t.Helper()
		conn := connected(t, url)
		// What is open already goes on as it was begun, so it is ended, as a server that begins to follow another does.
		for _, statement := range []string{
			"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = " + value + "', current_database()); END $$",
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND '" + value + "' = 'on'",
		} {
			if _, err := conn.Exec(t.Context(), "BEGIN READ WRITE; "+statement+"; COMMIT"); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	readOnly("on")
	for range 2 {
		if err := deeds["a read"](t.Context()); err != nil {
			t.Errorf("a read: %v", err)
		}
		away(t, map[string]func(context.Context) error{"a write": deeds["a write"], "ready": deeds["ready"]}, soon)
	}
	readOnly("off")
	for what, do := range deeds { // at once, though connections are there that were opened before
		if err := do(t.Context()); err != nil {
			t.Errorf("afterwards %s is answered with %v", what, err)
		}
	}
}

// holding keeps connections in transactions until they are let go.
func holding(t *testing.T, store *sqlstore.Store, connections int) (release func()) {
	t.Helper()
	held, free := make(chan struct{}, connections), make(chan struct{})
	var holders sync.WaitGroup
	for range connections {
		holders.Go(func() {
			err := store.Write(context.Background(), func(tx *sqlstore.Tx) error {
				var one int
				err := tx.Row("SELECT 1", nil, &one)
				held <- struct{}{}
				<-free
				return err
			})
			if err != nil {
				t.Errorf("one who holds a connection is told %v", err)
			}
		})
	}
	for range connections {
		<-held
	}
	return func() {
		close(free)
		holders.Wait()
	}
}

func TestWhoWaitsForAConnectionIsServedInTurnOrToldToComeAgain(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	const patience = 500 * time.Millisecond
	hasty, err := sqlstore.OpenPostgresWith(t.Context(), database, sqlstore.PostgresTerms{Connections: 2, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, hasty)
	id := register(t, hasty, "marcus")
	release := holding(t, hasty, 2)
	deeds := deedsOf(hasty, id)
	away(t, deeds, patience+soon)
	waiting, stop := context.WithCancel(t.Context())
	stop()
	if err := deeds["a write"](waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("one who does not wait any more is told %v", err)
	}
	release()

	patient, err := sqlstore.OpenPostgresWith(t.Context(), database, sqlstore.PostgresTerms{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, patient)
	release = holding(t, patient, 2)
	var waiters sync.WaitGroup
	for range 4 {
		for what, do := range deedsOf(patient, id) {
			waiters.Go(func() {
				if err := do(context.Background()); err != nil {
					t.Errorf("%s waited and is told %v", what, err)
				}
			})
		}
	}
	time.Sleep(50 * time.Millisecond) // so that they wait: whether they do can't be asked
	release()
	waiters.Wait()
}
