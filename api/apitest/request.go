package apitest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-json-experiment/json/jsontext"
)

// wholeNumber is how a whole number is written in a path or a query: as JSON writes it, and no other way.
var wholeNumber = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// checkRequest tells whether the document allows a request.
func checkRequest(req *http.Request, body sentBody, route *routers.Route, params map[string]string) error {
	bodiless := req.Clone(req.Context()) // the body was sent, and openapi3filter would read it again
	bodiless.Body = http.NoBody
	input := &openapi3filter.RequestValidationInput{
		Request:    bodiless,
		PathParams: params,
		Route:      route,
		Options: &openapi3filter.Options{
			ExcludeRequestBody:  true, // see checkBody
			SkipSettingDefaults: true,
			AuthenticationFunc:  checkCredentials,
		},
	}
	if err := openapi3filter.ValidateRequest(req.Context(), input); err != nil {
		return err
	}
	query := req.URL.Query()
	for _, p := range route.Operation.Parameters {
		if p.Value.In == openapi3.ParameterInHeader {
			continue // HTTP's own, and not ours to narrow
		}
		values := query[p.Value.Name]
		if p.Value.In == openapi3.ParameterInPath {
			values = []string{params[p.Value.Name]}
		}
		if err := checkWritten(p.Value, values); err != nil {
			return fmt.Errorf("parameter %s: %w", p.Value.Name, err)
		}
	}
	return checkBody(body, route.Operation)
}

// checkWritten is stricter than a schema: a value stands there once, in UTF-8, and in its one notation.
func checkWritten(p *openapi3.Parameter, values []string) error {
	if len(values) > 1 {
		return errors.New("sent more than once")
	}
	for _, v := range values {
		if !utf8.ValidString(v) {
			return errors.New("not UTF-8")
		}
		if p.Schema.Value.Type.Is("integer") && !wholeNumber.MatchString(v) {
			return fmt.Errorf("%q is no whole number", v)
		}
	}
	return nil
}

// checkCredentials tells whether a request shows what a security scheme asks for.
func checkCredentials(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	req := input.RequestValidationInput.Request
	if input.SecurityScheme.In == "cookie" {
		_, err := req.Cookie(input.SecurityScheme.Name)
		return err
	}
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, input.SecurityScheme.Scheme) || token == "" {
		return fmt.Errorf("no Authorization of the scheme %q", input.SecurityScheme.Scheme)
	}
	return nil
}

// checkBody holds a request's body against the operation. One that nobody asked for has to be an object
// of fields all the same.
func checkBody(body sentBody, operation *openapi3.Operation) error {
	var wanted *openapi3.RequestBody
	if operation.RequestBody != nil {
		wanted = operation.RequestBody.Value
	}
	if body.empty {
		if wanted != nil && wanted.Required {
			return errors.New("it has no body")
		}
		return nil
	}
	if body.err != nil {
		return fmt.Errorf("read the body: %w", body.err)
	}
	if wanted == nil {
		return nil
	}
	content := wanted.Content[body.mediaType]
	if content == nil {
		return fmt.Errorf("content type %q is not documented", body.mediaType)
	}
	schema := content.Schema.Value
	for name, value := range body.fields {
		property := schema.Properties[name]
		switch {
		case property == nil:
			delete(body.fields, name) // nobody reads it
		case property.Value.Format == "binary":
			if n := filesIn(value); n != 1 {
				return fmt.Errorf("field %q is sent as %d files", name, n)
			}
			body.fields[name] = "" // what is in it may be anything
		case filesIn(value) > 0:
			return fmt.Errorf("field %q is sent as a file", name)
		}
	}
	return schema.VisitJSON(body.fields, openapi3.VisitAsRequest())
}

// sentBody is the body of a request as it went out.
type sentBody struct {
	mediaType string
	empty     bool
	fields    map[string]any
	err       error // why it can't be read into fields
}

// decodeBody reads a body of one of the three types into named values.
func decodeBody(contentType string, body io.Reader) sentBody {
	buffered := bufio.NewReader(body)
	if _, err := buffered.Peek(1); errors.Is(err, io.EOF) {
		return sentBody{empty: true}
	}
	sent := sentBody{}
	var params map[string]string
	if sent.mediaType, params, sent.err = mime.ParseMediaType(contentType); sent.err != nil {
		return sent
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		sent.err = fmt.Errorf("charset %q is not read", charset)
		return sent
	}
	switch sent.mediaType {
	case "application/json":
		sent.fields, sent.err = readJSON(buffered)
	case "application/x-www-form-urlencoded":
		sent.fields, sent.err = readForm(buffered)
	case "multipart/form-data":
		sent.fields, sent.err = readParts(buffered, params["boundary"])
	default:
		sent.err = fmt.Errorf("content type %q is not read", sent.mediaType)
	}
	return sent
}

func readJSON(r io.Reader) (map[string]any, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	// jsontext refuses what encoding/json lets pass: broken UTF-8, names twice, lone surrogates, trailing
	// bytes.
	if !jsontext.Value(body).IsValid() {
		return nil, errors.New("not one JSON value")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("null is no object")
	}
	return fields, nil
}

func readForm(r io.Reader) (map[string]any, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(body) {
		return nil, errors.New("not UTF-8")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	fields := make(map[string]any, len(form))
	for name, values := range form {
		if len(values) != 1 || !utf8.ValidString(values[0]) {
			return nil, fmt.Errorf("field %q is not one text", name)
		}
		fields[name] = values[0]
	}
	return fields, nil
}
