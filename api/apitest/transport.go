package apitest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// NewTransport returns a transport that sends what it is given through base, and reports to t whatever
// the document does not allow. Requests and answers pass unchanged; each answer is read whole before
// it is handed on, but for files, which are judged as they pass, and of which nothing is kept. It is safe
// for concurrent use, as base is.
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
	tr.t.Helper()
	sent, bodyOf := watchBody(req)
	resp, err := tr.base.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	failed := func(err error, answer []byte) {
		tr.t.Helper()
		tr.t.Errorf("%s %s -> %d is not as the document says: %v\nanswer: %.500q",
			req.Method, req.URL.Path, resp.StatusCode, err, answer)
	}
	var answer []byte
	if tr.document.bearsFile(req, resp) {
		resp.Body = watchFile(resp, func(err error) { failed(err, nil) })
	} else {
		answer, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			// Cut off on the way: the caller is to see that, and there is no whole answer to judge.
			resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer), broken{err}))
			return resp, nil //nolint:nilerr // the body gives the error
		}
		resp.Body = io.NopCloser(bytes.NewReader(answer))
	}
	if err := tr.document.check(req, bodyOf, resp, answer); err != nil {
		failed(err, answer)
	}
	return resp, nil
}

// check finds what a request means in the document and judges the answer by it.
func (d *document) check(req *http.Request, bodyOf func() sentBody, resp *http.Response, answer []byte) error {
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
	if err := checkRequest(req, bodyOf(), route, params); err != nil {
		return fmt.Errorf("it succeeds, but the request is not allowed: %w", err)
	}
	return nil
}

// watchBody returns a request to send in place of req, and what gives its body once it was answered.
// A body that can't be had twice is read while it is being sent, so that one that is slow stays slow.
func watchBody(req *http.Request) (sent *http.Request, bodyOf func() sentBody) {
	contentType := req.Header.Get("Content-Type")
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return req, func() sentBody { return sentBody{empty: true} }
	case req.GetBody != nil:
		return req, func() sentBody {
			again, err := req.GetBody()
			if err != nil {
				return sentBody{err: err}
			}
			defer again.Close()
			return decodeBody(contentType, again)
		}
	}
	reader, writer := io.Pipe()
	read := make(chan sentBody, 1)
	go func() {
		read <- decodeBody(contentType, reader)
		_, _ = io.Copy(io.Discard, reader) // what follows the last boundary, and whatever could not be read
	}()
	sent = req.Clone(req.Context())
	sent.Body = &watchedBody{ReadCloser: req.Body, copy: writer}
	return sent, func() sentBody { return <-read } // the base closes the body, if not at once
}

// watchedBody hands on a copy of what is read from a body.
type watchedBody struct {
	io.ReadCloser
	copy *io.PipeWriter
}

// Read implements [io.Reader].
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	_, _ = b.copy.Write(p[:n]) // fails only after Close, when nobody may read any more
	if err != nil {
		b.copy.CloseWithError(err)
	}
	return n, err
}

// Close implements [io.Closer]. Unless the body was read to its end, the copy is cut.
func (b *watchedBody) Close() error {
	b.copy.CloseWithError(io.ErrUnexpectedEOF)
	return b.ReadCloser.Close()
}

// broken is a reader that fails as the connection did.
type broken struct{ err error }

// Read implements [io.Reader].
func (b broken) Read([]byte) (int, error) { return 0, b.err }
