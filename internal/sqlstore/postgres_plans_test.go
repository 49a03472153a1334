package sqlstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"caesar/internal/backup"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// crowded fills tables with what others have: 1,000 people, 100 of them with 1,000 items each, and
// 10,000 rows or more of each table that is nobody's.
const crowded = `
	INSERT INTO users (id, status, name, real_name, email, phone, name_handle, email_handle, sealed_password, language, item_count, created_at, updated_at)
		SELECT -n, 'active', 'n' || n, 'r', 'e', 'p', 'n' || n, 'n' || n || '@example.org', 'sealed', 1, 1000, 1, 1 FROM generate_series(1, 1000) n;
	INSERT INTO handles SELECT name_handle, id FROM users WHERE id < 0 UNION ALL SELECT email_handle, id FROM users WHERE id < 0;
	INSERT INTO items (user_id, item_key, name, email, password, sealed_platform, sealed_url, platform, platform_folded, url, created_at, updated_at, mac)
		SELECT -u, repeat('k', 200), repeat('n', 100), repeat('e', 100), repeat('p', 100), repeat('p', 100), repeat('u', 100), 'GitHub ' || n, 'github ' || n, 'u', n, n, 'mac'
		FROM generate_series(1, 100) u, generate_series(1, 1000) n;
	INSERT INTO item_log (user_id, item_id, action, created_at) SELECT user_id, id, 1 + id % 3, created_at FROM items;
	INSERT INTO sessions (user_id, token_hash, client, address, created_at, last_used_at, expires_at)
		SELECT -u, decode(md5((u * 100 + n)::text), 'hex'), 'c', 'a', 1, 1, 1 << 30 FROM generate_series(1, 1000) u, generate_series(1, 10) n;
	INSERT INTO key_records SELECT id, 1, 1, 3, 64, 1, 's', 'k', 'v', 'p', 'w', 'i', 'm' FROM users WHERE id < 0;
	INSERT INTO versions (user_id, name, size, sha256, blob, header_size, header_hash, created_at, mac)
		SELECT -u, 'n', 1, 'h', 'blob ' || u || ' ' || n, 1, 'h', 1, 'm' FROM generate_series(1, 1000) u, generate_series(1, 10) n;
	INSERT INTO blobs SELECT blob, user_id FROM versions;
	INSERT INTO codes SELECT decode(md5(n::text), 'hex'), 0, 'h', 0, 1, 1 << 30 FROM generate_series(1, 10000) n;
	INSERT INTO throttles SELECT decode(md5(n::text), 'hex'), 1::bigint << 62 FROM generate_series(1, 10000) n;
	INSERT INTO spent_captchas SELECT decode(md5(n::text), 'hex'), 1 << 30 FROM generate_series(1, 10000) n;
	INSERT INTO mail_queue (sealed, created_at_ms, due_at_ms) SELECT repeat('x', 2000)::bytea, n, 1::bigint << 60 FROM generate_series(1, 10000) n;
	INSERT INTO erasures SELECT -n, 1 << 30 FROM generate_series(10000, 20000) n;
	ANALYZE`

// mine gives a user 1,000 items with their log.
const mine = `
	INSERT INTO items (user_id, item_key, name, email, password, sealed_platform, sealed_url, platform, platform_folded, url, created_at, updated_at, mac)
		SELECT $1, repeat('k', 200), repeat('n', 100), repeat('e', 100), repeat('p', 100), repeat('p', 100), repeat('u', 100), 'GitHub ' || n, 'github ' || n, 'u', n, n, 'mac'
		FROM generate_series(1, 1000) n`

// heard are the statements that a database was told, with their arguments.
type heard struct {
	mu         sync.Mutex
	statements []pgx.TraceQueryStartData
}

func (h *heard) add(s pgx.TraceQueryStartData) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statements = append(h.statements, s)
}

// TraceQueryStart implements pgx.QueryTracer.
func (h *heard) TraceQueryStart(ctx context.Context, _ *pgx.Conn, s pgx.TraceQueryStartData) context.Context {
	h.add(s)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*heard) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (*heard) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (h *heard) TraceBatchQuery(_ context.Context, _ *pgx.Conn, s pgx.TraceBatchQueryData) {
	h.add(pgx.TraceQueryStartData{SQL: s.SQL, Args: s.Args})
}

// TraceBatchEnd implements pgx.BatchTracer.
func (*heard) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// planned is a node of a plan, as EXPLAIN tells it.
type planned struct {
	Type      string    `json:"Node Type"`
	Relation  string    `json:"Relation Name"`
	Index     string    `json:"Index Name"`
	Condition string    `json:"Index Cond"`
	Recheck   string    `json:"Recheck Cond"`
	Plans     []planned `json:"Plans"`
}

// widely returns what a plan reads of a table without an index, or by one on something other than whose it is.
func (p planned) widely() (faults []string) {
	column, ofPerson := personal[p.Relation]
	switch condition := p.Condition + p.Recheck; {
	case p.Relation == "" || p.Type == "ModifyTable":
	case p.Type == "Seq Scan":
		faults = append(faults, "all of "+p.Relation)
	case ofPerson && !strings.Contains(condition, "("+column+" = "):
		faults = append(faults, fmt.Sprintf("%s by %s %s", p.Relation, p.Index, condition))
	}
	for _, inner := range p.Plans {
		faults = append(faults, inner.widely()...)
	}
	return faults
}

// literal writes an argument as it stands in a statement.
func literal(t *testing.T, arg any) string {
	t.Helper()
	switch v := arg.(type) {
	case nil:
		return "NULL"
	case []byte:
		if v == nil {
			return "NULL"
		}
		return fmt.Sprintf(`'\x%x'`, v)
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case int, int64:
		return fmt.Sprint(v)
	}
	t.Fatalf("there is no literal of %T", arg)
	return ""
}

// planOf returns how a database would carry out a statement.
func planOf(t *testing.T, conn *pgx.Conn, s pgx.TraceQueryStartData) planned {
	t.Helper()
	args := ""
	for i, arg := range s.Args {
		args += []string{"(", ", "}[min(i, 1)] + literal(t, arg)
	}
	if args != "" {
		args += ")"
	}
	for _, statement := range []string{"DEALLOCATE ALL", "PREPARE planned AS " + s.SQL} {
		if _, err := conn.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", s.SQL, err)
		}
	}
	var text string
	err := conn.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) EXECUTE planned"+args, pgx.QueryExecModeSimpleProtocol).Scan(&text)
	var plans []struct{ Plan planned }
	if err := errors.Join(err, json.Unmarshal([]byte(text), &plans)); err != nil || len(plans) != 1 {
		t.Fatalf("%s: %v", s.SQL, err)
	}
	return plans[0].Plan
}

func TestWhatIsAPersonsIsFoundByThePersonAlone(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	said := &heard{}
	store, err := sqlstore.OpenPostgresWith(t.Context(), database, sqlstore.PostgresTerms{Tracer: said})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	id := register(t, store, "marcus")
	conn := connected(t, database)
	defer func() { _ = conn.Close(context.Background()) }()
	_, mineFailed := conn.Exec(t.Context(), mine, id)
	_, crowdFailed := conn.Exec(t.Context(), crowded)
	if err := errors.Join(mineFailed, crowdFailed); err != nil {
		t.Fatal(err)
	}
	said.statements = nil
	everyday(t, store, id)

	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		if _, err := conn.Exec(t.Context(), "SET plan_cache_mode = "+mode); err != nil {
			t.Fatal(err)
		}
		for _, stray := range []string{"SELECT id FROM items WHERE url = 'u'", "SELECT id FROM item_log WHERE item_id = 1", "SELECT user_id FROM users, sessions"} {
			if len(planOf(t, conn, pgx.TraceQueryStartData{SQL: stray}).widely()) == 0 {
				t.Errorf("it is not noticed what %s reads", stray)
			}
		}
		seen := map[string]bool{}
		for _, s := range said.statements {
			if seen[s.SQL] || !verbs.MatchString(s.SQL) {
				continue
			}
			seen[s.SQL] = true
			if faults := planOf(t, conn, s).widely(); len(faults) > 0 {
				t.Errorf("with %s, %s\nreads %q", mode, normal(s.SQL), faults)
			}
		}
		if len(seen) < 40 {
			t.Errorf("only %d statements were looked at", len(seen))
		}
	}
}

// everyday does what people do all day, once.
func everyday(t *testing.T, store *sqlstore.Store, id int64) {
	t.Helper()
	ctx, now := t.Context(), time.Unix(1_800_000_000, 0)
	var failed []error
	note := func(err error) { failed = append(failed, err) }
	o := session.Open(id, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, now)
	_, err := store.SignIn(ctx, user.SignIn{Opening: o, Credential: 1})
	note(err)
	who, err := store.FindSession(ctx, id, o.TokenHash, now)
	note(err)
	note(store.TouchSession(ctx, id, who.SessionID, now))
	_, err = store.Sessions(ctx, id, now)
	note(err)
	_, err = store.UserByHandle(ctx, "marcus@example.org")
	note(err)
	_, err = store.UserByID(ctx, id)
	note(err)
	_, err = store.KeyRecord(ctx, id)
	note(err)
	for _, q := range []vault.Query{
		{}, {Platform: "hub 99"}, {Platform: "nowhere"}, {From: now}, {Platform: "git", From: time.Unix(1, 0), Until: now},
	} {
		for _, number := range []int64{1, 30} {
			q.Page = vault.Page{Number: number, Size: 20}
			_, _, err := store.Items(ctx, id, q)
			note(err)
		}
	}
	item, err := store.CreateItem(ctx, id, sealed(id, "GitHub"))
	note(err)
	_, err = store.Item(ctx, id, item.ID)
	note(err)
	_, err = store.LogView(ctx, id, item.ID, item.MAC, now)
	note(err)
	note(store.LogWrongMainPassword(ctx, id, item.ID, now))
	_, err = store.ReplaceItem(ctx, item, item.MAC)
	note(err)
	for _, number := range []int64{1, 30} {
		_, _, err = store.Log(ctx, id, vault.Page{Number: number, Size: 20})
		note(err)
		_, _, err = store.ItemLog(ctx, id, item.ID, vault.Page{Number: number, Size: 20})
		note(err)
	}
	_, err = store.DeleteItem(ctx, id, item.ID, now)
	note(err)
	version, _, err := store.AddVersion(ctx, id, who.SessionID, backup.Retention{Keep: 10, Quota: 1 << 40}, sealedVersion(id))
	note(err)
	_, err = store.Version(ctx, id, 0)
	note(err)
	_, err = store.Version(ctx, id, version.ID)
	note(err)
	_, err = store.Versions(ctx, id)
	note(err)
	_, err = store.NamesBlob(ctx, version.Blob)
	note(err)
	_, err = store.DeleteVersion(ctx, id, version.ID)
	note(err)
	take := throttle.Take{Key: []byte("key"), Burst: 3, Every: time.Minute}
	_, _, err = store.TakeAll(ctx, throttle.Question{Mark: []byte("mark"), IfMarked: []throttle.Take{take}, Otherwise: []throttle.Take{take}}, now)
	note(err)
	note(store.Refund(ctx, []throttle.Take{take}, throttle.Mark{Key: []byte("mark"), Until: now}, now))
	c := user.Code{Slot: []byte("slot"), Hash: []byte("hash")}
	_, err = store.RequestCode(ctx, user.CodeRequest{Code: c, UserID: id, Letter: []byte("letter"), Now: now, ExpiresAt: now.Add(time.Minute)})
	note(err)
	_, err = store.ResetPassword(ctx, c, id, 0, []byte("new"), []byte("letter"), now)
	note(err)
	letters, err := store.ClaimMail(ctx, now, time.Minute, 10)
	note(err)
	for _, letter := range letters {
		note(store.MailSent(ctx, letter.ID))
	}
	_, _, err = store.NextMail(ctx)
	note(err)
	_, err = store.DueErasures(ctx, now, 10)
	note(err)
	_, err = store.Erase(ctx, id, true, []byte("erased"), now)
	note(err)
	_, err = store.EraseVersions(ctx, id, 100)
	note(err)
	for more := true; more; {
		more, err = store.EraseRemains(ctx, id, 500)
		note(err)
	}
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
}
