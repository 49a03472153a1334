package vaultapi

import "caesar/internal/httpd/wire"

// Prefix is where the surface is mounted.
const Prefix = "/api"

// New returns the surface of document 003.
func New(s Services) wire.Surface {
	a := &api{s}
	in := s.Sessions
	return wire.Surface{Prefix: Prefix, Fail: wire.Fail, AnyOrigin: true, Routes: []wire.Route{
		{Pattern: "GET /api/captcha", Handler: visited(nothing, a.drawCaptcha)},
		{Pattern: "POST /api/register", Handler: visited(readRegister, a.register)},
		{Pattern: "PUT /api/email", Handler: visited(readSendCode, a.sendCode)},
		{Pattern: "POST /api/activation", Handler: visited(readActivate, a.activate)},
		{Pattern: "POST /api/password", Handler: visited(readReset, a.resetPassword)},
		{Pattern: "POST /api/login", Handler: visited(readLogin, a.login)},

		{Pattern: "GET /api/auth/me", Handler: loggedIn(in, nothing, a.profile)},
		{Pattern: "PUT /api/auth/me", Handler: loggedIn(in, readProfile, a.updateProfile)},
		{Pattern: "DELETE /api/auth/me", Handler: loggedIn(in, readErase, a.erase)},
		{Pattern: "DELETE /api/auth/logout", Handler: loggedIn(in, nothing, a.closeAccount)},
		{Pattern: "PUT /api/auth/password", Handler: loggedIn(in, readChangePassword, a.changePassword)},
		{Pattern: "PUT /api/auth/main_password", Handler: loggedIn(in, readMainPassword, a.setMainPassword)},

		{Pattern: "DELETE /api/auth/session", Handler: loggedIn(in, nothing, a.signOut)},
		{Pattern: "GET /api/auth/sessions", Handler: loggedIn(in, nothing, a.listSessions)},
		{Pattern: "DELETE /api/auth/sessions", Handler: loggedIn(in, nothing, a.endOtherSessions)},
		{Pattern: "DELETE /api/auth/sessions/{id}", Handler: loggedIn(in, readID, a.endSession)},

		{Pattern: "POST /api/auth/account", Handler: loggedIn(in, readCreate, a.createItem)},
		{Pattern: "GET /api/auth/account", Handler: loggedIn(in, a.readList, a.listItems)},
		{Pattern: "POST /api/auth/account/{id}", Handler: loggedIn(in, readUnlock, a.viewItem)},
		{Pattern: "PUT /api/auth/account/{id}", Handler: loggedIn(in, readEdit, a.editItem)},
		{Pattern: "DELETE /api/auth/account/{id}", Handler: loggedIn(in, readUnlock, a.deleteItem)},
		{Pattern: "GET /api/auth/account/{id}/log", Handler: loggedIn(in, readItemLog, a.itemLog)},
		{Pattern: "GET /api/auth/log", Handler: loggedIn(in, readPage, a.wholeLog)},
	}}
}
