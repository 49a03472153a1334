package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"caesar/client"
	"caesar/internal/testbed"
)

func TestWhoRegistersAsAMemberKeepsItemsOnceAMainPasswordIsSet(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m := l.member()
	m.password = "123456" // the least that the vault's own clients offer
	if err := m.Member.UpdateProfile(t.Context(), client.MemberUpdate{Password: &m.password}); err != nil {
		t.Fatal(err)
	}
	vault := l.client()
	if err := vault.Login(t.Context(), client.Credentials{UserName: m.name, Password: m.password, Captcha: "x", CaptchaID: "x"}); err != nil {
		t.Fatalf("log in to the vault: %v", err)
	}
	if profile, err := vault.Profile(t.Context()); err != nil || profile.UserName != m.name || profile.Email != m.email || profile.MainPasswordSet {
		t.Errorf("the vault knows %+v, %v", profile, err)
	}
	item := client.NewItem{Name: "n", Password: "p", Platform: "x"}
	const main = "battery staple"
	if _, err := vault.CreateItem(t.Context(), main, item); client.Slug(err) != client.MainPasswordUnset {
		t.Errorf("an item without a main password: %v", err)
	}
	if err := vault.SetMainPassword(t.Context(), "", m.password); client.Slug(err) != client.Invalid {
		t.Errorf("the login password as main password: %v", err)
	}
	if err := vault.SetMainPassword(t.Context(), "", main); err != nil {
		t.Fatal(err)
	}
	id, err := vault.CreateItem(t.Context(), main, item)
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := vault.RevealItem(t.Context(), id, main); err != nil || secret.Password != "p" {
		t.Errorf("the item is %+v, %v", secret, err)
	}
	m.login(t) // the main password that was set ended the other sessions
	next := main
	if err := m.Member.UpdateProfile(t.Context(), client.MemberUpdate{Password: &next}); client.Slug(err) != client.Invalid {
		t.Errorf("the main password as login password: %v", err)
	}
}

func TestWhoRegistersForTheVaultBacksUpAsAMember(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p := l.person()
	here := l.client()
	if err := here.Member().Login(t.Context(), p.Email, p.Password, true); err != nil {
		t.Fatalf("log in as a member: %v", err)
	}
	if profile, err := here.Member().Profile(t.Context()); err != nil || profile != (client.MemberProfile{UserName: p.UserName, Email: p.Email}) {
		t.Errorf("the member is %+v, %v", profile, err)
	}
	const content = "a backup of the vault's user"
	version, err := here.Member().Upload(t.Context(), "vault.json", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	there, err := p.Member().Download(t.Context()) // with the session of the vault
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	if got, err := io.ReadAll(there); err != nil || string(got) != content || there.Name != "vault.json" || there.SHA256 != version.SHA256 {
		t.Errorf("%q, %v", got, err)
	}
	career := "动态内部网专员"
	if err := here.Member().UpdateProfile(t.Context(), client.MemberUpdate{Career: &career}); err != nil {
		t.Fatal(err)
	}
	if profile, err := p.Profile(t.Context()); err != nil || profile.Career != career || profile.RealName != p.RealName {
		t.Errorf("the vault knows %+v, %v", profile, err)
	}
}

func TestASessionServesOnBothSurfacesAsTokenAndAsCookie(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m, p := l.member(), l.person()
	for what, token := range map[string]string{"of a member": m.token, "of the vault": p.token} {
		for _, path := range []string{"/user/get_user_info/", "/user/files", "/api/auth/me", "/api/auth/sessions", "/api/auth/account"} {
			q := question{method: http.MethodGet, path: path, token: token}
			if r := l.ask(q); r.status != 200 {
				t.Errorf("the token %s: GET %s answers %d %s", what, path, r.status, r.body)
			}
			if r := l.ask(q.byCookie(token)); r.status != 200 {
				t.Errorf("the cookie %s: GET %s answers %d %s", what, path, r.status, r.body)
			}
		}
	}
	// What is shown on either counts there and here.
	if r := l.ask(question{method: http.MethodPut, path: "/api/auth/me", header: asJSON.header(), body: jsonBody(t,
		"real_name", "Ada", "email", p.Email, "phone", "1")}.byCookie(p.token)); r.status != 200 {
		t.Errorf("a change by the cookie answers %d %s", r.status, r.body)
	}
	if r := l.ask(question{method: http.MethodDelete, path: "/api/auth/session", token: m.token}); r.status != 200 {
		t.Errorf("signing out answers %d %s", r.status, r.body)
	}
	if r := l.ask(question{method: http.MethodGet, path: "/user/get_user_info/"}.byCookie(m.token)); r.status != 401 {
		t.Errorf("a session that was ended under /api answers %d under /user", r.status)
	}
	if r := l.ask(question{method: http.MethodGet, path: "/user/logout/"}.byCookie(p.token)); r.status != 200 {
		t.Errorf("logging out answers %d %s", r.status, r.body)
	}
	if r := l.ask(question{method: http.MethodGet, path: "/api/auth/me", token: p.token}); r.status != 401 {
		t.Errorf("a session that was ended under /user answers %d under /api", r.status)
	}
}

func TestANameOrEmailIsTakenOnBothSurfacesAtOnce(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	m, p := l.member(), l.person()
	s := l.stranger()
	s.UserName, s.Email = strings.ToUpper(m.name), strings.ToUpper(m.email)
	_, err := s.Register(t.Context(), s.Registration)
	compareTaken(t, "a member's name and email for the vault", err, []string{"email", "user_name"})

	n := l.newMember()
	code := l.memberCode(n)
	with := client.NewMember{UserName: p.UserName, Password: "12345", Email: n.email, Code: code}
	if err := n.Member.Register(t.Context(), with); wrongWith(err, "username") != takenName {
		t.Errorf("the name of a user of the vault: %v", err)
	}
	// To an address that has a user no code is mailed, and no form without one is right.
	with.UserName, with.Email = n.name, strings.ToUpper(p.Email)
	if err := n.Member.SendCode(t.Context(), with.Email); err != nil {
		t.Errorf("have a code mailed to an address that is taken: %v", err)
	}
	if err = n.Member.Register(t.Context(), with); wrongWith(err, "email") != takenEmail || wrongWith(err, "captcha") != badCode {
		t.Errorf("the email of a user of the vault: %v", err)
	}
	with.Email = n.email // the code still serves
	if err := n.Member.Register(t.Context(), with); err != nil {
		t.Errorf("a form that failed used up the code: %v", err)
	}
}

// Who registers for the vault and never proves the email has no hold on it.
func TestAMemberTakesTheAddressOfOneWhoNeverActivated(t *testing.T) {
	t.Parallel()
	l := open(t, quick()...)
	p := l.newcomer()
	m := l.newMember()
	m.name, m.email = p.UserName, p.Email
	code := l.memberCode(m)
	if err := m.Member.Login(t.Context(), p.Email, p.Password, false); wrongWith(err, "email") == "" {
		t.Errorf("one who is not active yet logs in: %v", err)
	}
	if err := m.Member.Register(t.Context(), client.NewMember{UserName: m.name, Password: m.password, Email: m.email, Code: code}); err != nil {
		t.Fatal(err)
	}
	m.login(t)
	if err := l.tryLogin(p.UserName, p.Password); client.Slug(err) != client.LoginWrong {
		t.Errorf("the one who never activated: %v", err)
	}
	if n := l.counted("users"); n != 1 {
		t.Errorf("%d users are there", n)
	}
}

func TestMembersCanBeHiddenAndOldPasswordsDemanded(t *testing.T) {
	t.Parallel()
	l := open(t, append(quick(), testbed.Env("CAESAR_HIDE_MEMBERS", "on"), testbed.Env("CAESAR_REQUIRE_OLD", "on"),
		testbed.Env("CAESAR_MEMBER_PASSWORD_MIN", "8"))...)
	m := l.newMember()
	code := l.memberCode(m)
	with := client.NewMember{UserName: m.name, Password: "1234567", Email: m.email, Code: code}
	if err := m.Member.Register(t.Context(), with); wrongWith(err, "password") == "" {
		t.Errorf("a password of 7 characters: %v", err)
	}
	m.password, with.Password = "12345678", "12345678"
	if err := m.Member.Register(t.Context(), with); err != nil {
		t.Fatal(err)
	}
	for what, email := range map[string]string{"an unknown email": "nobody@example.com", "a known one": m.email} {
		r := l.ask(asForm.form("/user/login/", "", "email", email, "password", "no such password"))
		r.says(t, what, 401, `{"message":"密码错误","code":401}`)
	}
	m.login(t)
	update := func(fields ...string) reply { return l.ask(asForm.form("/user/update_user_info/", m.token, fields...)) }
	if r := update("career", "x", "username", m.name+" too"); r.status != 200 {
		t.Errorf("what demands no old password: %d %s", r.status, r.body)
	}
	for what, c := range map[string]struct {
		fields []string
		wrong  []string
	}{
		"a password":                    {[]string{"password", "a new password"}, []string{"old_password", "old_email"}},
		"an email":                      {[]string{"email", "x@example.com", "old_password", m.password}, []string{"old_email"}},
		"a password with wrong old one": {[]string{"password", "a new password", "old_password", "wrong", "old_email", m.email}, []string{"old_password"}},
		"an email with wrong old one":   {[]string{"email", "x@example.com", "old_password", m.password, "old_email", "y@example.com"}, []string{"old_email"}},
	} {
		r := update(append(c.fields, "career", "changed")...)
		for _, field := range c.wrong {
			if r.status != 400 || !strings.Contains(string(r.body), `"`+field+`":[{`) {
				t.Errorf("%s: answers %d %s", what, r.status, r.body)
			}
		}
	}
	if profile, err := m.Member.Profile(t.Context()); err != nil || profile.Email != m.email || profile.Career != "x" {
		t.Errorf("the profile was changed: %+v, %v", profile, err)
	}
	if r := update("password", "a new password", "email", "New."+m.email, "old_password", m.password, "old_email", m.email); r.status != 200 {
		t.Errorf("with the old password and email: %d %s", r.status, r.body)
	}
}
