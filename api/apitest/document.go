// Package apitest holds traffic against the document of the interface: a transport that lets a test's
// requests through to a server and fails the test where an answer is not as api/openapi.yaml says.
//
// What always holds: nothing is told apart by trust. A status, a content type, a header or a body that is not in
// the document is a failure, whoever expected it, and so is a success for a request that the document
// does not allow. What the document allows may still be refused: rules that no schema can express, such
// as a wrong password, are the server's own.
package apitest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"caesar/api"
)

// document is api/openapi.yaml, read and ready to be asked.
type document struct {
	spec  *openapi3.T
	paths []pathTemplate // those without parameters first
}

// pathTemplate is one path of the document, cut at its slashes.
type pathTemplate struct {
	path     string
	segments []string
	item     *openapi3.PathItem
	// slashOptional tells that the path is served without the slash at its end too.
	slashOptional bool
}

// load reads the embedded document once. It panics where the document is no valid OpenAPI: no test
// could mean anything then.
var load = sync.OnceValue(func() *document {
	loader := openapi3.NewLoader()
	spec, err := loader.LoadFromData(bytes.Clone(api.Spec))
	if err == nil {
		err = spec.Validate(context.Background())
	}
	if err != nil {
		panic(fmt.Sprintf("read api/openapi.yaml: %v", err))
	}
	d := &document{spec: spec}
	for path, item := range spec.Paths.Map() {
		d.paths = append(d.paths, pathTemplate{path, strings.Split(path, "/"), item, item.Extensions["x-slash-optional"] == true})
	}
	slices.SortFunc(d.paths, func(a, b pathTemplate) int {
		if n := strings.Count(a.path, "{") - strings.Count(b.path, "{"); n != 0 {
			return n
		}
		return strings.Compare(a.path, b.path)
	})
	return d
})

// Routes returns every operation of the document as "METHOD /path", sorted, in the notation of the
// patterns of [http.ServeMux]: a path that ends in a slash ends in /{$}, and stands there a second time
// without it where the document says that it is served so too.
func Routes() []string {
	var routes []string
	for _, p := range load().paths {
		without, slash := strings.CutSuffix(p.path, "/")
		for method := range p.item.Operations() {
			if !slash {
				routes = append(routes, method+" "+p.path)
				continue
			}
			routes = append(routes, method+" "+p.path+"{$}")
			if p.slashOptional {
				routes = append(routes, method+" "+without)
			}
		}
	}
	slices.Sort(routes)
	return routes
}

// match finds the path that an address means and the values of its parameters.
func (d *document) match(u *url.URL) (pathTemplate, map[string]string, bool) {
	segments := strings.Split(u.EscapedPath(), "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return pathTemplate{}, nil, false
		}
		segments[i] = plain
	}
	for _, p := range d.paths {
		if params, ok := p.match(segments); ok {
			return p, params, true
		}
	}
	return pathTemplate{}, nil, false
}

func (p pathTemplate) match(segments []string) (map[string]string, bool) {
	if p.slashOptional && len(segments) == len(p.segments)-1 {
		segments = append(slices.Clone(segments), "")
	}
	if len(segments) != len(p.segments) {
		return nil, false
	}
	params := map[string]string{}
	for i, s := range p.segments {
		name, isParam := strings.CutPrefix(s, "{")
		switch {
		case isParam && segments[i] != "":
			params[strings.TrimSuffix(name, "}")] = segments[i]
		case s != segments[i]:
			return nil, false
		}
	}
	return params, true
}

// route returns the operation of a path for a method: HEAD is answered by what GET documents.
func (d *document) route(p pathTemplate, method string) *routers.Route {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	operation := p.item.GetOperation(method)
	if operation == nil {
		return nil
	}
	return &routers.Route{Spec: d.spec, Path: p.path, PathItem: p.item, Method: method, Operation: operation}
}
