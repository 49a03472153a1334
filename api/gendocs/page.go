package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// page is what the template shows.
type page struct {
	Title, Version, Description string
	Groups                      []group
}

// group is one tag with its operations.
type group struct {
	ID, Description string
	Operations      []operation
}

// operation is one method of one path.
type operation struct {
	ID, Method, Path     string
	Summary, Description string
	Extension            bool // not in the published interface
	Session              bool // wants a session
	SlashOptional        bool // served without the slash at its end too
	Params, Body         []field
	Request              string // the example of a body
	Curl                 string
	Answers, Refusals    []answer // below 400, and the others
}

// answer is one status of an operation.
type answer struct {
	Status, Description string
	Types               []string
	Headers             []string
	Fields              []field
	Example             string
}

func (a answer) success() bool { return a.Status < "400" }

// newPage reads the document into what the template shows.
func newPage(spec *openapi3.T) (*page, error) {
	p := &page{Title: spec.Info.Title, Version: spec.Info.Version, Description: spec.Info.Description}
	for _, tag := range spec.Tags {
		p.Groups = append(p.Groups, group{ID: tag.Name, Description: tag.Description})
	}
	operations, err := operationsInOrder(spec)
	if err != nil {
		return nil, err
	}
	for _, at := range operations {
		shown, err := newOperation(at)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", at.method, at.path, err)
		}
		i := slices.IndexFunc(p.Groups, func(g group) bool { return slices.Contains(at.operation.Tags, g.ID) })
		if i < 0 {
			return nil, fmt.Errorf("%s %s: none of its tags is known", at.method, at.path)
		}
		p.Groups[i].Operations = append(p.Groups[i].Operations, shown)
	}
	return p, nil
}

// located is an operation with where it stands.
type located struct {
	method, path  string
	slashOptional bool
	operation     *openapi3.Operation
	line          int
}

func operationsInOrder(spec *openapi3.T) ([]located, error) {
	var all []located
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			at, err := lineOf(operation.Origin)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			all = append(all, located{method, path, item.Extensions["x-slash-optional"] == true, operation, at})
		}
	}
	slices.SortFunc(all, func(a, b located) int { return cmp.Compare(a.line, b.line) })
	return all, nil
}

func newOperation(at located) (operation, error) {
	o := operation{
		ID: at.operation.OperationID, Method: at.method, Path: at.path,
		Summary: at.operation.Summary, Description: at.operation.Description,
		Extension:     at.operation.Extensions["x-extension"] != nil,
		Session:       at.operation.Security == nil,
		SlashOptional: at.slashOptional,
	}
	for _, p := range at.operation.Parameters {
		o.Params = append(o.Params, field{
			Name: p.Value.Name, Type: typeOf(p.Value.Schema.Value) + ", in the " + p.Value.In, Required: p.Value.Required,
			Description: p.Value.Description, Default: fmt.Sprint(cmp.Or[any](p.Value.Schema.Value.Default, "")),
			// A parameter of an extension goes without saying.
			Extension: !o.Extension && p.Value.Extensions["x-extension"] != nil,
		})
	}
	mediaType, body, err := bodyOf(at.operation)
	if err != nil {
		return o, fmt.Errorf("request: %w", err)
	}
	if body != nil {
		if o.Body, err = fieldsOf("", body); err != nil {
			return o, fmt.Errorf("request: %w", err)
		}
	}
	if mediaType == asJSON {
		if o.Request, err = indented(body, body.Example); err != nil {
			return o, fmt.Errorf("request: %w", err)
		}
	}
	if o.Curl, err = curlOf(at, mediaType, body); err != nil {
		return o, err
	}
	return o, o.addAnswers(at.operation.Responses)
}

// addAnswers adds every status of an operation, in rising order.
func (o *operation) addAnswers(documented *openapi3.Responses) error {
	responses := documented.Map()
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		a, err := newAnswer(status, responses[status].Value)
		if err != nil {
			return fmt.Errorf("answer %s: %w", status, err)
		}
		if a.success() {
			o.Answers = append(o.Answers, a)
		} else {
			o.Refusals = append(o.Refusals, a)
		}
	}
	return nil
}

// The types of bodies that the page shows.
const (
	asJSON  = "application/json"
	asParts = "multipart/form-data"
)

// bodyOf returns the type and the schema of an operation's body, nil where it has none: JSON, which every
// other type it may have is like, or the form that holds a file.
func bodyOf(o *openapi3.Operation) (mediaType string, schema *openapi3.Schema, err error) {
	if o.RequestBody == nil {
		return "", nil, nil
	}
	for _, mediaType := range []string{asJSON, asParts} {
		if content := o.RequestBody.Value.Content[mediaType]; content != nil && content.Schema.Value.Example != nil {
			return mediaType, content.Schema.Value, nil
		}
	}
	return "", nil, fmt.Errorf("no %s or %s with an example", asJSON, asParts)
}

func newAnswer(status string, r *openapi3.Response) (answer, error) {
	a := answer{
		Status: status, Description: *r.Description,
		Types: slices.Sorted(maps.Keys(r.Content)),
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		switch name {
		case "X-Request-Id", "Cache-Control", "Content-Language":
			// Nearly every answer bears them: the page says so once.
		default:
			a.Headers = append(a.Headers, name)
		}
	}
	content := r.Content[asJSON]
	if content == nil {
		return a, nil
	}
	example := content.Example
	if example == nil {
		example = content.Schema.Value.Example
	}
	if example == nil {
		return a, fmt.Errorf("no example")
	}
	var err error
	if !a.success() {
		a.Example, err = compact(content.Schema.Value, example)
		return a, err
	}
	if a.Fields, err = fieldsOf("", content.Schema.Value); err != nil {
		return a, err
	}
	a.Example, err = indented(content.Schema.Value, example)
	return a, err
}

// curlOf returns a command line that sends the example of an operation.
func curlOf(at located, mediaType string, body *openapi3.Schema) (string, error) {
	address := "http://localhost:8888" + at.path
	query := url.Values{}
	for _, p := range at.operation.Parameters {
		example := fmt.Sprint(cmp.Or[any](p.Value.Example, ""))
		if p.Value.In == openapi3.ParameterInPath {
			address = strings.ReplaceAll(address, "{"+p.Value.Name+"}", example)
		} else if p.Value.In == openapi3.ParameterInQuery && example != "" {
			query.Set(p.Value.Name, example)
		}
	}
	if len(query) > 0 {
		address = "'" + address + "?" + query.Encode() + "'"
	}
	lines := []string{"curl " + address}
	if at.method != "GET" {
		lines[0] = "curl -X " + at.method + " " + address
	}
	if mediaType == asParts {
		lines[0] = "curl " + address // -F makes it a POST
	}
	if at.operation.Security == nil {
		lines = append(lines, `-H "Authorization: Bearer $TOKEN"`)
	}
	sent, err := sentBy(at.operation, mediaType, body)
	return strings.Join(append(lines, sent...), " \\\n  "), err
}

// sentBy returns the options of curl that send the example of a body.
func sentBy(o *openapi3.Operation, mediaType string, body *openapi3.Schema) ([]string, error) {
	if mediaType == asParts {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(body.Properties)) {
			parts = append(parts, "-F "+name+"=@backup.zip")
		}
		return parts, nil
	}
	if body == nil || (!o.RequestBody.Value.Required && len(body.Properties) == 0) {
		return nil, nil
	}
	example, err := compact(body, body.Example)
	if err != nil {
		return nil, fmt.Errorf("write example: %w", err)
	}
	return []string{"-H 'Content-Type: application/json'", "-d '" + strings.ReplaceAll(example, "'", `'\''`) + "'"}, nil
}
