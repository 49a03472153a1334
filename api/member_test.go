package api_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// publishedMember is an operation of the published interface under /user as it stands in testdata/000.md.
type publishedMember struct {
	title, note, method, path string
	query, body               []row
	answers                   []exampleAnswer
	statuses                  []int
}

// exampleAnswer is an answer that the published interface shows, with its status where it names one.
type exampleAnswer struct {
	status int
	body   string
}

var (
	fence       = regexp.MustCompile("(?s)```json\n(.*?)```")
	statusTitle = regexp.MustCompile(`(?m)^> (\d{3}) Response$`)
	statusRow   = regexp.MustCompile(`(?m)^\|(\d{3})\|`)
)

// readPublishedMember reads the tables and examples of the published interface under /user.
func readPublishedMember(t *testing.T) []publishedMember {
	t.Helper()
	text, err := os.ReadFile("testdata/000.md")
	if err != nil {
		t.Fatal(err)
	}
	marks := heading.FindAllSubmatchIndex(text, -1)
	var all []publishedMember
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		section := string(text[m[0]:end])
		where := address.FindStringSubmatchIndex(section)
		if where == nil {
			t.Fatalf("no address below the heading %q", text[m[0]:m[1]])
		}
		p := publishedMember{title: string(text[m[4]:m[5]]), method: section[where[2]:where[3]], path: section[where[4]:where[5]]}
		asked, answered, _ := strings.Cut(section[where[1]:], "> 返回示例")
		if note := strings.TrimSpace(strings.SplitN(asked, "\n\n", 3)[1]); !strings.HasPrefix(note, "#") && !strings.HasPrefix(note, ">") {
			p.note = note
		}
		for _, cells := range tableRows(asked, 5) {
			// 名称 位置 类型 必选 说明
			r := row{name: strings.TrimPrefix(cells[0], "» "), in: cells[1], kind: strings.TrimSuffix(cells[2], "(binary)"), note: cells[4]}
			switch {
			case r.name == "body":
			case r.in == "body":
				p.body = append(p.body, r)
			default:
				p.query = append(p.query, r)
			}
		}
		p.answers, p.statuses = readAnswers(t, answered)
		all = append(all, p)
	}
	return all
}

// readAnswers reads the examples of a section, each below the status that the last line before it names,
// and the table of its statuses.
func readAnswers(t *testing.T, section string) (answers []exampleAnswer, statuses []int) {
	t.Helper()
	number := func(digits string) int {
		n, err := strconv.Atoi(digits)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, at := range fence.FindAllStringSubmatchIndex(section, -1) {
		a := exampleAnswer{body: section[at[2]:at[3]]}
		if titles := statusTitle.FindAllStringSubmatch(section[:at[0]], -1); len(titles) > 0 {
			a.status = number(titles[len(titles)-1][1])
		}
		answers = append(answers, a)
	}
	for _, m := range statusRow.FindAllStringSubmatch(section, -1) {
		statuses = append(statuses, number(m[1]))
	}
	return answers, statuses
}

func TestDocumentHoldsThePublishedInterfaceOfMembers(t *testing.T) {
	t.Parallel()
	spec := read(t)
	all := readPublishedMember(t)
	if len(all) != 8 {
		t.Fatalf("read %d published operations, want 8", len(all))
	}
	examples := 0
	for _, p := range all {
		examples += len(p.answers)
		t.Run(p.method+" "+p.path, func(t *testing.T) {
			t.Parallel()
			item := spec.Paths.Value(p.path)
			if item == nil || item.GetOperation(p.method) == nil {
				t.Fatal("is not in the document")
			}
			operation := item.GetOperation(p.method)
			if operation.Extensions["x-extension"] != nil {
				t.Error("is marked as an extension")
			}
			if !strings.Contains(operation.Summary, p.title) {
				t.Errorf("summary %q lacks the title %q", operation.Summary, p.title)
			}
			if !strings.Contains(operation.Description, p.note) {
				t.Errorf("description lacks %q", p.note)
			}
			checkParams(t, operation, p.query)
			checkMemberBody(t, operation, p.body)
			for _, status := range p.statuses {
				if operation.Responses.Status(status) == nil {
					t.Errorf("lacks the status %d", status)
				}
			}
			for _, example := range p.answers {
				checkExample(t, item, p.method, example)
			}
		})
	}
	if examples != 12 {
		t.Errorf("read %d examples of answers, want 12", examples)
	}
}

// checkMemberBody holds the fields of a body against the published ones. Those mark none as required, so
// what a field must be is not theirs to say.
func checkMemberBody(t *testing.T, operation *openapi3.Operation, rows []row) {
	t.Helper()
	if len(rows) == 0 {
		return
	}
	types := []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
	if slices.ContainsFunc(rows, func(r row) bool { return r.name == "file" }) {
		types = types[2:]
	}
	if got := len(operation.RequestBody.Value.Content); got != len(types) {
		t.Errorf("is to be had in %d types, want %v", got, types)
	}
	for _, mediaType := range types {
		content := operation.RequestBody.Value.Content[mediaType]
		if content == nil {
			t.Errorf("is not to be had as %s", mediaType)
			continue
		}
		for _, r := range rows {
			property := content.Schema.Value.Properties[r.name]
			if property == nil {
				t.Errorf("%s: lacks the field %s", mediaType, r.name)
				continue
			}
			if !takes(property.Value, r.kind) {
				t.Errorf("%s: field %s does not take %s", mediaType, r.name, r.kind)
			}
			if meaning, _, _ := strings.Cut(r.note, "，"); !strings.Contains(property.Value.Description, meaning) {
				t.Errorf("%s: field %s: description %q lacks %q", mediaType, r.name, property.Value.Description, meaning)
			}
		}
		for name, property := range content.Schema.Value.Properties {
			known := slices.ContainsFunc(rows, func(r row) bool { return r.name == name })
			if !known && property.Value.Extensions["x-extension"] == nil {
				t.Errorf("%s: field %s is not published and not marked as an extension", mediaType, name)
			}
		}
	}
}

// takes tells whether a value of some kind is among those that a schema has.
func takes(schema *openapi3.Schema, kind string) bool {
	return schema.Type.Is(kind) || slices.ContainsFunc(schema.OneOf, func(one *openapi3.SchemaRef) bool { return takes(one.Value, kind) })
}

// checkExample demands that an answer which the published interface shows is one that the document has:
// under the same status, or under any status of the path where the interface leaves that open, as it does
// for what GET answers among the answers to POST.
func checkExample(t *testing.T, item *openapi3.PathItem, method string, example exampleAnswer) {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(example.body), &value); err != nil {
		t.Fatalf("read the example %s: %v", example.body, err)
	}
	for _, operation := range item.Operations() {
		for status, response := range operation.Responses.Map() {
			content := response.Value.Content["application/json"]
			if content == nil || content.Schema.Value.VisitJSON(value) != nil {
				continue
			}
			if example.status == 0 || (operation == item.GetOperation(method) && status == strconv.Itoa(example.status)) {
				return
			}
		}
	}
	t.Errorf("no answer with the status %d looks like %s", example.status, example.body)
}

func TestEveryMemberOperationSaysWhatCanGoWrong(t *testing.T) {
	t.Parallel()
	for path, item := range read(t).Paths.Map() {
		if !strings.HasPrefix(path, "/user/") {
			continue
		}
		if !strings.HasSuffix(path, "/") || item.Extensions["x-slash-optional"] != true {
			t.Errorf("%s does not say that it is served without its slash too", path)
		}
		for method, operation := range item.Operations() {
			_, isFile := operation.Responses.Map()["206"]
			public := operation.Security != nil
			writes := method != "GET" || path == "/user/logout/"
			for status, wanted := range map[int]bool{
				400: true, 413: true, 415: true, 500: true, 503: true,
				401: !public || operation.OperationID == "MemberLogin",
				402: operation.OperationID == "MemberLogin",
				403: writes,
				404: isFile || strings.Contains(path, "{"),
				416: isFile,
				507: writes || path == "/user/captcha/",
			} {
				if got := operation.Responses.Status(status) != nil; got != wanted {
					t.Errorf("%s %s: status %d is documented: %t, want %t", method, path, status, got, wanted)
				}
			}
		}
	}
}

func TestProblemsOfMembersBearTheirStatus(t *testing.T) {
	t.Parallel()
	for path, item := range read(t).Paths.Map() {
		if !strings.HasPrefix(path, "/user/") {
			continue
		}
		for method, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				content := response.Value.Content["application/json"]
				if content == nil || status < "400" || operation.OperationID+status == "MemberRegister400" {
					continue
				}
				problem, _ := content.Example.(map[string]any)
				if problem["code"] == nil || strconv.FormatFloat(number(problem["code"]), 'f', -1, 64) != status {
					t.Errorf("%s %s: the example for %s is %v", method, path, status, content.Example)
				}
			}
		}
	}
}

// number is a number of an example, however YAML was read.
func number(v any) float64 {
	switch n := v.(type) {
	case int:
		return float64(n)
	case float64:
		return n
	}
	return 0
}
