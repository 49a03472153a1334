package apitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-json-experiment/json/jsontext"
)

// checkAnswer tells whether the document allows an answer: its status, its headers, its content type
// and its body.
func checkAnswer(req *http.Request, route *routers.Route, resp *http.Response, answer []byte) error {
	response := route.Operation.Responses.Status(resp.StatusCode)
	if response == nil {
		// Asked here, not of openapi3filter: that lets some statuses pass without a look.
		return errors.New("this status is not documented")
	}
	if req.Method == http.MethodHead && len(answer) != 0 {
		return errors.New("an answer to HEAD has a body")
	}
	if err := checkHeaders(response.Value, resp.Header); err != nil {
		return err
	}
	if req.Method == http.MethodHead || len(response.Value.Content) == 0 {
		return nil
	}
	content := response.Value.Content.Get(resp.Header.Get("Content-Type"))
	if content == nil {
		return fmt.Errorf("content type %q is not documented", resp.Header.Get("Content-Type"))
	}
	if isFile(content) {
		return checkFile(resp)
	}
	if err := checkEncoding(resp, answer); err != nil {
		return err
	}
	if response.Value.Content["application/json"] == nil {
		// As it stands: openapi3filter would read YAML into an object.
		return content.Schema.Value.VisitJSON(string(answer))
	}
	err := openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route},
		Status:                 resp.StatusCode,
		Header:                 resp.Header,
		Body:                   io.NopCloser(bytes.NewReader(answer)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		return fmt.Errorf("compare with the schema: %w", err)
	}
	return nil
}

// checkHeaders holds the headers that the document names against it. openapi3filter leaves them alone in
// answers to HEAD and with some statuses.
func checkHeaders(response *openapi3.Response, header http.Header) error {
	for name, documented := range response.Headers {
		values := header.Values(name)
		if len(values) == 0 {
			if documented.Value.Required {
				return fmt.Errorf("header %s is missing", name)
			}
			continue
		}
		schema := documented.Value.Schema.Value
		var value any = strings.Join(values, ", ")
		if schema.Type.Is("integer") {
			n, err := strconv.ParseInt(values[0], 10, 64)
			if err != nil || len(values) > 1 {
				return fmt.Errorf("header %s: %q is no whole number", name, values)
			}
			value = float64(n)
		}
		if err := schema.VisitJSON(value); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return nil
}

// checkEncoding is stricter than a schema: text says that it is UTF-8, JSON is one value without a name
// twice, and its length is announced.
func checkEncoding(resp *http.Response, answer []byte) error {
	contentType := resp.Header.Get("Content-Type")
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("parse content type %q: %w", contentType, err)
	}
	if strings.HasPrefix(mediaType, "text/") && !strings.EqualFold(params["charset"], "utf-8") {
		return fmt.Errorf("content type %q does not say that it is UTF-8", contentType)
	}
	if mediaType != "application/json" {
		return nil
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return fmt.Errorf("content type %q: JSON is UTF-8", contentType)
	}
	if !jsontext.Value(answer).IsValid() {
		return errors.New("the body is not one JSON value in UTF-8 with each name once")
	}
	if resp.ContentLength != int64(len(answer)) && !resp.Uncompressed {
		return fmt.Errorf("Content-Length is %d, the body has %d bytes", resp.ContentLength, len(answer))
	}
	return nil
}

// anywhere maps the statuses that a request can meet before any operation is reached to what the
// document's components say of them; below /user, to those whose names begin with Member.
var anywhere = map[int]string{
	http.StatusForbidden:        "CrossSite",
	http.StatusNotFound:         "NotFound",
	http.StatusMethodNotAllowed: "MethodNotAllowed",
}

func isBelow(u *url.URL, prefix string) bool { return strings.HasPrefix(u.Path+"/", prefix+"/") }

// checkAnywhere judges an answer that comes before any operation is reached.
func (d *document) checkAnywhere(req *http.Request, resp *http.Response, answer []byte) error {
	component, ok := anywhere[resp.StatusCode]
	if !ok {
		return errors.New("the document has no such path or no such method for it")
	}
	if isBelow(req.URL, "/user") {
		component = "Member" + component
	}
	responses := openapi3.NewResponsesWithCapacity(1)
	responses.Set(strconv.Itoa(resp.StatusCode), d.spec.Components.Responses[component])
	route := &routers.Route{Spec: d.spec, Operation: &openapi3.Operation{Responses: responses}}
	return checkAnswer(req, route, resp, answer)
}

// checkMethod judges the answer for a method that a path of the document does not have: it has to name
// those that it has. HEAD comes with GET, and OPTIONS may be named: it answers preflights.
func (d *document) checkMethod(req *http.Request, p pathTemplate, resp *http.Response, answer []byte) error {
	if resp.StatusCode == http.StatusNotFound {
		return errors.New("the path is documented, with other methods")
	}
	if err := d.checkAnywhere(req, resp, answer); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		return err
	}
	var allowed []string
	for method := range strings.SplitSeq(strings.Join(resp.Header.Values("Allow"), ","), ",") {
		allowed = append(allowed, strings.TrimSpace(method))
	}
	for method := range p.item.Operations() {
		if !slices.Contains(allowed, method) {
			return fmt.Errorf("header Allow %q leaves out %s", allowed, method)
		}
	}
	for _, method := range allowed {
		if method != http.MethodOptions && d.route(p, method) == nil {
			return fmt.Errorf("header Allow %q names %s, which the document does not have", allowed, method)
		}
	}
	return nil
}

// checkOptions judges the answer to OPTIONS: a preflight of CORS (Fetch standard, section 3.2) is answered
// with 204 below /api, and below /user for an origin that may send its credentials, and anything else as a
// method that is not there.
func (d *document) checkOptions(req *http.Request, resp *http.Response, answer []byte) error {
	if resp.StatusCode != http.StatusNoContent {
		if p, _, ok := d.match(req.URL); ok {
			return d.checkMethod(req, p, resp, answer)
		}
		return d.checkAnywhere(req, resp, answer)
	}
	switch {
	case isBelow(req.URL, "/user") && resp.Header.Get("Access-Control-Allow-Credentials") != "true":
		return errors.New("/user answers preflights of listed origins only")
	case !isBelow(req.URL, "/user") && !isBelow(req.URL, "/api"):
		return errors.New("only /api and /user answer preflights")
	case len(answer) != 0:
		return errors.New("an answer to a preflight has a body")
	case req.Header.Get("Access-Control-Request-Method") != "" && resp.Header.Get("Access-Control-Allow-Methods") == "":
		return errors.New("an answer to a preflight lacks Access-Control-Allow-Methods")
	}
	return nil
}
