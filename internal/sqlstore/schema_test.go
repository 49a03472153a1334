package sqlstore_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
)

func TestBothEnginesHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	names := func(engine string) []string {
		files, err := fs.Glob(sqlstore.MigrationFiles, "migrations/"+engine+"/*")
		if err != nil || len(files) == 0 {
			t.Fatalf("no migrations of %s: %v", engine, err)
		}
		for i, file := range files {
			files[i] = path.Base(file)
		}
		return files
	}
	if sqlite, postgres := names("sqlite"), names("postgres"); !slices.Equal(sqlite, postgres) {
		t.Errorf("SQLite has %q, PostgreSQL %q", sqlite, postgres)
	}
}

// column is what both engines know of one.
type column struct {
	name           string
	needed, filled bool // NOT NULL; with a DEFAULT
}

// sqliteColumns are those of SQLite, in the order in which migrations made them. A key that is a row's
// number is needed and filled without a word.
const sqliteColumns = `SELECT t.name, c.name, c."notnull" OR c.pk > 0, c.dflt_value IS NOT NULL OR (c.pk = 1 AND upper(t.sql) LIKE '%AUTOINCREMENT%')
	FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid`

const postgresColumns = `SELECT t.relname, c.attname, c.attnotnull, c.atthasdef
	FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
	WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND c.attnum > 0 AND NOT c.attisdropped ORDER BY t.relname COLLATE "C", c.attnum`

func TestBothEnginesHaveTheSameTables(t *testing.T) {
	t.Parallel()
	read := func(store *sqlstore.Store, query string) map[string][]column {
		columns := map[string][]column{}
		err := store.Rows(query, func(scan func(dest ...any) error) error {
			var table string
			var c column
			err := scan(&table, &c.name, &c.needed, &c.filled)
			columns[table] = append(columns[table], c)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return columns
	}
	sqlite := read(engines["sqlite"](t), sqliteColumns)
	postgres := read(engines["postgres"](t), postgresColumns)
	if tables := slices.Sorted(maps.Keys(sqlite)); len(tables) < 10 || !slices.Equal(tables, slices.Sorted(maps.Keys(postgres))) {
		t.Errorf("SQLite has the tables %q, PostgreSQL %q", tables, slices.Sorted(maps.Keys(postgres)))
	}
	for table, columns := range sqlite {
		if !slices.Equal(columns, postgres[table]) {
			t.Errorf("%s is %v in SQLite, %v in PostgreSQL", table, columns, postgres[table])
		}
	}
}

// personal are the tables of a person's data, each with the column that names the person: with which
// every key and every index of it begins, so that they can be spread over machines by it.
var personal = map[string]string{
	"users":       "id",
	"key_records": "user_id",
	"sessions":    "user_id",
	"items":       "user_id",
	"item_log":    "user_id",
	"versions":    "user_id",
}

// nobodys are the other tables, each with the column that is looked up and so is its key.
var nobodys = map[string]string{
	"handles":        "handle",
	"codes":          "slot",
	"erasures":       "user_id",
	"blobs":          "name",
	"spent_captchas": "serial",
	"throttles":      "key",
	"mail_queue":     "id",
	"facts":          "name",
	"leases":         "name",
	"migrations":     "version",
}

// indexes are those of PostgreSQL, each with its first column.
const indexes = `SELECT t.relname, i.relname, x.indisprimary, coalesce(c.attname, '')
	FROM pg_class t LEFT JOIN pg_index x ON x.indrelid = t.oid LEFT JOIN pg_class i ON i.oid = x.indexrelid
		LEFT JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = x.indkey[0]
	WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace`

// unspreadable returns what keeps the tables of a database from being spread by user.
func unspreadable(t *testing.T, store *sqlstore.Store) (faults []string) {
	t.Helper()
	keyed := map[string]bool{}
	err := store.Rows(indexes, func(scan func(dest ...any) error) error {
		var table string
		var index, first *string
		var primary *bool
		if err := scan(&table, &index, &primary, &first); err != nil {
			return err
		}
		person, ofPerson := personal[table]
		key, ofNobody := nobodys[table]
		switch {
		case !ofPerson && !ofNobody:
			faults = append(faults, table+" is in neither list")
		case index == nil:
			faults = append(faults, table+" has no key")
		case ofPerson && *first != person:
			faults = append(faults, fmt.Sprintf("%s of %s begins with %q", *index, table, *first))
		case ofNobody && *primary && *first != key:
			faults = append(faults, fmt.Sprintf("the key of %s begins with %q", table, *first))
		}
		keyed[table] = keyed[table] || (primary != nil && *primary)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tables := range []map[string]string{personal, nobodys} {
		for table := range tables {
			if !keyed[table] {
				faults = append(faults, table+" has no primary key, or is not there")
			}
		}
	}
	return faults
}

func TestEveryTableOfAPersonsDataCanBeSpreadByPerson(t *testing.T) {
	t.Parallel()
	store := openPostgres(t, testbed.Postgres(t))
	if faults := unspreadable(t, store); len(faults) > 0 {
		t.Errorf("%s", strings.Join(faults, "\n"))
	}
	for table, rule := range ofPersons { // every statement on them names the person
		if column, ok := personal[table]; ok && !strings.Contains(rule.String(), column) {
			t.Errorf("statements on %s are held to %s", table, rule)
		}
	}
}

func TestATableThatCannotBeSpreadIsNoticed(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	for statement, want := range map[string]string{
		"CREATE TABLE notes (user_id BIGINT, id BIGINT, PRIMARY KEY (user_id, id))":                             "notes is in neither list",
		"CREATE TABLE notes (user_id BIGINT)":                                                                   "notes is in neither list",
		"ALTER TABLE items ADD COLUMN tag TEXT; CREATE UNIQUE INDEX by_tag ON items (tag, user_id)":             `by_tag of items begins with "tag"`,
		"CREATE INDEX by_time ON item_log (created_at)":                                                         `by_time of item_log begins with "created_at"`,
		"CREATE UNIQUE INDEX by_email ON users (lower(email))":                                                  `by_email of users begins with ""`,
		"ALTER TABLE versions DROP CONSTRAINT versions_pkey":                                                    "versions has no key",
		"ALTER TABLE sessions DROP CONSTRAINT sessions_pkey, ADD PRIMARY KEY (id)":                              `sessions_pkey of sessions begins with "id"`,
		"ALTER TABLE handles ADD COLUMN n BIGINT, DROP CONSTRAINT handles_pkey, ADD PRIMARY KEY (n)":            `the key of handles begins with "n"`,
		"ALTER TABLE throttles DROP CONSTRAINT throttles_pkey; CREATE UNIQUE INDEX the_only ON throttles (key)": "throttles has no primary key, or is not there",
	} {
		store, err := sqlstore.OpenPostgresWith(t.Context(), schemaOf(t, database), sqlstore.PostgresTerms{Steps: next(t, "postgres", statement)})
		if err != nil {
			t.Fatal(err)
		}
		closed(t, store)
		if faults := unspreadable(t, store); !slices.Contains(faults, want) {
			t.Errorf("%s: %q", statement, faults)
		}
	}
}
