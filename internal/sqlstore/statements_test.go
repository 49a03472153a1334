package sqlstore_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// ofPersons are the tables of a person's data, each with the conditions that keep a statement to one user.
var ofPersons = map[string]*regexp.Regexp{
	"users":       regexp.MustCompile(`\b(u\.)?id = (\$\d|[hs]\.user_id)`),
	"handles":     regexp.MustCompile(`\bhandle = \$\d`),
	"key_records": regexp.MustCompile(`\buser_id = \$\d`),
	"sessions":    regexp.MustCompile(`\buser_id = \$\d`),
	"items":       regexp.MustCompile(`\buser_id = \$\d`),
	"item_log":    regexp.MustCompile(`\buser_id = \$\d`),
	"erasures":    regexp.MustCompile(`\buser_id = \$\d`),
	"versions":    regexp.MustCompile(`\buser_id = \$\d`),
	"codes":       regexp.MustCompile(`\bslot = \$\d`),
	"blobs":       regexp.MustCompile(`\bname = \$\d`),
}

// ofAll are the statements that look at all users, each for a reason of its own.
var ofAll = map[string]string{
	"SELECT user_id FROM erasures WHERE due_at <= $1 ORDER BY due_at LIMIT $2":                  "the sweep asks whose time has come",
	"DELETE FROM codes WHERE slot IN (SELECT slot FROM codes WHERE expires_at < $1 LIMIT 1000)": "the sweep forgets old codes",
	"SELECT 1 FROM blobs LIMIT 1": "a start asks whether there should be backups",
}

// strayed returns why a statement may touch another user's rows, or nothing.
func strayed(statement string) string {
	if _, allowed := ofAll[statement]; allowed {
		return ""
	}
	for _, part := range parts(statement) {
		for _, table := range tables.FindAllStringSubmatch(part, -1) {
			bound, ofPerson := ofPersons[table[2]]
			if !ofPerson {
				continue
			}
			inserted := strings.HasPrefix(part, "INSERT") && table[1] == "INTO"
			if _, where, found := strings.Cut(part, " WHERE "); !inserted && (!found || !bound.MatchString(where)) && !bound.MatchString(joined(part)) {
				return table[2] + " is not held to one user in: " + part
			}
			if inserted && table[2] != "users" && !strings.Contains(statement, "user_id") && table[2] != "codes" {
				return table[2] + " gets a row of nobody in: " + part
			}
		}
	}
	return ""
}

var (
	tables = regexp.MustCompile(`\b(FROM|JOIN|INTO|UPDATE) ([a-z_]+)\b`)
	blanks = regexp.MustCompile(`\s+`)
	nested = regexp.MustCompile(`\([^()]*\)`)
)

// joined returns the conditions of a statement's joins.
func joined(part string) string {
	_, on, _ := strings.Cut(part, " ON ")
	return on
}

// parts takes a statement apart: the selects within it, and what is around them.
func parts(statement string) []string {
	var parts []string
	for {
		inner := nested.FindString(statement)
		if inner == "" {
			return append(parts, split(statement)...)
		}
		if strings.Contains(inner, "SELECT ") {
			parts = append(parts, split(strings.Trim(inner, "()"))...)
			statement = strings.Replace(statement, inner, "<select>", 1)
		} else {
			statement = strings.Replace(statement, inner, "<"+strings.Trim(inner, "()")+">", 1)
		}
	}
}

// split parts the select of an INSERT ... SELECT from it.
func split(statement string) []string {
	if before, after, found := strings.Cut(statement, "> SELECT "); found && strings.HasPrefix(statement, "INSERT") {
		return []string{before, "SELECT " + after}
	}
	return []string{statement}
}

// locks are the words that one of the engines has.
var locks = regexp.MustCompile(` FOR (UPDATE|KEY SHARE)( SKIP LOCKED)?`)

// normal is a statement as both engines say it.
func normal(statement string) string {
	return strings.TrimSpace(locks.ReplaceAllString(blanks.ReplaceAllString(statement, " "), ""))
}

// said collects the statements that a store says.
type said struct {
	mu    sync.Mutex
	texts map[string]bool
}

func (s *said) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil {
		s.texts = map[string]bool{}
	}
	for _, text := range texts {
		s.texts[normal(text)] = true
	}
}

// holdToOneUser checks all statements that a run of the suite made the store say. Those in the file of the
// other engine it need not have said.
func (s *said) holdToOneUser(t *testing.T, other string) {
	t.Helper()
	seen := s.texts
	for statement := range seen {
		if why := strayed(statement); why != "" {
			t.Error(why)
		}
	}
	for statement := range ofAll {
		if !seen[statement] {
			t.Errorf("an exception that nobody uses: %s", statement)
		}
	}
	all := slices.Collect(maps.Keys(seen))
	for _, text := range written(t, other) {
		if !slices.ContainsFunc(all, func(statement string) bool { return strings.Contains(statement, text) }) {
			t.Errorf("no test of the suite uses: %s", text)
		}
	}
}

var verbs = regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE|WITH) `)

// written returns the beginnings of all statements in the package's source but for one file.
func written(t *testing.T, but string) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, name := range files {
		ofWhole := name == "migrate.go" || name == "move.go" // of databases as a whole
		if strings.HasSuffix(name, "_test.go") || ofWhole || name == but {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if text = normal(text); verbs.MatchString(text) {
				texts = append(texts, text)
			}
			return true
		})
	}
	if len(texts) < 40 {
		t.Fatalf("only %d statements were found: %q", len(texts), texts)
	}
	return texts
}

func TestAStatementThatStraysIsNoticed(t *testing.T) {
	t.Parallel()
	for statement, strays := range map[string]bool{
		"SELECT id FROM items WHERE id = $1":                                                                 true,
		"SELECT id FROM items WHERE user_id = $1 AND id = $2":                                                false,
		"DELETE FROM sessions WHERE id = $1":                                                                 true,
		"DELETE FROM items WHERE user_id = $1 AND id IN (SELECT id FROM items LIMIT $2)":                     true,
		"SELECT (SELECT count(*) FROM items WHERE user_id = $1), id FROM items ORDER BY id":                  true,
		"UPDATE users SET name = $1":                                                                         true,
		"UPDATE users SET name = $1 WHERE id = $2":                                                           false,
		"INSERT INTO item_log (item_id) VALUES ($1)":                                                         true,
		"INSERT INTO item_log (user_id, item_id) VALUES ($1, $2)":                                            false,
		"INSERT INTO item_log (user_id, item_id) SELECT user_id, id FROM items WHERE id = $1":                true,
		"INSERT INTO item_log (user_id, item_id) SELECT user_id, id FROM items WHERE user_id = $1":           false,
		"SELECT i.id FROM (SELECT id FROM items WHERE user_id = $1) p JOIN items i ON i.id = p.id":           true,
		"SELECT i.id FROM (SELECT id FROM items WHERE user_id = $1) p JOIN items i ON i.user_id = $1 AND id": false,
		"SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = $1":                  false,
		"SELECT value FROM facts WHERE name = $1":                                                            false,
	} {
		if why := strayed(statement); (why != "") != strays {
			t.Errorf("%s: %q", statement, why)
		}
	}
}
