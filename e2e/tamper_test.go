package e2e_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"caesar/client"
	"caesar/internal/testbed"
)

// stopped starts a server whose database the test is going to change while it is down: answers of 500
// are what it looks for then.
func stopped(t *testing.T, prepare func(l *lab), intrude func(l *lab, db *sql.DB)) *lab {
	t.Helper()
	base := &http.Transport{}
	l := &lab{t: t, base: base, Server: testbed.Start(t, quick()...)}
	t.Cleanup(base.CloseIdleConnections)
	l = l.in(t)
	prepare(l)
	base.CloseIdleConnections()
	l.Stop()
	db := l.Database()
	intrude(l, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l.Restart()
	return l
}

// broken asks for what can't be answered, and fails the test where anything is answered but that: the
// request's id, under which the log says more, and a sentence.
func (l *lab) broken(what string, q question) {
	l.t.Helper()
	r := l.ask(q)
	var fields map[string]string
	if err := json.Unmarshal(r.body, &fields); err != nil {
		l.t.Errorf("%s: %v", what, err)
		return
	}
	id := fields["request_id"]
	if r.status != http.StatusInternalServerError || fields["error"] != "internal" || len(fields) != 3 ||
		id == "" || id != r.header.Get("X-Request-Id") {
		l.t.Errorf("%s: %d %s", what, r.status, r.body)
	}
	l.eventually("the log says why", func() bool {
		for line := range strings.Lines(l.Log()) {
			if strings.Contains(line, id) && strings.Contains(line, "level=ERROR") && strings.Contains(line, " err=") {
				return true
			}
		}
		return false
	})
}

// jsonBody is a body of text fields, given as names and values in turn.
func jsonBody(t testing.TB, fields ...string) []byte {
	t.Helper()
	object := map[string]string{}
	for i := 0; i < len(fields); i += 2 {
		object[fields[i]] = fields[i+1]
	}
	body, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// brokenItem asks for an item in every way that would show something of it.
func (l *lab) brokenItem(what string, p *person, id int64) {
	l.t.Helper()
	path := fmt.Sprint("/api/auth/account/", id)
	for _, q := range []question{
		{method: http.MethodPost, path: path, body: jsonBody(l.t, "main_password", p.MainPassword)},
		{method: http.MethodPut, path: path, body: jsonBody(l.t, "main_password", p.MainPassword, "name", "n", "email", "e", "password", "p")},
		{method: http.MethodGet, path: "/api/auth/account?page_size=1&page=" + fmt.Sprint(l.position(p, id))},
	} {
		q.token, q.header = p.token, asJSON.header()
		l.broken(fmt.Sprintf("%s: %s", what, q.method), q)
	}
}

// position is where in a person's list an item stands, from 1.
func (l *lab) position(p *person, id int64) int64 {
	l.t.Helper()
	return one[int64](l.t, l.Database(), "SELECT count(*) FROM items WHERE user_id = $1 AND id >= $2", p.id, id)
}

// whole looks whether somebody's vault is as it was: one that nobody touched.
func (l *lab) whole(p *person) {
	l.t.Helper()
	page, err := p.ListItems(l.t.Context(), client.ItemQuery{})
	if err != nil || page.Count == 0 {
		l.t.Errorf("%d items of another are listed: %v", page.Count, err)
	}
	for _, item := range page.Data {
		if seen, err := p.RevealItem(l.t.Context(), item.ID, p.MainPassword); err != nil || seen.Name != "name on "+item.Platform {
			l.t.Errorf("item %d of another holds %+v: %v", item.ID, seen, err)
		}
	}
	if err := l.tryLogin(p.UserName, p.Password); err != nil {
		l.t.Errorf("another can't log in: %v", err)
	}
	l.keep(p, "a new platform")
}

func TestAnItemThatWasAlteredOrMovedInTheDatabaseIsAnErrorAndNeverAnAnswer(t *testing.T) {
	t.Parallel()
	alterations := []string{
		"item_key = (SELECT item_key FROM items WHERE id = $1)",
		"item_key = ''",
		"name = (SELECT name FROM items WHERE id = $1)",
		"name = email",
		"email = (SELECT email FROM items WHERE id = $1)",
		"password = (SELECT password FROM items WHERE id = $1)",
		"password = name",
		"password = 'my own'",
		"sealed_platform = (SELECT sealed_platform FROM items WHERE id = $1)",
		"sealed_url = (SELECT sealed_url FROM items WHERE id = $1)",
		"platform = 'evil.example'",
		"url = 'https://evil.example'",
		"created_at = created_at - 1",
		"updated_at = updated_at + 1",
		"mac = (SELECT mac FROM items WHERE id = $1)",
		"mac = substr(mac, 1, 35)",
		"mac = substr(mac, 1, 0)",
		"(item_key, name, email, password) = (SELECT item_key, name, email, password FROM items WHERE id = $1)",
		"(item_key, name, email, password, sealed_platform, sealed_url, platform, url, created_at, updated_at, mac) =" +
			" (SELECT item_key, name, email, password, sealed_platform, sealed_url, platform, url, created_at, updated_at, mac FROM items WHERE id = $1)",
	}
	var owner, thief, other *person
	var altered []int64
	var example, given, taken, first, second int64
	l := stopped(t, func(l *lab) {
		owner, thief, other = l.person(), l.person(), l.person()
		for range alterations {
			altered = append(altered, l.keep(owner, "altered"))
		}
		example, given, first, second = l.keep(owner, "example"), l.keep(owner, "given"), l.keep(owner, "first"), l.keep(owner, "second")
		taken = l.keep(thief, "taken")
		l.keep(other, "untouched")
	}, func(_ *lab, db *sql.DB) {
		for i, alteration := range alterations {
			alter(t, db, "UPDATE items SET "+alteration+" WHERE id = "+fmt.Sprint(altered[i]), example)
		}
		change(t, db, "UPDATE items SET user_id = $1 WHERE id = $2", thief.id, given)
		change(t, db, "UPDATE items SET user_id = $1 WHERE id = $2", owner.id, taken)
		for _, move := range [][2]int64{{first, 1 << 40}, {second, first}, {1 << 40, second}} {
			change(t, db, "UPDATE items SET id = $1 WHERE id = $2", move[1], move[0])
		}
	})
	for i, alteration := range alterations {
		l.brokenItem(alteration, owner, altered[i])
	}
	l.brokenItem("an item of another user", thief, given)
	l.brokenItem("an item for another user", owner, taken)
	l.brokenItem("an item in another's place", owner, first)
	l.brokenItem("an item in another's place", owner, second)
	if _, err := owner.RevealItem(t.Context(), given, owner.MainPassword); client.Slug(err) != client.NotFound {
		t.Errorf("an item that was given away: %v", err)
	}
	if seen, err := owner.RevealItem(t.Context(), example, owner.MainPassword); err != nil || seen.Name != "name on example" {
		t.Errorf("the item beside them holds %+v: %v", seen, err)
	}
	if err := owner.DeleteItem(t.Context(), altered[0], owner.MainPassword); err != nil {
		t.Errorf("what can't be read can't be deleted either: %v", err)
	}
	l.whole(other)
}

func TestVaultKeysThatWereAlteredOrMovedInTheDatabaseAreAnErrorAndNeverAnAnswer(t *testing.T) {
	t.Parallel()
	alterations := []string{
		"revision = revision + 1",
		"kdf_type = 0, kdf_iterations = 5000, kdf_memory_mib = 0, kdf_parallelism = 0",
		"kdf_iterations = kdf_iterations + 1",
		"kdf_memory_mib = kdf_memory_mib * 2",
		"kdf_parallelism = kdf_parallelism + 1",
		"salt = 'x' || salt",
		"sealed_user_key = (SELECT sealed_user_key FROM key_records WHERE user_id = $1)",
		"sealed_user_key = substr(sealed_user_key, 1, 0)",
		"verifier = (SELECT verifier FROM key_records WHERE user_id = $1)",
		"public_key = (SELECT public_key FROM key_records WHERE user_id = $1)",
		"wrapped_private_key = (SELECT wrapped_private_key FROM key_records WHERE user_id = $1)",
		"user_key_id = (SELECT user_key_id FROM key_records WHERE user_id = $1)",
		"mac = (SELECT mac FROM key_records WHERE user_id = $1)",
		"(revision, salt, sealed_user_key, verifier, public_key, wrapped_private_key, user_key_id, mac) =" +
			" (SELECT revision, salt, sealed_user_key, verifier, public_key, wrapped_private_key, user_key_id, mac FROM key_records WHERE user_id = $1)",
	}
	victims := make([]*person, len(alterations))
	var other *person
	items := map[*person]int64{}
	l := stopped(t, func(l *lab) {
		other = l.person()
		l.keep(other, "untouched")
		for i := range victims {
			victims[i] = l.person()
			items[victims[i]] = l.keep(victims[i], "kept")
		}
	}, func(_ *lab, db *sql.DB) {
		for i, alteration := range alterations {
			alter(t, db, "UPDATE key_records SET "+alteration+" WHERE user_id = "+fmt.Sprint(victims[i].id), other.id)
		}
	})
	for i, alteration := range alterations {
		l.brokenKeys(alteration, victims[i], items[victims[i]], victims[i].MainPassword)
	}
	l.whole(other)
}

// alter changes the database by a statement in which $1 may stand for the id of another row. PostgreSQL takes
// no value that is not used.
func alter(t testing.TB, db *sql.DB, statement string, other int64) {
	t.Helper()
	change(t, db, strings.ReplaceAll(statement, "$1", fmt.Sprint(other)))
}

// brokenKeys asks for all that takes a main password.
func (l *lab) brokenKeys(what string, p *person, item int64, mainPassword string) {
	l.t.Helper()
	path := fmt.Sprint("/api/auth/account/", item)
	for _, q := range []question{
		{method: http.MethodPost, path: path, body: jsonBody(l.t, "main_password", mainPassword)},
		{method: http.MethodDelete, path: path, body: jsonBody(l.t, "main_password", mainPassword)},
		{method: http.MethodPost, path: "/api/auth/account", body: jsonBody(l.t, "main_password", mainPassword,
			"name", "n", "email", "", "password", "p", "platform", "p", "url", "")},
		{method: http.MethodPut, path: "/api/auth/main_password", body: jsonBody(l.t, "old_main_password", mainPassword, "main_password", "another one")},
	} {
		q.token, q.header = p.token, asJSON.header()
		l.broken(fmt.Sprintf("%s: %s %s", what, q.method, q.path), q)
	}
}

func TestVaultKeysOfAnEarlierMainPasswordThatWerePutBackOpenNothing(t *testing.T) {
	t.Parallel()
	var p, without, other *person
	var item, unreachable int64
	const next = "the next main password"
	l := stopped(t, func(l *lab) {
		p, without, other = l.person(), l.person(), l.person()
		item, unreachable = l.keep(p, "kept"), l.keep(without, "kept")
		l.keep(other, "untouched")
		loot(t, l.Database(), fmt.Sprint("SELECT * FROM key_records WHERE user_id = ", p.id))
		if err := p.SetMainPassword(t.Context(), p.MainPassword, next); err != nil {
			t.Fatal(err)
		}
	}, func(_ *lab, db *sql.DB) {
		change(t, db, "DELETE FROM key_records WHERE user_id IN ($1, $2)", p.id, without.id)
		change(t, db, "INSERT INTO key_records SELECT * FROM loot")
	})
	l.brokenKeys("keys that were put back, the password of then", p, item, p.MainPassword)
	l.brokenKeys("keys that were put back, the password of now", p, item, next)
	l.brokenKeys("keys that were taken away", without, unreachable, without.MainPassword)
	l.whole(other)
}

// loot keeps what a query finds, to be put elsewhere.
func loot(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE loot AS "+query); err != nil {
		t.Fatal(err)
	}
}

func TestALoginPasswordThatWasMovedInTheDatabaseLetsNobodyIn(t *testing.T) {
	t.Parallel()
	var a, b, flipped, other *person
	l := stopped(t, func(l *lab) {
		for _, p := range []**person{&a, &b, &flipped, &other} {
			*p = l.stranger()
			(*p).Password = fmt.Sprintf("the password of %s", (*p).UserName)
			l.enrol(*p)
		}
		l.keep(other, "untouched")
	}, func(_ *lab, db *sql.DB) {
		loot(t, db, "SELECT id, sealed_password FROM users")
		const swap = "UPDATE users SET sealed_password = (SELECT sealed_password FROM loot WHERE id = $1) WHERE id = $2"
		change(t, db, swap, b.id, a.id)
		change(t, db, swap, a.id, b.id)
		change(t, db, "UPDATE users SET sealed_password = $1 WHERE id = $2", []byte("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"), flipped.id)
	})
	for name, passwords := range map[*person][]string{
		a: {a.Password, b.Password}, b: {a.Password, b.Password}, flipped: {flipped.Password, "hash"},
	} {
		for _, password := range passwords {
			l.broken("login", question{
				method: http.MethodPost, path: "/api/login", header: asJSON.header(),
				body: jsonBody(t, "user_name", name.UserName, "password", password, "captcha", "", "captcha_id", ""),
			})
		}
	}
	if _, err := a.Profile(t.Context()); err != nil {
		t.Errorf("a session from before: %v", err)
	}
	l.whole(other)
}
