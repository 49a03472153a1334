// Command gendocs makes the page /docs of the document api/openapi.yaml.
//
// What always holds: the same document makes the same page, byte for byte, in the document's own order;
// whatever it can't show is an error, never left out in silence.
package main

import (
	"bytes"
	"context"
	_ "embed" // for the page's template
	"flag"
	"fmt"
	"html/template"
	"os"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed page.html.tmpl
var pageTemplate string

func main() {
	spec := flag.String("spec", "openapi.yaml", "the document to read")
	page := flag.String("page", "docs.html", "the page to write")
	flag.Parse()
	if err := run(*spec, *page); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func run(specPath, pagePath string) error {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true // for the order in which things stand in the document
	spec, err := loader.LoadFromFile(specPath)
	if err != nil {
		return fmt.Errorf("load document: %w", err)
	}
	if err := spec.Validate(context.Background()); err != nil {
		return fmt.Errorf("validate document: %w", err)
	}
	page, err := newPage(spec)
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	parsed, err := template.New("page").Funcs(template.FuncMap{"prose": prose, "line": line}).Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("parse template: %w", err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, page); err != nil {
		return fmt.Errorf("fill template: %w", err)
	}
	if err := os.WriteFile(pagePath, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
