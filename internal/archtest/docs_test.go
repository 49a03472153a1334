package archtest_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

var (
	aTest     = regexp.MustCompile("`((?:Test|Benchmark|Fuzz)[A-Z]\\w+)`")
	aFunction = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	aLink     = regexp.MustCompile(`\]\(([^)#\s]+)`)
)

func TestTheDocumentsAreFinishedAndWhatTheyNameIsThere(t *testing.T) {
	t.Parallel()
	tests, documents := map[string]bool{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() {
			if name == "build" || name == "node_modules" || name == "testdata" || (strings.HasPrefix(name, ".") && path != root) {
				return fs.SkipDir
			}
			return nil
		}
		isTest, isDocument := strings.HasSuffix(path, "_test.go"), strings.HasSuffix(path, ".md")
		if !isTest && !isDocument {
			return nil
		}
		text, err := os.ReadFile(path)
		if isDocument {
			documents[path] = string(text)
			return err
		}
		for _, found := range aFunction.FindAllSubmatch(text, -1) {
			tests[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(documents) < 10 || len(tests) < 100 {
		t.Fatalf("%d documents and %d tests were found", len(documents), len(tests))
	}
	for path, text := range documents {
		if strings.Contains(text, "{{") {
			t.Errorf("%s has a gap that was to be filled in: {{", path)
		}
		for _, found := range aTest.FindAllStringSubmatch(text, -1) {
			if !tests[found[1]] {
				t.Errorf("%s names %s, which is not there", path, found[1])
			}
		}
		for _, found := range aLink.FindAllStringSubmatch(text, -1) {
			link, err := url.PathUnescape(found[1])
			if err != nil || strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), filepath.FromSlash(link))); err != nil {
				t.Errorf("%s links to %s, which is not there", path, link)
			}
		}
	}
}
