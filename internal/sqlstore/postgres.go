package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"caesar/internal/fault"
)

const (
	// patience is how long a statement, and each wait for one, may take in all: who waits longer is told to
	// come again. A database that is there answers in milliseconds.
	patience = 10 * time.Second
	// connectWithin is how long the making of a connection may take.
	connectWithin = 5 * time.Second
	// forsakenAfter is when the database ends a transaction whose replica has fallen silent, and with it
	// the locks that others wait for.
	forsakenAfter = 30 * time.Second
	// mostTries is how often a transaction is begun that others made impossible, and mostLost how many of
	// those may have lost their connection.
	mostTries = 20
	mostLost  = 3
)

// postgresWords are those of PostgreSQL. NO KEY: whoever reads that a user is there waits for nobody.
var postgresWords = &words{
	position:   "strpos",
	number:     "::bigint",
	nextID:     "SELECT nextval(($1::text || '_id')::regclass)",
	forUpdate:  " FOR UPDATE",
	forShare:   " FOR KEY SHARE",
	skipLocked: " FOR UPDATE SKIP LOCKED",
	lockUser:   "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE",
	lockBucket: "INSERT INTO throttles (key, until_ns) VALUES ($1, 0) ON CONFLICT (key) DO UPDATE SET until_ns = throttles.until_ns",
}

// ErrDatabaseURL says that a URL names no PostgreSQL database. The URL holds a password, and what is said
// of one that can't be read might repeat it.
var ErrDatabaseURL = errors.New("this is no URL of a PostgreSQL database, such as postgres://user:password@host:5432/database?sslmode=verify-full (with %40 for @, %2F for / and %25 for % in the password)")

// OpenPostgres opens a PostgreSQL database (15 or later) by its URL (libpq's connection URI) with so many
// connections at most, and brings it to this version's tables; of many who do so at once, one does it and
// the others wait. It refuses a database of a newer version.
func OpenPostgres(ctx context.Context, url string, connections int) (*Store, error) {
	return openPostgres(ctx, url, postgresTerms{connections: connections, steps: migrationFiles, patience: patience})
}

// postgresTerms are those on which a database is opened.
type postgresTerms struct {
	connections int // at most
	steps       fs.FS
	tracer      pgx.QueryTracer // nil for none
	patience    time.Duration
}

func openPostgres(ctx context.Context, url string, terms postgresTerms) (*Store, error) {
	m, err := loadMigrations(terms.steps, "postgres")
	if err != nil {
		return nil, err
	}
	config, err := parsePostgres(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.ConnectTimeout = min(connectWithin, terms.patience)
	config.ConnConfig.Tracer = terms.tracer
	setDefault(config.ConnConfig.RuntimeParams, "application_name", "caesar")
	config.ConnConfig.RuntimeParams["default_transaction_isolation"] = "read committed" // what the locks are made for
	if err := migratePostgres(ctx, config.ConnConfig.Copy(), m); err != nil {
		return nil, err
	}
	// The database gives up before we do, so that it is the one who knows how it ended.
	setDefault(config.ConnConfig.RuntimeParams, "statement_timeout", milliseconds(terms.patience*9/10))
	setDefault(config.ConnConfig.RuntimeParams, "idle_in_transaction_session_timeout", milliseconds(forsakenAfter))
	config.MaxConns = int32(terms.connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &Store{querier: querier{pooled{pool, terms.patience}, postgresWords}, engine: &postgres{pool, terms.patience}}, nil
}

// parsePostgres reads a URL, which may hold a password that was not escaped: of one with an @ or a / in it
// the rest would be taken for the name of a host or a database, which errors repeat. An @ that is not the
// only one, or stands behind a /, tells.
func parsePostgres(url string) (*pgxpool.Config, error) {
	scheme, rest, found := strings.Cut(url, "://")
	authority, behind, _ := strings.Cut(rest, "/")
	if !found || (scheme != "postgres" && scheme != "postgresql") ||
		strings.Count(authority, "@") > 1 || strings.Contains(behind, "@") || strings.Contains(url, " ") {
		return nil, ErrDatabaseURL
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, ErrDatabaseURL
	}
	return config, nil
}

func setDefault(parameters map[string]string, name, value string) {
	if _, set := parameters[name]; !set {
		parameters[name] = value
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// migrationLock is the advisory lock under which tables are brought up to date: "caesar" in letters.
const migrationLock = 0x636165736172

// migratePostgres brings the tables up to date, on a connection that may take its time.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig, m migrations) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("reach database: %w", explain(err))
	}
	defer func() { _ = conn.Close(ctx) }()
	err = pgx.BeginFunc(ctx, conn, func(t pgx.Tx) error {
		if _, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return fmt.Errorf("lock database: %w", err)
		}
		tables := postgresTables{t}
		from, err := m.version(ctx, tables)
		if err != nil {
			return err
		}
		return m.apply(ctx, tables, from)
	})
	return explain(err)
}

// postgresTables is a schema.
type postgresTables struct{ tx pgx.Tx }

func (p postgresTables) run(ctx context.Context, script string) error {
	_, err := p.tx.Exec(ctx, script)
	return err
}

func (p postgresTables) number(ctx context.Context, query string) (n int, err error) {
	err = p.tx.QueryRow(ctx, query).Scan(&n)
	return n, err
}

// postgres is a PostgreSQL database. Its transactions run side by side, each statement seeing all that was
// committed before it (READ COMMITTED); what a decision rests on is locked by the store's methods.
type postgres struct {
	pool     *pgxpool.Pool
	patience time.Duration
}

// write implements engine. A transaction that the database gave up for the sake of another is begun again,
// and so is one whose connection broke before it was to be committed: neither left anything. Where the
// connection breaks while it commits, nobody can tell: the error is fault.ErrUnsettled then.
func (p *postgres) write(ctx context.Context, fn func(*tx) error) error {
	var err error
	lost := 0
	for try := range mostTries {
		if err := ctx.Err(); err != nil {
			return err
		}
		var again bool
		if err, again = p.once(ctx, fn); isLost(err) {
			lost++
			p.pool.Reset() // what broke one connection may have broken all
		}
		if !again || lost == mostLost {
			break
		}
		pause(ctx, try)
	}
	return explain(err)
}

// pause waits a little before a transaction is begun again, longer each time, and each for another time.
func pause(ctx context.Context, try int) {
	longest := time.Millisecond << min(try, 7)
	select {
	case <-time.After(rand.N(longest)): //nolint:gosec // any will do, as long as others get another
	case <-ctx.Done():
	}
}

// once runs a transaction. Again says that it left nothing, and may come to pass when it is run anew.
func (p *postgres) once(ctx context.Context, fn func(*tx) error) (err error, again bool) { //nolint:revive // the flag qualifies the error
	waiting, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	conn, err := p.pool.Acquire(waiting)
	if err != nil {
		return fmt.Errorf("reach database: %w", err), false
	}
	defer conn.Release()
	// Once begun its outcome is awaited, for it may have come to pass.
	t := beginOn(context.WithoutCancel(ctx), conn.Conn(), p.patience)
	if err := guarded(&tx{t, postgresWords}, fn); err != nil {
		t.undo(err)
		return err, isOutrun(err) || isLost(err)
	}
	if err := t.commit(); err != nil {
		t.undo(err)
		if !isSettled(err) {
			err = fmt.Errorf("%w: %w", fault.ErrUnsettled, err)
		}
		return err, isOutrun(err)
	}
	return nil, false
}

// ready implements engine. A database that follows another answers, but takes no writes; the next
// connection may lead to the one that it follows.
func (p *postgres) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return explain(fmt.Errorf("reach database: %w", err))
	}
	defer conn.Release()
	var readOnly string
	err = conn.QueryRow(ctx, "SHOW transaction_read_only").Scan(&readOnly)
	if err == nil && readOnly != "off" {
		_ = conn.Conn().Close(ctx)
		err = errReadOnly
	}
	return explain(err)
}

// forget implements engine: PostgreSQL's own vacuum clears away what was deleted.
func (p *postgres) forget() error { return nil }

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}
