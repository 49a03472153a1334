package apitest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
)

// NewTransport returns a transport that sends what it is given through base, and reports to t whatever
// the document does not allow. Requests and answers pass unchanged; each answer is read whole before
// it is handed on. It is safe for concurrent use, as base is.
func NewTransport(t testing.TB, base http.RoundTripper) http.RoundTripper {
	t.Helper()
	return &transport{t: t, base: base, document: load()}
}

type transport struct {
	t        testing.TB
	base     http.RoundTripper
	document *document
}

// RoundTrip implements [http.RoundTripper].
func (tr *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, copyOf := watchBody(req)
	resp, err := tr.base.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		// Cut off on the way: the caller is to see that, and there is no whole answer to judge.
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer), broken{err}))
		return resp, nil //nolint:nilerr // the body gives the error
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))

	tr.t.Helper()
	body, err := copyOf()
	if err != nil {
		tr.t.Errorf("%s %s: read the request's body again: %v", req.Method, req.URL.Path, err)
		return resp, nil
	}
	if err := tr.document.check(req, body, resp, answer); err != nil {
		tr.t.Errorf("%s %s -> %d is not as the document says: %v\nanswer: %.500q",
			req.Method, req.URL.Path, resp.StatusCode, err, answer)
	}
	return resp, nil
}

// check finds what a request means in the document and judges the answer by it.
func (d *document) check(req *http.Request, body []byte, resp *http.Response, answer []byte) error {
	if req.Method == http.MethodOptions {
		return d.checkOptions(req, resp, answer)
	}
	p, params, ok := d.match(req.URL)
	if !ok {
		return d.checkAnywhere(req, resp, answer)
	}
	route := d.route(p, req.Method)
	if route == nil {
		return d.checkMethod(req, p, resp, answer)
	}
	saw(route.Operation.OperationID, resp.StatusCode)
	if err := checkAnswer(req, route, resp, answer); err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil
	}
	if err := checkRequest(req, body, route, params); err != nil {
		return fmt.Errorf("it succeeds, but the request is not allowed: %w", err)
	}
	return nil
}

// watchBody returns a request to send in place of req, and what gives its body once it was sent.
// A body that can't be had twice is copied while it is being sent, so that one that is slow stays slow.
func watchBody(req *http.Request) (sent *http.Request, copyOf func() ([]byte, error)) {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return req, func() ([]byte, error) { return nil, nil }
	case req.GetBody != nil:
		return req, func() ([]byte, error) {
			again, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			defer again.Close()
			return io.ReadAll(again)
		}
	}
	tee := &teeBody{ReadCloser: req.Body}
	sent = req.Clone(req.Context())
	sent.Body = tee
	return sent, tee.copyOf
}

// teeBody keeps what is read from a body. The transport may still be reading when the answer is there.
type teeBody struct {
	io.ReadCloser
	mu   sync.Mutex
	kept bytes.Buffer
}

// Read implements [io.Reader].
func (b *teeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept.Write(p[:n])
	return n, err
}

func (b *teeBody) copyOf() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.kept.Bytes()), nil
}

// broken is a reader that fails as the connection did.
type broken struct{ err error }

// Read implements [io.Reader].
func (b broken) Read([]byte) (int, error) { return 0, b.err }
