package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"caesar/client"
	"caesar/internal/testbed"
)

// Three replicas start at once on an empty database, and from then on are one server.
func TestAnyReplicaAnswersForAll(t *testing.T) {
	t.Parallel()
	r := threeReplicas(t, crowd, shared(t),
		captchaOff(testbed.Args("--backup-quota", "4MiB", "--backup-file-max", "4MiB", "--backup-keep", "100"))...)
	for i, of := range []struct {
		what string
		test func(*replicas)
	}{
		{"what is kept at one is seen, opened, edited and deleted at the others", (*replicas).keepTogether},
		{"a session that ends at one is over at all", (*replicas).endSessions},
		{"a new main password holds at once at those that remember the old one", (*replicas).changeMainPassword},
		{"an account that is closed at one is closed at all, and kept at any", (*replicas).closeAccount},
		{"guesses are counted together", (*replicas).countGuesses},
		{"of fifty wrong guesses at once ten are looked at", (*replicas).raceGuesses},
		{"of fifty who show the same code one activates", (*replicas).raceCode},
		{"fifty who edit the same item all do, and none is mixed with another", (*replicas).raceEdits},
		{"of fifty who delete the same item one finds it", (*replicas).raceDeletions},
		{"what is uploaded at one is brought back by the others, whole and in parts", (*replicas).backUpTogether},
		{"uploads at once do not pass the quota together", (*replicas).raceQuota},
	} {
		t.Run(of.what, func(t *testing.T) {
			t.Parallel()
			of.test(r.from(t, fmt.Sprintf("192.0.2.%d", 1+i)))
		})
	}
}

// expect fails a test where an error is not that of a slug, "" being none.
func (r *replicas) expect(what string, err error, slug string) {
	r.t.Helper()
	if client.Slug(err) != slug || (slug == "" && err != nil) {
		r.t.Errorf("%s: %v, and not %q", what, err, slug)
	}
}

func (r *replicas) keepTogether() {
	ctx := r.t.Context()
	p := r.all[0].person()
	at := r.with(p.token)
	id, err := at[1].CreateItem(ctx, p.MainPassword, client.NewItem{Name: "马", Email: "m@example.org", Password: "s3kr1t", Platform: "GitHub"})
	r.expect("keep", err, "")
	if page, err := at[2].ListItems(ctx, client.ItemQuery{Platform: "hub"}); err != nil || page.Count != 1 || page.Data[0].ID != id {
		r.t.Errorf("the list is %+v: %v", page, err)
	}
	if got, err := at[2].RevealItem(ctx, id, p.MainPassword); err != nil || got != (client.Secret{Name: "马", Email: "m@example.org", Password: "s3kr1t"}) {
		r.t.Errorf("it holds %+v: %v", got, err)
	}
	_, err = at[0].EditItem(ctx, id, p.MainPassword, client.ItemEdit{Name: "a", Email: "b", Password: "c"})
	r.expect("edit", err, "")
	for i := range at { // also where it was opened before
		if got, err := at[i].RevealItem(ctx, id, p.MainPassword); err != nil || got != (client.Secret{Name: "a", Email: "b", Password: "c"}) {
			r.t.Errorf("at replica %d it holds %+v after the edit: %v", i+1, got, err)
		}
	}
	r.expect("delete", at[1].DeleteItem(ctx, id, p.MainPassword), "")
	for i := range at {
		_, err := at[i].RevealItem(ctx, id, p.MainPassword)
		r.expect(fmt.Sprintf("open at replica %d what is deleted", i+1), err, client.NotFound)
	}
	page, err := at[0].Log(ctx, client.Paging{})
	var done []client.EventType
	for _, e := range page.Data {
		done = append(done, e.Type)
	}
	if err != nil || !slices.Equal(done, []client.EventType{client.Deleted, client.Viewed, client.Viewed, client.Viewed, client.Edited, client.Viewed, client.Created}) {
		r.t.Errorf("the log is %v: %v", done, err)
	}
}

func (r *replicas) endSessions() {
	ctx := r.t.Context()
	p := r.all[0].person()
	for i, way := range []struct {
		what string
		end  func(own, other *client.Client) error // at one replica, by the session itself or by another one
	}{
		{"signing out", func(own, _ *client.Client) error { return own.SignOut(ctx) }},
		{"logging out as a member", func(own, _ *client.Client) error { return own.Member().Logout(ctx) }},
		{"ending it by its id", func(own, other *client.Client) error {
			sessions, err := own.Sessions(ctx)
			if err != nil {
				return err
			}
			current := slices.IndexFunc(sessions, func(s client.Session) bool { return s.Current })
			return other.EndSession(ctx, sessions[current].ID)
		}},
		{"ending all others", func(_, other *client.Client) error { return other.EndOtherSessions(ctx) }},
		{"a new login password", func(_, other *client.Client) error {
			next := p.Password + "!"
			err := other.ChangePassword(ctx, p.Password, next)
			p.Password = next
			return err
		}},
		{"a new main password", func(_, other *client.Client) error {
			next := p.MainPassword + "!"
			err := other.SetMainPassword(ctx, p.MainPassword, next)
			p.MainPassword = next
			return err
		}},
		{"a new login password by a code", func(_, _ *client.Client) error {
			code := r.any(0).code(p, client.ForPassword)
			p.Password += "?"
			if err := r.any(1).client().ResetPassword(ctx, p.Email, code, p.Password); err != nil {
				return err
			}
			p.token = r.any(2).login(p)
			return nil
		}},
	} {
		opened := r.any(i).login(p)
		at := r.with(opened)
		for j := range at {
			_, err := at[j].Profile(ctx)
			r.expect(fmt.Sprintf("before %s, replica %d", way.what, j+1), err, "")
		}
		one := (i + 1) % len(at)
		r.expect(way.what, way.end(r.with(opened)[one], r.with(p.token)[one]), "")
		for j := range at {
			_, err := at[j].Profile(ctx)
			r.expect(fmt.Sprintf("after %s, replica %d", way.what, j+1), err, client.Unauthenticated)
			_, err = r.with(p.token)[j].Profile(ctx)
			r.expect(fmt.Sprintf("after %s, another session at replica %d", way.what, j+1), err, "")
		}
	}
}

// The unlock cache is each replica's own: what it remembers must not outlive what it was shown.
func (r *replicas) changeMainPassword() {
	ctx := r.t.Context()
	p := r.all[0].person()
	at := r.with(p.token)
	id := r.all[0].keep(p, "GitHub")
	for i := range at {
		_, err := at[i].RevealItem(ctx, id, p.MainPassword)
		r.expect(fmt.Sprintf("replica %d is shown the main password", i+1), err, "")
	}
	const next = "another battery staple"
	r.expect("change it", at[1].SetMainPassword(ctx, p.MainPassword, next), "")
	for i := range at {
		_, err := at[i].RevealItem(ctx, id, p.MainPassword)
		r.expect(fmt.Sprintf("the old one at replica %d", i+1), err, client.MainPasswordWrong)
		_, err = at[i].RevealItem(ctx, id, next)
		r.expect(fmt.Sprintf("the new one at replica %d", i+1), err, "")
	}
}

func (r *replicas) closeAccount() {
	ctx := r.t.Context()
	p := r.all[0].person()
	id := r.all[1].keep(&person{Client: r.with(p.token)[1], Registration: p.Registration}, "GitHub")
	r.expect("close", r.with(p.token)[2].CloseAccount(ctx), "")
	for i, c := range r.with(p.token) {
		_, err := c.Profile(ctx)
		r.expect(fmt.Sprintf("after closing, replica %d", i+1), err, client.Unauthenticated)
	}
	p.token = r.all[1].login(p) // which keeps it
	for i, c := range r.with(p.token) {
		_, err := c.RevealItem(ctx, id, p.MainPassword)
		r.expect(fmt.Sprintf("after it was kept, replica %d", i+1), err, "")
	}
	r.expect("erase", r.with(p.token)[0].Erase(ctx, p.Password), "")
	for i, l := range r.all {
		_, err := r.with(p.token)[i].Profile(ctx)
		r.expect(fmt.Sprintf("after erasing, replica %d", i+1), err, client.Unauthenticated)
		r.expect(fmt.Sprintf("log in after erasing at replica %d", i+1), l.tryLogin(p.UserName, p.Password), client.LoginWrong)
	}
}

func (r *replicas) backUpTogether() {
	ctx := r.t.Context()
	p := r.all[0].person()
	at := r.with(p.token)
	content := random(7, 700_000)
	v, err := at[0].Member().Upload(ctx, "vault.json", strings.NewReader(content))
	r.expect("upload", err, "")
	for i := range at {
		d, err := at[i].Member().DownloadVersion(ctx, v.ID, 0)
		if err != nil {
			r.t.Errorf("bring it back at replica %d: %v", i+1, err)
			continue
		}
		if got, err := io.ReadAll(d); err != nil || string(got) != content {
			r.t.Errorf("at replica %d it comes back with %d bytes: %v", i+1, len(got), err)
		}
		_ = d.Close()
	}
	for i, l := range r.all {
		header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", 100_000*i, 400_000+i)}, "If-Range": {`"` + v.SHA256 + `"`}}
		if got := l.download(p.token, "", header); got.status != http.StatusPartialContent || string(got.body) != content[100_000*i:400_001+i] {
			r.t.Errorf("a part at replica %d: %d and %d bytes", i+1, got.status, len(got.body))
		}
	}
	r.expect("delete", at[1].Member().DeleteVersion(ctx, v.ID), "")
	for i, l := range r.all {
		if got := l.download(p.token, fmt.Sprintf("/user/files/%d/", v.ID), nil); got.status != http.StatusNotFound {
			r.t.Errorf("what is deleted is answered %d at replica %d", got.status, i+1)
		}
	}
}
