// Package speak says the same things in the language of each system, and reads what it answers.
//
// What always holds: requests are whole HTTP/1.1 requests, appended to a slice that the caller owns; they
// carry what a plain client sends and nothing that would spare a server work; an answer is read into the
// same words whichever system gave it.
package speak

import (
	"encoding/json"
	"fmt"
	"strconv"

	"caesar/bench/sample"
)

// PageSize is how many items are on a page.
const PageSize = 20

// Session is a person who is logged in.
type Session struct {
	Person sample.Person
	Token  string
	ID     string // of the person, where the system asks for it
}

// Page is a page of a list: items as the list shows them, and how many there are on all pages.
type Page struct {
	Count int
	Rows  []Row
}

// Row is an item in a list.
type Row struct{ ID, Platform, URL string }

// Opened is what only an owner sees of an item.
type Opened struct{ Name, Email, Password string }

// Vault is the language of a system that keeps items.
type Vault interface {
	Login(b []byte, p sample.Person) []byte
	// List asks for a page from 1, of so many items, the newest first.
	List(b []byte, s Session, page, size int) []byte
	// Search asks for the first page of what has a term in its platform.
	Search(b []byte, s Session, term string) []byte
	View(b []byte, s Session, id string) []byte
	Create(b []byte, s Session, item sample.Item) []byte

	Session(p sample.Person, body []byte) (Session, error)
	Page(body []byte) (Page, error)
	Opened(body []byte) (Opened, error)
	// Made returns the id of the item that was created.
	Made(body []byte) (id string, err error)
}

// File is a file that a system keeps.
type File struct{ ID, Name string }

// Files is the language of a system that keeps files.
type Files interface {
	// Upload returns what goes before and after the bytes of a file.
	Upload(s Session, name string, size int64) (head, tail []byte)
	Uploaded(body []byte) (File, error)
	Download(b []byte, s Session, f File) []byte
	// Remove asks for a file to be deleted.
	Remove(b []byte, s Session, f File) []byte
}

// The types of bodies.
const (
	asJSON  = "application/json"
	nothing = ""
)

// request appends a request. What is empty is left out, but for the body of a request that has a type.
func request(b []byte, method, path, authorization, contentType string, body []byte) []byte {
	b = head(b, method, path, authorization, contentType, int64(len(body)))
	return append(b, body...)
}

// head appends a request but for its body.
func head(b []byte, method, path, authorization, contentType string, length int64) []byte {
	b = append(append(append(append(b, method...), ' '), path...), " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n"...)
	if authorization != "" {
		b = append(append(append(b, "Authorization: "...), authorization...), "\r\n"...)
	}
	if contentType != "" {
		b = append(append(append(b, "Content-Type: "...), contentType...), "\r\nContent-Length: "...)
		b = append(strconv.AppendInt(b, length, 10), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// fields is a JSON object of texts.
type fields map[string]string

func (f fields) bytes() []byte {
	b, err := json.Marshal(f)
	if err != nil {
		panic(err) // texts always are JSON
	}
	return b
}

// read reads an answer.
func read[T any](body []byte) (T, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("read answer: %w", err)
	}
	return v, nil
}

// boundary parts the bodies of uploads; no file holds it.
const boundary = "----bench-8f4e1c07d2"

// form returns what goes before and after a file in a form, with the fields before it.
func form(before fields, name string) (head, tail []byte) {
	for key, value := range before {
		head = fmt.Appendf(head, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, key, value)
	}
	head = fmt.Appendf(head, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=%q\r\nContent-Type: application/octet-stream\r\n\r\n", boundary, name)
	return head, fmt.Appendf(nil, "\r\n--%s--\r\n", boundary)
}

// upload returns the request that sends a file in a form, but for the file.
func upload(path, authorization string, before fields, name string, size int64) (whole, tail []byte) {
	start, tail := form(before, name)
	whole = head(nil, "POST", path, authorization, "multipart/form-data; boundary="+boundary, int64(len(start))+size+int64(len(tail)))
	return append(whole, start...), tail
}
