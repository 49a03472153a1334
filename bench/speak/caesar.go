package speak

import (
	"errors"
	"fmt"
	"strconv"

	"caesar/bench/sample"
)

// Caesar speaks the interface of api/openapi.yaml.
type Caesar struct{}

var (
	_ Vault = Caesar{}
	_ Files = Caesar{}
)

func bearer(s Session) string { return "Bearer " + s.Token }

// Login implements Vault.
func (Caesar) Login(b []byte, p sample.Person) []byte {
	return request(b, "POST", "/api/login", nothing, asJSON,
		fields{"user_name": p.Name(), "password": sample.LoginPassword, "captcha": "", "captcha_id": ""}.bytes())
}

// List implements Vault.
func (Caesar) List(b []byte, s Session, page, size int) []byte {
	path := "/api/auth/account?page=" + strconv.Itoa(page) + "&page_size=" + strconv.Itoa(size)
	return request(b, "GET", path, bearer(s), nothing, nil)
}

// Search implements Vault.
func (Caesar) Search(b []byte, s Session, term string) []byte {
	path := "/api/auth/account?page=1&page_size=" + strconv.Itoa(PageSize) + "&platform=" + term
	return request(b, "GET", path, bearer(s), nothing, nil)
}

// View implements Vault.
func (Caesar) View(b []byte, s Session, id string) []byte {
	return request(b, "POST", "/api/auth/account/"+id, bearer(s), asJSON, []byte(`{"main_password":"`+sample.MainPassword+`"}`))
}

// Create implements Vault.
func (Caesar) Create(b []byte, s Session, item sample.Item) []byte {
	return request(b, "POST", "/api/auth/account", bearer(s), asJSON, fields{
		"name": item.Name, "email": item.Email, "password": item.Password, "platform": item.Platform, "url": item.URL,
		"main_password": sample.MainPassword,
	}.bytes())
}

// Log asks for the first page of the log of an item.
func (Caesar) Log(b []byte, s Session, id string) []byte {
	path := "/api/auth/account/" + id + "/log?page=1&page_size=" + strconv.Itoa(PageSize)
	return request(b, "GET", path, bearer(s), nothing, nil)
}

// Captcha asks for a picture.
func (Caesar) Captcha(b []byte) []byte {
	return request(b, "GET", "/api/captcha", nothing, nothing, nil)
}

// Session implements Vault.
func (Caesar) Session(p sample.Person, body []byte) (Session, error) {
	a, err := read[struct{ Token string }](body)
	if err == nil && a.Token == "" {
		err = errors.New("read answer: no token")
	}
	return Session{Person: p, Token: a.Token}, err
}

// Page implements Vault.
func (Caesar) Page(body []byte) (Page, error) {
	a, err := read[struct {
		Count int
		Data  []struct {
			ID                    int64
			Name, Email, Password string
			Platform, URL         string
		}
	}](body)
	p := Page{Count: a.Count}
	for _, row := range a.Data {
		for _, sealed := range []string{row.Name, row.Email, row.Password} {
			if len(sealed) < 2 || sealed[:2] != "2." {
				return p, fmt.Errorf("read answer: item %d is not sealed", row.ID)
			}
		}
		p.Rows = append(p.Rows, Row{ID: strconv.FormatInt(row.ID, 10), Platform: row.Platform, URL: row.URL})
	}
	return p, err
}

// Opened implements Vault.
func (Caesar) Opened(body []byte) (Opened, error) { return read[Opened](body) }

// Made implements Vault.
func (Caesar) Made(body []byte) (id string, err error) {
	a, err := read[struct{ ID int64 }](body)
	if err == nil && a.ID == 0 {
		err = errors.New("read answer: no id")
	}
	return strconv.FormatInt(a.ID, 10), err
}

// Logged returns how many entries the log of an item has.
func (Caesar) Logged(body []byte) (count int, err error) {
	a, err := read[struct {
		Count int
		Data  []struct{ Type *int }
	}](body)
	if err == nil && len(a.Data) != min(a.Count, PageSize) {
		err = fmt.Errorf("read answer: %d entries of %d", len(a.Data), a.Count)
	}
	return a.Count, err
}

// Upload implements Files.
func (Caesar) Upload(s Session, name string, size int64) (head, tail []byte) {
	return upload("/user/upload_file/", bearer(s), nil, name, size)
}

// Uploaded implements Files.
func (Caesar) Uploaded(body []byte) (File, error) {
	a, err := read[struct {
		Data struct {
			ID   int64
			Name string
		}
	}](body)
	if err == nil && a.Data.ID == 0 {
		err = errors.New("read answer: no id")
	}
	return File{ID: strconv.FormatInt(a.Data.ID, 10), Name: a.Data.Name}, err
}

// Download implements Files.
func (Caesar) Download(b []byte, s Session, f File) []byte {
	return request(b, "GET", "/user/files/"+f.ID+"/", bearer(s), nothing, nil)
}

// Remove implements Files.
func (Caesar) Remove(b []byte, s Session, f File) []byte {
	return request(b, "DELETE", "/user/files/"+f.ID+"/", bearer(s), nothing, nil)
}
