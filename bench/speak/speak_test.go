package speak_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"caesar/bench/sample"
	"caesar/bench/speak"
)

// said is a request as a server reads it.
type said struct {
	method, url, authorization string
	body                       map[string]string
}

// parse reads a request with Go's own parser, to its last byte.
func parse(t *testing.T, request []byte) said {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(request))
	r, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("%v in %q", err, request)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || in.Buffered() > 0 {
		t.Fatalf("%v, and %d bytes are left of %q", err, in.Buffered(), request)
	}
	s := said{method: r.Method, url: r.URL.String(), authorization: r.Header.Get("Authorization")}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &s.body); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%v in %q of %q", err, body, r.Header.Get("Content-Type"))
		}
	}
	return s
}

var (
	who  = speak.Session{Person: 7, Token: "tok", ID: "me"}
	item = sample.Person(7).Item(3)
)

func TestRequestsAreWholeAndSayTheSameToEverySystem(t *testing.T) {
	t.Parallel()
	kept := map[string]string{"name": item.Name, "email": item.Email, "password": item.Password, "platform": item.Platform, "url": item.URL}
	with := func(more ...string) map[string]string {
		m := maps.Clone(kept)
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	var c speak.Caesar
	var p speak.PocketBase
	for _, one := range []struct {
		request []byte
		want    said
	}{
		{c.Login(nil, 7), said{"POST", "/api/login", "", map[string]string{"user_name": "person000007", "password": sample.LoginPassword, "captcha": "", "captcha_id": ""}}},
		{c.List(nil, who, 3, 20), said{"GET", "/api/auth/account?page=3&page_size=20", "Bearer tok", nil}},
		{c.Search(nil, who, "amber"), said{"GET", "/api/auth/account?page=1&page_size=20&platform=amber", "Bearer tok", nil}},
		{c.View(nil, who, "9"), said{"POST", "/api/auth/account/9", "Bearer tok", map[string]string{"main_password": sample.MainPassword}}},
		{c.Create(nil, who, item), said{"POST", "/api/auth/account", "Bearer tok", with("main_password", sample.MainPassword)}},
		{c.Log(nil, who, "9"), said{"GET", "/api/auth/account/9/log?page=1&page_size=20", "Bearer tok", nil}},
		{c.Captcha(nil), said{"GET", "/api/captcha", "", nil}},
		{c.Download(nil, who, speak.File{ID: "5"}), said{"GET", "/user/files/5/", "Bearer tok", nil}},
		{c.Remove(nil, who, speak.File{ID: "5"}), said{"DELETE", "/user/files/5/", "Bearer tok", nil}},

		{p.Login(nil, 7), said{"POST", "/api/collections/users/auth-with-password", "", map[string]string{"identity": "person000007@example.org", "password": sample.LoginPassword}}},
		{p.List(nil, who, 3, 20), said{"GET", "/api/collections/accounts/records?page=3&perPage=20&sort=-created", "tok", nil}},
		{p.Search(nil, who, "amber"), said{"GET", "/api/collections/accounts/records?page=1&perPage=20&sort=-created&filter=platform~%22amber%22", "tok", nil}},
		{p.View(nil, who, "9"), said{"GET", "/api/collections/accounts/records/9", "tok", nil}},
		{p.Create(nil, who, item), said{"POST", "/api/collections/accounts/records", "tok", with("owner", "me")}},
		{p.Download(nil, who, speak.File{ID: "5", Name: "x.bin"}), said{"GET", "/api/files/backups/5/x.bin", "tok", nil}},
		{p.Remove(nil, who, speak.File{ID: "5"}), said{"DELETE", "/api/collections/backups/records/5", "tok", nil}},

		{speak.Plain{}.Answer(nil, 12), said{"GET", "/answer/12", "", nil}},
		{speak.Plain{}.Argon2id(nil), said{"GET", "/argon2id", "", nil}},
		{speak.Plain{}.Download(nil, who, speak.File{Name: "x"}), said{"GET", "/files/x", "", nil}},
		{speak.Plain{}.Remove(nil, who, speak.File{Name: "x"}), said{"DELETE", "/files/x", "", nil}},
	} {
		got := parse(t, one.request)
		if got.method != one.want.method || got.url != one.want.url || got.authorization != one.want.authorization || !maps.Equal(got.body, one.want.body) {
			t.Errorf("%+v, and not %+v", got, one.want)
		}
	}
	if b := c.List([]byte("before"), who, 1, 20); !bytes.HasPrefix(b, []byte("beforeGET ")) {
		t.Errorf("%.20q", b)
	}
}

func TestAnUploadIsAFormThatIsAsLongAsItSays(t *testing.T) {
	t.Parallel()
	const content = "what the file holds"
	for name, files := range map[string]speak.Files{"caesar": speak.Caesar{}, "pocketbase": speak.PocketBase{}} {
		head, tail := files.Upload(who, "a.bin", int64(len(content)))
		in := bufio.NewReader(strings.NewReader(string(head) + content + string(tail)))
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Fatal(name, err)
		}
		f, label, err := r.FormFile("file")
		if err != nil {
			t.Fatal(name, err)
		}
		got, _ := io.ReadAll(f)
		rest, _ := io.ReadAll(io.MultiReader(r.Body, in))
		if string(got) != content || label.Filename != "a.bin" || len(rest) != 0 || (name == "pocketbase") != (r.FormValue("owner") == "me") {
			t.Errorf("%s: %q as %q of %q, with %q behind it", name, got, label.Filename, r.FormValue("owner"), rest)
		}
	}
	head, tail := speak.Plain{}.Upload(who, "a.bin", int64(len(content)))
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(head) + content)))
	if err != nil || len(tail) != 0 {
		t.Fatalf("%v, and %q", err, tail)
	}
	if got, err := io.ReadAll(r.Body); err != nil || string(got) != content || r.URL.Path != "/files/a.bin" {
		t.Errorf("%q to %s, %v", got, r.URL.Path, err)
	}
}

func TestAnswersAreReadIntoTheSameWords(t *testing.T) {
	t.Parallel()
	caesar := `{"data":[{"id":12,"user_id":1,"name":"2.a|b|c","email":"2.a|b|c","password":"2.a|b|c","platform":"P","url":"u","created_at":1,"updated_at":1}],"count":31,"page":1,"page_size":20}`
	pocketbase := `{"items":[{"collectionId":"x","id":"12","name":"n","platform":"P","url":"u"}],"page":1,"perPage":20,"totalItems":31,"totalPages":2}`
	want := speak.Page{Count: 31, Rows: []speak.Row{{ID: "12", Platform: "P", URL: "u"}}}
	for body, vault := range map[string]speak.Vault{caesar: speak.Caesar{}, pocketbase: speak.PocketBase{}} {
		if got, err := vault.Page([]byte(body)); err != nil || got.Count != want.Count || !slices.Equal(got.Rows, want.Rows) {
			t.Errorf("%+v, %v", got, err)
		}
		opened, err := vault.Opened([]byte(`{"name":"n","email":"e","password":"p"}`))
		if err != nil || opened != (speak.Opened{Name: "n", Email: "e", Password: "p"}) {
			t.Errorf("%+v, %v", opened, err)
		}
	}
	s, err := speak.PocketBase{}.Session(3, []byte(`{"token":"t","record":{"id":"u"}}`))
	if err != nil || s != (speak.Session{Person: 3, Token: "t", ID: "u"}) {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = (speak.Caesar{}).Session(3, []byte(`{"token":"t"}`)); err != nil || s != (speak.Session{Person: 3, Token: "t"}) {
		t.Errorf("%+v, %v", s, err)
	}
	if f, err := (speak.Caesar{}).Uploaded([]byte(`{"code":200,"data":{"id":5,"name":"a"}}`)); err != nil || f != (speak.File{ID: "5", Name: "a"}) {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := (speak.PocketBase{}).Uploaded([]byte(`{"id":"5","file":"a_x.bin"}`)); err != nil || f != (speak.File{ID: "5", Name: "a_x.bin"}) {
		t.Errorf("%+v, %v", f, err)
	}
	if n, err := (speak.Caesar{}).Logged([]byte(`{"data":[{"type":0}],"count":1}`)); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestAnAnswerThatLacksSomethingIsAnError(t *testing.T) {
	t.Parallel()
	var c speak.Caesar
	var p speak.PocketBase
	for name, err := range map[string]error{
		"an item in the clear": second(c.Page([]byte(`{"data":[{"id":1,"name":"2.x","email":"2.x","password":"secret"}],"count":1}`))),
		"a cut page":           second(c.Page([]byte(`{"data":[`))),
		"another cut page":     second(p.Page([]byte(`{"items":[`))),
		"no token":             second(c.Session(1, []byte(`{}`))),
		"no person":            second(p.Session(1, []byte(`{"token":"t"}`))),
		"no id":                second(c.Made([]byte(`{"message":"ok"}`))),
		"no record":            second(p.Made([]byte(`{}`))),
		"no version":           second(c.Uploaded([]byte(`{"code":200}`))),
		"no file":              second(p.Uploaded([]byte(`{"id":"5"}`))),
		"a log of too little":  second(c.Logged([]byte(`{"data":[],"count":3}`))),
		"nothing opened":       second(c.Opened([]byte(``))),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }
