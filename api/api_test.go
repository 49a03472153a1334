package api_test

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"caesar/api"
)

// read returns the document, which must be valid OpenAPI with examples that fit their schemas.
func read(t *testing.T) *openapi3.T {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(bytes.Clone(api.Spec))
	if err != nil {
		t.Fatalf("load openapi.yaml: %v", err)
	}
	if err := spec.Validate(context.Background(), openapi3.EnableSchemaDefaultsValidation()); err != nil {
		t.Fatalf("validate openapi.yaml: %v", err)
	}
	return spec
}

// published is the published interface as it stands in testdata/003.md: what openapi.yaml has to hold.
type published struct {
	title, method, path string
	params              []row // path and query
	body                []row
	answer              []row // fields of the answer, those of the objects in a list prefixed with data.
}

// row is a field as the published tables write it.
type row struct {
	name, kind, in, title, note string
	required                    bool
}

var (
	heading   = regexp.MustCompile(`(?m)^## (GET|POST|PUT|DELETE) (.+)$`)
	address   = regexp.MustCompile(`(?m)^(GET|POST|PUT|DELETE) (/\S*)$`)
	nameInRow = regexp.MustCompile(`^(»*) ?(\w+)$`)
)

// readPublished reads the tables of the published interface.
func readPublished(t *testing.T) []published {
	t.Helper()
	text, err := os.ReadFile("testdata/003.md")
	if err != nil {
		t.Fatal(err)
	}
	marks := heading.FindAllSubmatchIndex(text, -1)
	var all []published
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		section := string(text[m[0]:end])
		where := address.FindStringSubmatch(section)
		if where == nil {
			t.Fatalf("no address below the heading %q", text[m[0]:m[1]])
		}
		p := published{title: string(text[m[4]:m[5]]), method: where[1], path: "/api" + where[2]}
		asked, answered, _ := strings.Cut(section, "> 返回示例")
		for _, cells := range tableRows(asked, 6) {
			// 名称 位置 类型 必选 中文名 说明
			r := row{name: cells[0], in: cells[1], kind: cells[2], required: strings.TrimSpace(cells[3]) == "是", title: cells[4], note: cells[5]}
			if m := nameInRow.FindStringSubmatch(r.name); m != nil && m[1] == "»" {
				r.name = m[2]
				p.body = append(p.body, r)
			} else if r.name != "body" {
				p.params = append(p.params, r)
			}
		}
		for _, cells := range tableRows(answered, 6) {
			// 名称 类型 必选 约束 中文名 说明
			r := row{name: cells[0], kind: cells[1], required: cells[2] == "true", title: cells[4], note: cells[5]}
			if m := nameInRow.FindStringSubmatch(r.name); m != nil {
				r.name = strings.Repeat("data.", len(m[1])/len("»")-1) + m[2]
				p.answer = append(p.answer, r)
			}
		}
		all = append(all, p)
	}
	return all
}

// tableRows returns the cells of the tables of so many columns in a section, without their headings.
func tableRows(section string, columns int) [][]string {
	var rows [][]string
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) != columns || cells[0] == "名称" || strings.HasPrefix(cells[0], "-") {
			continue
		}
		for i := range cells {
			if cells[i] = strings.TrimSpace(cells[i]); cells[i] == "none" {
				cells[i] = ""
			}
		}
		rows = append(rows, cells)
	}
	return rows
}

func TestDocumentIsValid(t *testing.T) {
	t.Parallel()
	read(t)
}

func TestDocumentHoldsThePublishedInterface(t *testing.T) {
	t.Parallel()
	spec := read(t)
	all := readPublished(t)
	if len(all) != 15 {
		t.Fatalf("read %d published operations, want 15", len(all))
	}
	for _, p := range all {
		t.Run(p.method+" "+p.path, func(t *testing.T) {
			t.Parallel()
			operation := spec.Paths.Value(p.path).GetOperation(p.method)
			if operation == nil {
				t.Fatal("is not in the document")
			}
			if operation.Extensions["x-extension"] != nil {
				t.Error("is marked as an extension")
			}
			if !strings.Contains(operation.Summary, strings.TrimSuffix(p.title, "信息")) {
				t.Errorf("summary %q lacks the title %q", operation.Summary, p.title)
			}
			checkParams(t, operation, p.params)
			checkBodyFields(t, operation, p.body)
			checkAnswerFields(t, operation, p.answer)
		})
	}
}

func checkParams(t *testing.T, operation *openapi3.Operation, rows []row) {
	t.Helper()
	for _, r := range rows {
		param := operation.Parameters.GetByInAndName(r.in, r.name)
		if param == nil {
			t.Errorf("lacks the %s parameter %s", r.in, r.name)
		} else if !strings.Contains(param.Description, r.note) {
			t.Errorf("parameter %s: description %q lacks %q", r.name, param.Description, r.note)
		}
	}
}

func checkBodyFields(t *testing.T, operation *openapi3.Operation, rows []row) {
	t.Helper()
	if len(rows) == 0 {
		return
	}
	if len(operation.RequestBody.Value.Content) != 2 {
		t.Error("is not to be had in JSON and as a form alike")
	}
	for mediaType, content := range operation.RequestBody.Value.Content {
		schema := content.Schema.Value
		for _, r := range rows {
			checkField(t, mediaType, schema, r)
			if slices.Contains(schema.Required, r.name) != r.required {
				t.Errorf("%s: field %s: required is not %t", mediaType, r.name, r.required)
			}
		}
		for name, property := range schema.Properties {
			known := slices.ContainsFunc(rows, func(r row) bool { return r.name == name })
			if !known && property.Value.Extensions["x-extension"] == nil {
				t.Errorf("%s: field %s is not published and not marked as an extension", mediaType, name)
			}
		}
	}
}

func checkAnswerFields(t *testing.T, operation *openapi3.Operation, rows []row) {
	t.Helper()
	if len(rows) == 0 {
		t.Error("read no published answer")
	}
	outer := operation.Responses.Status(200).Value.Content["application/json"].Schema.Value
	for _, r := range rows {
		schema := outer
		if inner, ok := strings.CutPrefix(r.name, "data."); ok {
			schema, r.name = outer.Properties["data"].Value.Items.Value, inner
		}
		checkField(t, "answer", schema, r)
		if !slices.Contains(schema.Required, r.name) {
			t.Errorf("answer: field %s is not always there", r.name)
		}
	}
	for name, property := range outer.Properties {
		known := slices.ContainsFunc(rows, func(r row) bool { return r.name == name })
		if !known && property.Value.Extensions["x-extension"] == nil {
			t.Errorf("answer: field %s is not published and not marked as an extension", name)
		}
	}
}

func checkField(t *testing.T, where string, schema *openapi3.Schema, r row) {
	t.Helper()
	property := schema.Properties[r.name]
	if property == nil {
		t.Errorf("%s: lacks the field %s", where, r.name)
		return
	}
	kind := map[string]string{"[object]": "array"}[r.kind]
	if kind == "" {
		kind = r.kind
	}
	if !property.Value.Type.Is(kind) {
		t.Errorf("%s: field %s is %v, want %s", where, r.name, property.Value.Type.Slice(), kind)
	}
	if property.Ref == "" && !strings.Contains(property.Value.Description, r.title) {
		t.Errorf("%s: field %s: description %q lacks %q", where, r.name, property.Value.Description, r.title)
	}
}

func TestAnswersAreClosedAndRequestsAreOpen(t *testing.T) {
	t.Parallel()
	spec := read(t)
	for name, schema := range spec.Components.Schemas {
		if !schema.Value.Type.Is("object") {
			continue
		}
		closed := schema.Value.AdditionalProperties.Has != nil && !*schema.Value.AdditionalProperties.Has
		if request := strings.HasSuffix(name, "Request"); closed == request {
			t.Errorf("schema %s: additionalProperties: false is %t", name, closed)
		}
	}
}

func TestEveryOperationSaysWhatCanGoWrong(t *testing.T) {
	t.Parallel()
	spec := read(t)
	ids := map[string]bool{}
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			where := method + " " + path
			if ids[operation.OperationID] || operation.OperationID == "" {
				t.Errorf("%s: operationId %q is not its own", where, operation.OperationID)
			}
			ids[operation.OperationID] = true
			if operation.Summary == "" || operation.Description == "" || len(operation.Tags) != 1 {
				t.Errorf("%s: lacks a summary, a description or its one tag", where)
			}
			if !strings.HasPrefix(path, "/api/") {
				continue
			}
			for status, wanted := range map[int]bool{
				400: true, 413: true, 415: true, 500: true, 503: true,
				401: strings.HasPrefix(path, "/api/auth/"),
				403: method != "GET",
				404: strings.Contains(path, "{"),
				507: method != "GET",
			} {
				if got := operation.Responses.Status(status) != nil; got != wanted {
					t.Errorf("%s: status %d is documented: %t, want %t", where, status, got, wanted)
				}
			}
			if public := operation.Security != nil; public == strings.HasPrefix(path, "/api/auth/") {
				t.Errorf("%s: wants no session: %t", where, public)
			}
		}
	}
}

func TestEveryExampleOfABodyIsGiven(t *testing.T) {
	t.Parallel()
	spec := read(t)
	for name, body := range spec.Components.RequestBodies {
		for mediaType, content := range body.Value.Content {
			if content.Schema.Value.Example == nil {
				t.Errorf("request body %s as %s has no example", name, mediaType)
			}
		}
	}
}
