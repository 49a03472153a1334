// Package wire is what every HTTP surface needs to read a request and to write an answer: bodies of
// JSON or form data as one flat set of fields, a Reader that gathers everything wrong with them, JSON
// answers from pooled buffers, the one table from faults to statuses, and what the middleware of httpd
// knows of a request.
//
// What always holds: whatever a client sends ends in fields or in a *fault.Error, never in a 500;
// credentials are read from the body or the headers, never from the query; buffers that held a body or
// an answer are wiped before they are used again, since both may hold secrets; nothing here reads a
// value by reflection.
package wire
