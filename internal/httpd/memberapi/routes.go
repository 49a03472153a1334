package memberapi

import (
	"net/http"
	"strings"

	"caesar/internal/httpd/wire"
)

// Prefix is where the surface is mounted.
const Prefix = "/user"

// New returns the surface of document 000.
func New(s Services) wire.Surface {
	a := &api{s}
	in := s.Sessions
	return wire.Surface{Prefix: Prefix, Fail: fail, Routes: bothSpellings([]wire.Route{
		{Pattern: "GET /user/register/{$}", Handler: visited(nothing, a.form, fail)},
		{Pattern: "POST /user/register/{$}", Handler: visited(readRegister, a.register, failRegister)},
		{Pattern: "GET /user/captcha/{$}", Handler: notByHead(visited(readSendCode, a.sendCode, fail), fail)},
		{Pattern: "GET /user/login/{$}", Handler: visited(nothing, a.form, fail)},
		{Pattern: "POST /user/login/{$}", Handler: visited(readLogin, a.login, failLogin), Guarded: true},
		{Pattern: "GET /user/logout/{$}", Handler: visited(readTokens, a.logout, fail), Guarded: true},

		{Pattern: "GET /user/get_user_info/{$}", Handler: loggedIn(in, nothing, a.profile)},
		{Pattern: "POST /user/update_user_info/{$}", Handler: loggedIn(in, readEdit, a.updateProfile)},

		{Pattern: "POST /user/upload_file/{$}", Handler: streamed(in, a.upload)},
		{Pattern: "GET /user/download_file/{$}", Handler: loggedIn(in, newest, a.download)},
		{Pattern: "GET /user/files/{$}", Handler: loggedIn(in, nothing, a.listFiles)},
		{Pattern: "GET /user/files/{id}/{$}", Handler: loggedIn(in, readID, a.download)},
		{Pattern: "DELETE /user/files/{id}/{$}", Handler: loggedIn(in, readID, a.deleteFile)},
	})}
}

// bothSpellings adds to each route the one without the slash at its end.
func bothSpellings(routes []wire.Route) []wire.Route {
	for _, route := range routes {
		route.Pattern = strings.TrimSuffix(route.Pattern, "/{$}")
		routes = append(routes, route)
	}
	return routes
}

// nothing is the request of an operation that takes none.
func nothing(*wire.Reader, *http.Request) struct{} { return struct{}{} }
