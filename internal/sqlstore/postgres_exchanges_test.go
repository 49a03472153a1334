package sqlstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
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

// exchanges counts how often something is asked of a database and waited for.
type exchanges struct{ atomic.Int64 }

// TraceQueryStart implements pgx.QueryTracer.
func (e *exchanges) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	e.Add(1)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*exchanges) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (e *exchanges) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	e.Add(1)
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (*exchanges) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (*exchanges) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TestWhatPeopleDoTakesFewExchangesWithPostgreSQL holds the number of times that each waits for the
// database, which over a network is most of what it costs.
func TestWhatPeopleDoTakesFewExchangesWithPostgreSQL(t *testing.T) {
	t.Parallel()
	count := &exchanges{}
	store, err := sqlstore.OpenPostgresWith(t.Context(), testbed.Postgres(t), sqlstore.PostgresTerms{Connections: 1, Tracer: count})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	ctx, now := t.Context(), time.Unix(1_800_000_000, 0)
	id := register(t, store, "marcus")
	item, err := store.CreateItem(ctx, id, sealed(id, "github"))
	if err != nil {
		t.Fatal(err)
	}
	open := func() session.Opening {
		return session.Open(id, session.Device{Client: "curl/8", Address: "192.0.2.1"}, session.Long, now)
	}
	o := open()
	if _, err := store.SignIn(ctx, user.SignIn{Opening: o, Credential: 1}); err != nil {
		t.Fatal(err)
	}
	who, err := store.FindSession(ctx, id, o.TokenHash, now)
	if err != nil {
		t.Fatal(err)
	}
	for n := range byte(8) {
		code := user.Code{Slot: []byte{n}, Hash: []byte{n}}
		if _, err := store.RequestCode(ctx, user.CodeRequest{Code: code, UserID: id, Letter: []byte("letter"), Now: now, ExpiresAt: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	key := func(n byte) throttle.Take {
		return throttle.Take{Key: []byte{n}, Burst: 1000, Every: time.Second}
	}
	list := func(platform string) error {
		_, _, err := store.Items(ctx, id, vault.Query{Page: vault.Page{Number: 1, Size: 20}, Platform: platform})
		return err
	}
	for _, c := range []struct {
		what string
		want int64
		do   func() error
	}{
		{"finding a session", 1, func() error {
			_, err := store.FindSession(ctx, id, o.TokenHash, now)
			return err
		}},
		{"a list", 1, func() error { return list("") }},
		{"a search", 1, func() error { return list("hub") }},
		{"a page of the log", 1, func() error {
			_, _, err := store.Log(ctx, id, vault.Page{Number: 1, Size: 20})
			return err
		}},
		{"reading an item", 1, func() error {
			_, err := store.Item(ctx, id, item.ID)
			return err
		}},
		{"logging a view", 2, func() error {
			_, err := store.LogView(ctx, id, item.ID, item.MAC, now)
			return err
		}},
		{"keeping an item", 3, func() error {
			_, err := store.CreateItem(ctx, id, sealed(id, "github"))
			return err
		}},
		{"logging in", 3, func() error {
			_, err := store.SignIn(ctx, user.SignIn{Opening: open(), Credential: 1})
			return err
		}},
		{"asking a throttle of three buckets", 5, func() error {
			_, _, err := store.TakeAll(ctx, throttle.Question{Mark: []byte("mark"), Otherwise: []throttle.Take{key(1), key(2), key(3)}}, now)
			return err
		}},
		{"giving back to three buckets", 4, func() error {
			return store.Refund(ctx, []throttle.Take{key(1), key(2), key(3)}, throttle.Mark{Key: []byte("mark"), Until: now}, now)
		}},
		{"claiming letters", 2, func() error {
			letters, err := store.ClaimMail(ctx, now, 0, 8) // due again at once
			if err == nil && len(letters) != 8 {
				err = fmt.Errorf("%d came", len(letters))
			}
			return err
		}},
		{"storing a version", 5, func() error {
			_, _, err := store.AddVersion(ctx, id, who.SessionID, backup.Retention{Keep: 1, Quota: 100}, sealedVersion(id))
			return err
		}},
	} {
		for range 2 { // the first time statements are prepared, too
			before := count.Load()
			if err := c.do(); err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
			if n := count.Load() - before; n != c.want {
				t.Errorf("%s takes %d exchanges, want %d", c.what, n, c.want)
			}
		}
	}
}
