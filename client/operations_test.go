package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"caesar/api"
	"caesar/api/apitest"
	"caesar/client"
)

// document returns the document of the interface.
func document(t testing.TB) *openapi3.T {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(bytes.Clone(api.Spec))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// examples is a server that answers every operation with the example of its success in the document, and
// sets the headers that have an example too.
func examples(t testing.TB) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for path, item := range document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			success := operation.Responses.Status(http.StatusOK)
			if success == nil || success.Value.Content["application/json"] == nil {
				continue
			}
			example, err := json.Marshal(success.Value.Content["application/json"].Schema.Value.Example)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, "/") {
				path += "{$}"
			}
			mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				for name, header := range success.Value.Headers {
					if header.Value.Example != nil {
						w.Header().Set(name, fmt.Sprint(header.Value.Example))
					}
				}
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				w.Header().Set("Cache-Control", "no-store")
				w.Header().Set("X-Request-Id", "test")
				_, _ = w.Write(example)
			})
		}
	}
	for _, path := range []string{"/user/download_file/{$}", "/user/files/{id}/{$}"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			for name, header := range document(t).Components.Responses["File"].Value.Headers {
				w.Header().Set(name, fmt.Sprint(header.Value.Example))
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("X-Request-Id", "test")
			http.ServeContent(w, r, "", time.Unix(1767225600, 0), strings.NewReader("test"))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// newClient returns a client whose every request and answer is held against the document.
func newClient(t testing.TB, server *httptest.Server, options ...client.Option) *client.Client {
	t.Helper()
	transport := apitest.NewTransport(t, server.Client().Transport)
	options = append([]client.Option{client.WithHTTPClient(&http.Client{Transport: transport})}, options...)
	c, err := client.New(server.URL, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// operation calls a method, with what the example of its operation answers.
type operation struct {
	call func(context.Context, *client.Client) (any, error)
	want any
}

// operations calls every method of the interface under /api.
var operations = map[string]operation{
	"Captcha": {func(ctx context.Context, c *client.Client) (any, error) {
		drawn, err := c.Captcha(ctx)
		return drawn.ID, err
	}, "sPCAJGpiPSWI_WqEJ1dSh3A65KhFHgQ9mV8ejwr8O9eKFtYdpNlFvHARHiULmpDuPJMK7XWRkoQ"},
	"Register": {func(ctx context.Context, c *client.Client) (any, error) {
		return c.Register(ctx, client.Registration{
			UserName: "李雷", RealName: "李雷", Email: "lilei@example.com", Phone: "13800138000",
			Password: "correct horse", MainPassword: "battery staple", Captcha: "30617", CaptchaID: "x",
		})
	}, int64(1)},
	"SendCode": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.SendCode(ctx, "lilei@example.com", client.ForPassword)
	}, nil},
	"Activate": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.Activate(ctx, "lilei@example.com", "204816")
	}, nil},
	"ResetPassword": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.ResetPassword(ctx, "lilei@example.com", "204816", "wrong horse")
	}, nil},
	"Login": {func(ctx context.Context, c *client.Client) (any, error) {
		err := c.Login(ctx, client.Credentials{UserName: "李雷", Password: "correct horse"})
		return c.Token(), err
	}, "1yqXVt2LRIpjiqd1jfL8AG6zJB4JJNsRelhMtTtGqpo"},
	"CloseAccount": {func(ctx context.Context, c *client.Client) (any, error) {
		err := c.CloseAccount(ctx)
		return c.Token(), err
	}, ""},
	"Profile": {func(ctx context.Context, c *client.Client) (any, error) { return c.Profile(ctx) }, client.UserProfile{
		ID: 1, UserName: "李雷", RealName: "李雷", Email: "lilei@example.com", Phone: "13800138000",
		MainPasswordSet: true, CreatedAt: 1767225600,
	}},
	"UpdateProfile": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.UpdateProfile(ctx, client.ProfileUpdate{RealName: "李雷", Email: "a@b", Phone: "1"})
	}, nil},
	"Erase": {func(ctx context.Context, c *client.Client) (any, error) {
		err := c.Erase(ctx, "correct horse")
		return c.Token(), err
	}, ""},
	"ChangePassword": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.ChangePassword(ctx, "correct horse", "wrong horse")
	}, nil},
	"SetMainPassword": {func(ctx context.Context, c *client.Client) (any, error) {
		if err := c.SetMainPassword(ctx, "", "paper clip"); err != nil {
			return nil, err
		}
		return nil, c.SetMainPassword(ctx, "paper clip", "battery staple")
	}, nil},
	"SignOut": {func(ctx context.Context, c *client.Client) (any, error) {
		err := c.SignOut(ctx)
		return c.Token(), err
	}, ""},
	"Sessions": {func(ctx context.Context, c *client.Client) (any, error) { return c.Sessions(ctx) }, []client.Session{{
		ID: 3, Current: true, UserAgent: "curl/8.5.0", Address: "192.0.2.7",
		CreatedAt: 1767225600, LastUsedAt: 1767229200, ExpiresAt: 1769817600,
	}}},
	"EndSession": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.EndSession(ctx, 3)
	}, nil},
	"EndOtherSessions": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.EndOtherSessions(ctx)
	}, nil},
	"CreateItem": {func(ctx context.Context, c *client.Client) (any, error) {
		return c.CreateItem(ctx, "battery staple", client.NewItem{Name: "lilei", Password: "s3kr1t!", Platform: "百度"})
	}, int64(7)},
	"ListItems": {func(ctx context.Context, c *client.Client) (any, error) {
		page, err := c.ListItems(ctx, client.ItemQuery{
			Paging: client.Paging{Page: 1, PageSize: 200}, Platform: "百&度",
			DateStart: time.Unix(1767225600, 0), DateEnd: time.Unix(1767225601, 0),
		})
		page.Data[0].Name, page.Data[0].Email, page.Data[0].Password = "", "", ""
		return page, err
	}, client.Page[client.Item]{Count: 1, Page: 1, PageSize: 20, Data: []client.Item{{
		ID: 7, UserID: 1, Platform: "百度 Baidu", URL: "https://www.baidu.com", CreatedAt: 1767225600, UpdatedAt: 1767225600,
	}}}},
	"RevealItem": {func(ctx context.Context, c *client.Client) (any, error) {
		return c.RevealItem(ctx, 7, "battery staple")
	}, client.Secret{Name: "lilei", Email: "lilei@example.com", Password: "s3kr1t!"}},
	"EditItem": {func(ctx context.Context, c *client.Client) (any, error) {
		platform, address := "Baidu", ""
		edited, err := c.EditItem(ctx, 7, "battery staple", client.ItemEdit{
			Name: "n", Password: "p", Platform: &platform, URL: &address,
		})
		return edited.UpdatedAt.Time().UTC().Format(time.DateTime), err
	}, "2026-01-02 00:00:00"},
	"DeleteItem": {func(ctx context.Context, c *client.Client) (any, error) {
		return nil, c.DeleteItem(ctx, 7, "battery staple")
	}, nil},
	"ItemLog": {func(ctx context.Context, c *client.Client) (any, error) {
		return c.ItemLog(ctx, 7, client.Paging{})
	}, client.Page[client.Event]{Count: 2, Page: 1, PageSize: 20, Data: []client.Event{
		{ID: 12, ItemID: 7, Type: client.Viewed, CreatedAt: 1767312000, UpdatedAt: 1767312000},
		{ID: 11, ItemID: 7, Type: client.Created, CreatedAt: 1767225600, UpdatedAt: 1767225600},
	}}},
	"Log": {func(ctx context.Context, c *client.Client) (any, error) {
		return c.Log(ctx, client.Paging{Page: 1, PageSize: 2})
	}, client.Page[client.Event]{Count: 14, Page: 1, PageSize: 2, Data: []client.Event{
		{ID: 14, ItemID: 7, Type: client.Deleted, CreatedAt: 1767398400, UpdatedAt: 1767398400},
		{ID: 13, ItemID: 0, Type: client.WrongMainPassword, CreatedAt: 1767398300, UpdatedAt: 1767398300},
	}}},
}

func TestEveryOperationSendsAndReadsWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	server := examples(t)
	all := maps.Clone(operations)
	maps.Copy(all, memberOperations)
	for name, operation := range all {
		for how, options := range map[string][]client.Option{
			"JSON": nil, "form": {client.WithForms()}, "JSON with a cookie": {client.WithCookies()},
		} {
			t.Run(name+" as "+how, func(t *testing.T) {
				t.Parallel()
				c := newClient(t, server, append(options, client.WithToken("an earlier one"))...)
				got, err := operation.call(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, operation.want) {
					t.Errorf("got %+v, want %+v", got, operation.want)
				}
			})
		}
	}
}

func TestMethodsAreTheOperationsOfTheDocument(t *testing.T) {
	t.Parallel()
	methods := map[string]bool{}
	for method := range reflect.TypeFor[*client.Client]().Methods() {
		methods[method.Name] = true
	}
	for method := range reflect.TypeFor[client.Member]().Methods() {
		methods["Member"+method.Name] = true
	}
	documented := map[string]bool{"Token": true, "SetToken": true, "Member": true} // the client's own affair
	for path, item := range document(t).Paths.Map() {
		if !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/user/") {
			continue
		}
		for _, operation := range item.Operations() {
			id := operation.OperationID
			if strings.HasSuffix(id, "Page") {
				continue // for browsers
			}
			documented[id] = true
			if !methods[id] {
				t.Errorf("the client lacks the operation %s", id)
			}
			if _, ok := operations[id]; !ok && memberOperations[id].call == nil {
				t.Errorf("operation %s has no test", id)
			}
		}
	}
	for method := range methods {
		if !documented[method] {
			t.Errorf("the document lacks the method %s", method)
		}
	}
}
