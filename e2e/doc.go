// Package e2e holds the tests of the whole: the real program, asked over HTTP as its users ask it.
//
// make test runs them twice: on what the program keeps in its data folder, and with CAESAR_TEST_BACKEND=postgres
// on PostgreSQL and an S3 store. A test that is about one of them says so where it starts its server.
//
// What always holds: every request and every answer is held against api/openapi.yaml; a server that
// answered any request with a 5xx fails its test, whatever the test looked at.
package e2e
