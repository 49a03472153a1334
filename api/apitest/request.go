package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
func checkRequest(req *http.Request, body []byte, route *routers.Route, params map[string]string) error {
	input := &openapi3filter.RequestValidationInput{
		Request:    req,
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
		values := query[p.Value.Name]
		if p.Value.In == openapi3.ParameterInPath {
			values = []string{params[p.Value.Name]}
		}
		if err := checkWritten(p.Value, values); err != nil {
			return fmt.Errorf("parameter %s: %w", p.Value.Name, err)
		}
	}
	return checkBody(req.Header.Get("Content-Type"), body, route.Operation)
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
func checkBody(contentType string, body []byte, operation *openapi3.Operation) error {
	var wanted *openapi3.RequestBody
	if operation.RequestBody != nil {
		wanted = operation.RequestBody.Value
	}
	if len(body) == 0 {
		if wanted != nil && wanted.Required {
			return errors.New("it has no body")
		}
		return nil
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("parse the content type: %w", err)
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return fmt.Errorf("charset %q is not read", charset)
	}
	fields, err := decodeBody(mediaType, body)
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	if wanted == nil {
		return nil
	}
	content := wanted.Content[mediaType]
	if content == nil {
		return fmt.Errorf("content type %q is not documented", mediaType)
	}
	return content.Schema.Value.VisitJSON(fields, openapi3.VisitAsRequest())
}

// decodeBody reads a body of one of the two types into named values.
func decodeBody(mediaType string, body []byte) (map[string]any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("not UTF-8")
	}
	switch mediaType {
	case "application/json":
		// jsontext refuses what encoding/json lets pass: names twice, lone surrogates, trailing bytes.
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
	case "application/x-www-form-urlencoded":
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
	return nil, fmt.Errorf("content type %q is not read", mediaType)
}
