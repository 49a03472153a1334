// Package api is the published interface as data: the document that describes it, and the page made of
// that document.
//
// What always holds: openapi.yaml is written by hand and is the one source; the page is generated from
// it by go generate, and a test compares the two. Package apitest holds a running server against it.
package api

import _ "embed" // for the document and its page

//go:generate go run ./gendocs -spec openapi.yaml -page docs.html

// Spec is the description of the interface in OpenAPI 3.0.3, as served at /openapi.yaml.
//
//go:embed openapi.yaml
var Spec []byte

// Docs is the same description as a page for people, as served at /docs. It runs no script, and all
// that it loads is DocsStyle, by the relative address docs.css.
//
//go:embed docs.html
var Docs []byte

// DocsStyle is the page's style sheet, as served at /docs.css.
//
//go:embed docs.css
var DocsStyle []byte
