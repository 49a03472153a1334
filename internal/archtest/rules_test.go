// Package archtest holds the house to its plan: which package may import which. The rules are in
// violations, and bind every package there is, so that a new one is held from its first day; what only
// tests import is free.
package archtest_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string // without those of its tests
}

const (
	module   = "caesar"
	internal = module + "/internal/"
	binary   = module + "/cmd/caesar"
)

// edges are the packages at the edge of the house, with all below them: they speak HTTP or SQL, or are
// tests. Every other package below internal/ is of the domain.
var edges = []string{"httpd", "sqlstore", "blob", "testbed", "archtest"}

// strangers know nothing of each other: what they share is in packages below them.
var strangers = []string{internal + "user", internal + "vault", internal + "backup"}

// surfaces are strangers too.
var surfaces = []string{internal + "httpd/vaultapi", internal + "httpd/memberapi"}

// floors are the storeys of the house, the lowest first: none imports one above it.
var floors = [][]string{
	{internal + "encstring"},
	{internal + "keyring"},
	{internal + "user", internal + "vault", internal + "backup", internal + "session"},
	{internal + "httpd"},
	{module + "/cmd"},
}

// testTools must not end in the binary.
var testTools = []string{
	"testing", "github.com/getkin/kin-openapi", "pgregory.net/rapid", "github.com/rogpeppe/go-internal",
	internal + "testbed", module + "/api/apitest", internal + "sqlstore/storetest",
	internal + "sqlstore/sqlmove/movetest", internal + "blob/blobtest", module + "/bench",
}

// emptyNames say nothing of what a package is for.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "shared", "base", "types"}

// violations returns each breach of the rules in a graph of packages, as a sentence.
func violations(graph map[string]listed) []string {
	var found []string
	for _, p := range graph {
		if !within(p.ImportPath, module) {
			continue
		}
		if slices.Contains(emptyNames, path.Base(p.ImportPath)) || slices.Contains(emptyNames, p.Name) {
			found = append(found, p.ImportPath+" has a name that says nothing")
		}
		for _, imported := range p.Imports {
			if why := forbidden(p.ImportPath, imported, graph); why != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imported, why))
			}
		}
	}
	for _, tool := range carried(graph) {
		found = append(found, "the binary carries "+tool+", which is for tests")
	}
	slices.Sort(found)
	return found
}

// forbidden says why a package may not import another, or nothing where it may.
func forbidden(from, to string, graph map[string]listed) string {
	switch {
	case isDomain(from) && (within(to, "net/http") || within(to, "database/sql")):
		return "the domain knows neither HTTP nor SQL"
	case isDomain(from) && within(to, internal+"httpd"):
		return "the domain does not know its surfaces"
	case isStore(to) && !isStore(from) && !within(from, module+"/cmd") && !within(from, internal+"testbed") && !within(from, module+"/bench"):
		return "only cmd, tests and the benchmark know the stores"
	case within(to, module+"/cmd"):
		return "nobody imports cmd"
	case isStranger(from, to, strangers) || isStranger(from, to, surfaces):
		return "they do not know each other"
	case floor(from) >= 0 && floor(to) > floor(from):
		return "it is of a floor above"
	case within(from, internal+"encstring") && !graph[to].Standard:
		return "encstring needs the standard library only"
	case within(from, module+"/client") && within(to, module+"/internal"):
		return "the client is for others to build with"
	}
	return ""
}

// carried returns the tools of tests that the binary is built with.
func carried(graph map[string]listed) []string {
	var tools []string
	seen := map[string]bool{}
	for next := []string{binary}; len(next) > 0; {
		p := next[0]
		next = next[1:]
		if seen[p] {
			continue
		}
		seen[p] = true
		if slices.ContainsFunc(testTools, func(tool string) bool { return within(p, tool) }) {
			tools = append(tools, p)
			continue
		}
		next = append(next, graph[p].Imports...)
	}
	return tools
}

// within reports whether a package is another or below it.
func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

func isDomain(p string) bool {
	return within(p, module+"/internal") && !slices.ContainsFunc(edges, func(edge string) bool { return within(p, internal+edge) })
}

func isStore(p string) bool { return within(p, internal+"sqlstore") || within(p, internal+"blob") }

func isStranger(from, to string, group []string) bool {
	at := func(p string) int {
		return slices.IndexFunc(group, func(member string) bool { return within(p, member) })
	}
	return at(from) >= 0 && at(to) >= 0 && at(from) != at(to)
}

func floor(p string) int {
	return slices.IndexFunc(floors, func(members []string) bool {
		return slices.ContainsFunc(members, func(member string) bool { return within(p, member) })
	})
}
