package speak

import (
	"errors"
	"strconv"

	"caesar/bench/sample"
)

// PocketBase speaks the Web API of PocketBase, of the collections that bench/pocketbase makes.
type PocketBase struct{}

var (
	_ Vault = PocketBase{}
	_ Files = PocketBase{}
)

const (
	itemRecords = "/api/collections/accounts/records"
	fileRecords = "/api/collections/backups/records"
)

// Login implements Vault.
func (PocketBase) Login(b []byte, p sample.Person) []byte {
	return request(b, "POST", "/api/collections/users/auth-with-password", nothing, asJSON,
		fields{"identity": p.Email(), "password": sample.LoginPassword}.bytes())
}

// List implements Vault.
func (PocketBase) List(b []byte, s Session, page, size int) []byte {
	path := itemRecords + "?page=" + strconv.Itoa(page) + "&perPage=" + strconv.Itoa(size) + "&sort=-created"
	return request(b, "GET", path, s.Token, nothing, nil)
}

// Search implements Vault.
func (PocketBase) Search(b []byte, s Session, term string) []byte {
	path := itemRecords + "?page=1&perPage=" + strconv.Itoa(PageSize) + "&sort=-created&filter=platform~%22" + term + "%22"
	return request(b, "GET", path, s.Token, nothing, nil)
}

// View implements Vault.
func (PocketBase) View(b []byte, s Session, id string) []byte {
	return request(b, "GET", itemRecords+"/"+id, s.Token, nothing, nil)
}

// Create implements Vault.
func (PocketBase) Create(b []byte, s Session, item sample.Item) []byte {
	return request(b, "POST", itemRecords, s.Token, asJSON, fields{
		"owner": s.ID, "name": item.Name, "email": item.Email, "password": item.Password, "platform": item.Platform, "url": item.URL,
	}.bytes())
}

// Session implements Vault.
func (PocketBase) Session(p sample.Person, body []byte) (Session, error) {
	a, err := read[struct {
		Token  string
		Record struct{ ID string }
	}](body)
	if err == nil && (a.Token == "" || a.Record.ID == "") {
		err = errors.New("read answer: no token")
	}
	return Session{Person: p, Token: a.Token, ID: a.Record.ID}, err
}

// Page implements Vault.
func (PocketBase) Page(body []byte) (Page, error) {
	a, err := read[struct {
		TotalItems int
		Items      []Row
	}](body)
	return Page{Count: a.TotalItems, Rows: a.Items}, err
}

// Opened implements Vault.
func (PocketBase) Opened(body []byte) (Opened, error) { return read[Opened](body) }

// Made implements Vault.
func (PocketBase) Made(body []byte) (id string, err error) {
	a, err := read[struct{ ID string }](body)
	if err == nil && a.ID == "" {
		err = errors.New("read answer: no id")
	}
	return a.ID, err
}

// Upload implements Files.
func (PocketBase) Upload(s Session, name string, size int64) (head, tail []byte) {
	return upload(fileRecords, s.Token, fields{"owner": s.ID}, name, size)
}

// Uploaded implements Files.
func (PocketBase) Uploaded(body []byte) (File, error) {
	a, err := read[struct{ ID, File string }](body)
	if err == nil && (a.ID == "" || a.File == "") {
		err = errors.New("read answer: no file")
	}
	return File{ID: a.ID, Name: a.File}, err
}

// Download implements Files.
func (PocketBase) Download(b []byte, s Session, f File) []byte {
	return request(b, "GET", "/api/files/backups/"+f.ID+"/"+f.Name, s.Token, nothing, nil)
}

// Remove implements Files.
func (PocketBase) Remove(b []byte, s Session, f File) []byte {
	return request(b, "DELETE", fileRecords+"/"+f.ID, s.Token, nothing, nil)
}
