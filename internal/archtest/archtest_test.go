package archtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

func TestTheHouseIsAsItWasPlanned(t *testing.T) {
	t.Parallel()
	graph := list(t)
	for _, found := range violations(graph) {
		t.Error(found)
	}
	// A list that came out empty would break no rule.
	for _, p := range []string{binary, internal + "fault", "net/http"} {
		if len(graph[p].Imports) == 0 {
			t.Errorf("go list did not tell what %s imports", p)
		}
	}
}

// list returns all packages of the module, and all that those need.
func list(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Name,Standard,Imports", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	graph := map[string]listed{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return graph
		}
		if err != nil {
			t.Fatalf("read what go list tells: %v", err)
		}
		graph[p.ImportPath] = p
	}
}

// house is a graph that keeps every rule. Each package is followed by what it imports.
const house = `
caesar/cmd/caesar: caesar/internal/httpd caesar/internal/httpd/vaultapi caesar/internal/sqlstore caesar/internal/settings net/http
caesar/client: net/http
caesar/internal/httpd: net/http
caesar/internal/httpd/vaultapi: net/http caesar/internal/user caesar/internal/vault
caesar/internal/httpd/memberapi: net/http caesar/internal/user caesar/internal/backup
caesar/internal/user: caesar/internal/session caesar/internal/keyring
caesar/internal/vault: caesar/internal/keyring
caesar/internal/backup:
caesar/internal/session:
caesar/internal/keyring: caesar/internal/encstring golang.org/x/crypto/argon2
caesar/internal/encstring: crypto/aes
caesar/internal/sqlstore: database/sql caesar/internal/user caesar/internal/vault
caesar/internal/sqlstore/storetest: testing caesar/internal/sqlstore
caesar/internal/testbed: testing net/http caesar/internal/sqlstore
`

func TestEachRuleIsBrokenByWhatItForbids(t *testing.T) {
	t.Parallel()
	if found := violations(build(house)); len(found) > 0 {
		t.Fatalf("the house as planned breaks rules: %q", found)
	}
	for _, c := range []struct{ added, want string }{
		{"caesar/internal/vault: net/http", "neither HTTP nor SQL"},
		{"caesar/internal/vault: net/http/httputil", "neither HTTP nor SQL"},
		{"caesar/internal/anew: database/sql", "neither HTTP nor SQL"},
		{"caesar/internal/anew: caesar/internal/httpd/wire", "does not know its surfaces"},
		{"caesar/internal/user: caesar/internal/vault", "do not know each other"},
		{"caesar/internal/backup: caesar/internal/user", "do not know each other"},
		{"caesar/internal/httpd/memberapi: caesar/internal/httpd/vaultapi", "do not know each other"},
		{"caesar/internal/httpd: caesar/internal/sqlstore", "only cmd, tests and the benchmark know the stores"},
		{"caesar/internal/vault: caesar/internal/blob", "only cmd, tests and the benchmark know the stores"},
		{"caesar/internal/httpd: caesar/cmd/caesar", "nobody imports cmd"},
		{"caesar/internal/keyring: caesar/internal/session", "of a floor above"},
		{"caesar/internal/encstring: caesar/internal/fault", "the standard library only"},
		{"caesar/internal/encstring: golang.org/x/crypto/hkdf", "the standard library only"},
		{"caesar/client: caesar/internal/fault", "for others to build with"},
		{"caesar/internal/helpers:", "a name that says nothing"},
		{"caesar/internal/settings: caesar/internal/testbed", "the binary carries"},
		{"caesar/cmd/caesar: github.com/getkin/kin-openapi/openapi3", "the binary carries"},
	} {
		found := violations(build(house + c.added))
		if len(found) != 1 || !strings.Contains(found[0], c.want) {
			t.Errorf("with %q: %q, not %q alone", c.added, found, c.want)
		}
	}
}

// build reads a graph; a package that stands twice imports what both lines say.
func build(text string) map[string]listed {
	graph := map[string]listed{}
	for line := range strings.Lines(text) {
		name, imports, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found {
			continue
		}
		p := graph[name]
		p.ImportPath, p.Imports = name, append(p.Imports, strings.Fields(imports)...)
		graph[name] = p
		for _, imported := range p.Imports {
			if first, _, _ := strings.Cut(imported, "/"); first != module && !strings.Contains(first, ".") {
				graph[imported] = listed{ImportPath: imported, Standard: true}
			}
		}
	}
	return graph
}
