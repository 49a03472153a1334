package vaultapi

import (
	"context"
	"time"

	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/vault"
)

type createRequest struct {
	mainPassword string
	item         vault.Plain
}

func readCreate(rd *wire.Reader) createRequest {
	return createRequest{
		mainPassword: rd.Text("main_password"),
		item: vault.Plain{
			Name: rd.Text("name"), Email: rd.Text("email"), Password: rd.Text("password"),
			Platform: rd.Text("platform"), URL: rd.Text("url"),
		},
	}
}

// createItem is POST /api/auth/account.
func (a *api) createItem(ctx context.Context, who session.Asker, q createRequest) (answer, error) {
	id, err := a.Vault.Create(ctx, who, q.mainPassword, q.item)
	if err != nil {
		return nil, err
	}
	return made(id, phrase.ItemCreated), nil
}

func (a *api) readList(rd *wire.Reader) vault.Query {
	q := vault.Query{Page: readPage(rd)}
	if platform, ok := rd.Query("platform"); ok {
		q.Platform = vault.Fold(platform)
	}
	q.From = a.readMoment(rd, "date_start", vault.ParseFrom)
	q.Until = a.readMoment(rd, "date_end", vault.ParseUntil)
	return q
}

// readMoment reads a bound of a range of dates; the zero time where it is left out or empty, as forms
// send fields that nobody filled in. A moment before 1970 becomes the last second of 1969, which bounds
// the same items, as none is that old: the year 1 begins with the zero time.
func (a *api) readMoment(rd *wire.Reader, name string, parse func(string, *time.Location) (time.Time, bool)) time.Time {
	text, _ := rd.Query(name)
	if text == "" {
		return time.Time{}
	}
	t, ok := parse(text, a.Zone)
	if !ok {
		rd.Fault(name, phrase.BadMoment)
	}
	return time.Unix(max(t.Unix(), -1), 0)
}

// listItems is GET /api/auth/account.
func (a *api) listItems(ctx context.Context, who session.Asker, q vault.Query) (answer, error) {
	items, count, err := a.Vault.List(ctx, who, q)
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		b = append(wire.AppendName(append(b, '{'), "data"), '[')
		for i := range items {
			item := &items[i]
			b = wire.AppendInt(append(wire.AppendComma(b), '{'), "id", item.ID)
			b = wire.AppendInt(b, "user_id", item.UserID)
			b = wire.AppendText(b, "name", item.Name)
			b = wire.AppendText(b, "email", item.Email)
			b = wire.AppendText(b, "password", item.Password)
			b = wire.AppendText(b, "platform", item.Platform)
			b = wire.AppendText(b, "url", item.URL)
			b = wire.AppendInt(b, "created_at", item.CreatedAt.Unix())
			b = append(wire.AppendInt(b, "updated_at", item.UpdatedAt.Unix()), '}')
		}
		return appendPage(append(b, ']'), count, q.Page)
	}, nil
}

type unlockRequest struct {
	id           int64
	mainPassword string
}

func readUnlock(rd *wire.Reader) unlockRequest {
	return unlockRequest{id: rd.PathID("id"), mainPassword: rd.Text("main_password")}
}

// viewItem is POST /api/auth/account/{id}.
func (a *api) viewItem(ctx context.Context, who session.Asker, q unlockRequest) (answer, error) {
	item, err := a.Vault.View(ctx, who, q.mainPassword, q.id)
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		b = wire.AppendText(append(b, '{'), "email", item.Email)
		b = wire.AppendText(b, "name", item.Name)
		return append(wire.AppendText(b, "password", item.Password), '}')
	}, nil
}

type editRequest struct {
	unlockRequest
	change vault.Change
}

func readEdit(rd *wire.Reader) editRequest {
	q := editRequest{
		unlockRequest: readUnlock(rd),
		change:        vault.Change{Name: rd.Text("name"), Email: rd.Text("email"), Password: rd.Text("password")},
	}
	if platform, sent := rd.Optional("platform"); sent {
		q.change.Platform = &platform
	}
	if url, sent := rd.Optional("url"); sent {
		q.change.URL = &url
	}
	return q
}

// editItem is PUT /api/auth/account/{id}.
func (a *api) editItem(ctx context.Context, who session.Asker, q editRequest) (answer, error) {
	item, err := a.Vault.Edit(ctx, who, q.mainPassword, q.id, q.change)
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		b = wire.AppendText(append(b, '{'), "email", item.Email)
		b = wire.AppendInt(b, "id", item.ID)
		b = wire.AppendText(b, "name", item.Name)
		b = wire.AppendText(b, "password", item.Password)
		return append(wire.AppendInt(b, "updated_at", item.UpdatedAt.Unix()), '}')
	}, nil
}

// deleteItem is DELETE /api/auth/account/{id}.
func (a *api) deleteItem(ctx context.Context, who session.Asker, q unlockRequest) (answer, error) {
	return said(phrase.ItemDeleted, a.Vault.Delete(ctx, who, q.mainPassword, q.id))
}
