package wire_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"caesar/internal/httpd/wire"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target, authorization, cookie string
		token                         string
		byCookie                      bool
	}{
		"none":                         {},
		"bearer":                       {authorization: "Bearer abc", token: "abc"},
		"scheme in any case":           {authorization: "bEARER abc", token: "abc"},
		"spaces":                       {authorization: "Bearer   abc", token: "abc"},
		"cookie":                       {cookie: "sessionid=abc", token: "abc", byCookie: true},
		"cookie among others":          {cookie: "a=b; sessionid=abc; c=d", token: "abc", byCookie: true},
		"bearer before cookie":         {authorization: "Bearer abc", cookie: "sessionid=def", token: "abc"},
		"another scheme":               {authorization: "Basic YTpi"},
		"another scheme and cookie":    {authorization: "Basic YTpi", cookie: "sessionid=def", token: "def", byCookie: true},
		"a scheme alone":               {authorization: "Bearer"},
		"an empty bearer":              {authorization: "Bearer "},
		"an empty bearer and a cookie": {authorization: "Bearer ", cookie: "sessionid=def", token: "def", byCookie: true},
		"no scheme":                    {authorization: "abc"},
		"an empty cookie":              {cookie: "sessionid="},
		"the query":                    {target: "/?token=abc&sessionid=abc&access_token=abc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if c.target != "" {
				r = httptest.NewRequest(http.MethodGet, c.target, nil)
			}
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			if c.cookie != "" {
				r.Header.Set("Cookie", c.cookie)
			}
			if token, byCookie := wire.Token(r); token != c.token || byCookie != c.byCookie {
				t.Errorf("got %q (by cookie: %t), want %q (%t)", token, byCookie, c.token, c.byCookie)
			}
		})
	}
}
