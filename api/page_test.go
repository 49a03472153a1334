package api_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"caesar/api"
)

func TestPageIsTheOneGeneratedFromTheDocument(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "docs.html")
	out, err := exec.CommandContext(t.Context(), "go", "run", "./gendocs", "-spec", "openapi.yaml", "-page", page).CombinedOutput()
	if err != nil {
		t.Fatalf("generate the page: %v\n%s", err, out)
	}
	fresh, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fresh, api.Docs) {
		t.Error("api/docs.html is not what api/openapi.yaml makes: run go generate ./api")
	}
}

func TestPageHoldsEveryOperation(t *testing.T) {
	t.Parallel()
	spec := read(t)
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			if !strings.Contains(string(api.Docs), `id="`+operation.OperationID+`"`) {
				t.Errorf("the page lacks %s %s", method, path)
			}
		}
	}
}

// The server sends the page with the Content-Security-Policy "default-src 'none'; style-src 'self'", and
// a private server may have no way to the Internet at all.
func TestPageLoadsNothingButItsStyle(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`(?i)<(script|style|iframe|object|embed|img|video|audio|form|base)\b|\s(style|on[a-z]+|src|srcset)\s*=`)
	if m := forbidden.Find(api.Docs); m != nil {
		t.Errorf("the page holds %q", m)
	}
	links := regexp.MustCompile(`<link[^>]*>`).FindAllString(string(api.Docs), -1)
	if len(links) != 1 || !strings.Contains(links[0], `href="docs.css"`) {
		t.Errorf("the page links to %q, want its style only", links)
	}
	if m := regexp.MustCompile(`(?i)@import|url\(|expression\(`).Find(api.DocsStyle); m != nil {
		t.Errorf("the style holds %q", m)
	}
}

func TestLinksInsideThePageLeadSomewhere(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllSubmatch(api.Docs, -1) {
		if ids[string(m[1])] {
			t.Errorf("id %q stands twice", m[1])
		}
		ids[string(m[1])] = true
	}
	links := regexp.MustCompile(`href="#([^"]+)"`).FindAllSubmatch(api.Docs, -1)
	if len(links) == 0 {
		t.Error("the page has no table of contents")
	}
	for _, m := range links {
		if !ids[string(m[1])] {
			t.Errorf("the link to #%s leads nowhere", m[1])
		}
	}
}
