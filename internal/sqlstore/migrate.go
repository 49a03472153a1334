package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

// ErrNewer says that a database was made by a version of Caesar that is newer than this one.
var ErrNewer = errors.New("the database was made by a newer version of caesar; run that version, or restore a copy from before the upgrade")

// migrations are an engine's steps, forward only: the file 0001_x.sql leads from version 0 to 1.
type migrations []string

func loadMigrations(steps fs.FS, engine string) (migrations, error) {
	dir := "migrations/" + engine
	files, err := fs.ReadDir(steps, dir)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var m migrations
	for i, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fmt.Errorf("migration %s is not number %d", f.Name(), i+1)
		}
		text, err := fs.ReadFile(steps, dir+"/"+f.Name())
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		m = append(m, string(text))
	}
	return m, nil
}

func (m migrations) newest() int { return len(m) }

// schema is a database's tables, as migrations meet them: within a transaction that keeps all others away.
type schema interface {
	// run runs one statement or more.
	run(ctx context.Context, script string) error
	// number returns the number that a query answers.
	number(ctx context.Context, query string) (int, error)
}

// version returns the version of the tables; 0 where there are none.
func (m migrations) version(ctx context.Context, tables schema) (int, error) {
	const makeTable = "CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL PRIMARY KEY)"
	if err := tables.run(ctx, makeTable); err != nil {
		return 0, fmt.Errorf("make table of migrations: %w", err)
	}
	version, err := tables.number(ctx, "SELECT coalesce(max(version), 0) FROM migrations")
	if err != nil {
		return 0, fmt.Errorf("read version of the tables: %w", err)
	}
	if version > m.newest() {
		return version, fmt.Errorf("%w (tables of version %d, this caesar knows %d)", ErrNewer, version, m.newest())
	}
	return version, nil
}

// apply takes the steps that are missing, within the transaction that is open.
func (m migrations) apply(ctx context.Context, tables schema, from int) error {
	for version := from + 1; version <= m.newest(); version++ {
		if err := tables.run(ctx, m[version-1]); err != nil {
			return fmt.Errorf("migrate tables to version %d: %w", version, err)
		}
		if err := tables.run(ctx, fmt.Sprintf("INSERT INTO migrations (version) VALUES (%d)", version)); err != nil {
			return fmt.Errorf("note version %d of the tables: %w", version, err)
		}
	}
	return nil
}
