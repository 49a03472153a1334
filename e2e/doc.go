// Package e2e holds the tests of the whole: the real program, asked over HTTP as its users ask it.
//
// What always holds: every request and every answer is held against api/openapi.yaml; a server that
// answered any request with a 5xx fails its test, whatever the test looked at.
package e2e
