package vaultapi

import (
	"context"

	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/vault"
)

// readPage reads which page of a list is asked for.
func readPage(rd *wire.Reader) vault.Page {
	return vault.Page{
		Number: rd.QueryInt("page", 1, 1, wire.MaxID),
		Size:   rd.QueryInt("page_size", vault.DefaultPageSize, 1, vault.MaxPageSize),
	}
}

// appendPage ends the object of a list.
func appendPage(b []byte, count int64, p vault.Page) []byte {
	b = wire.AppendInt(b, "count", count)
	b = wire.AppendInt(b, "page", p.Number)
	return append(wire.AppendInt(b, "page_size", p.Size), '}')
}

type itemLogRequest struct {
	id   int64
	page vault.Page
}

func readItemLog(rd *wire.Reader) itemLogRequest {
	return itemLogRequest{id: rd.PathID("id"), page: readPage(rd)}
}

// itemLog is GET /api/auth/account/{id}/log.
func (a *api) itemLog(ctx context.Context, who session.Asker, q itemLogRequest) (answer, error) {
	entries, count, err := a.Vault.ItemLog(ctx, who, q.id, q.page)
	return logPage(entries, count, q.page, err)
}

// wholeLog is GET /api/auth/log.
func (a *api) wholeLog(ctx context.Context, who session.Asker, page vault.Page) (answer, error) {
	entries, count, err := a.Vault.Log(ctx, who, page)
	return logPage(entries, count, page, err)
}

func logPage(entries []vault.Entry, count int64, page vault.Page, err error) (answer, error) {
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		b = append(wire.AppendName(append(b, '{'), "data"), '[')
		for _, e := range entries {
			b = wire.AppendInt(append(wire.AppendComma(b), '{'), "id", e.ID)
			b = wire.AppendInt(b, "account_id", e.ItemID)
			b = wire.AppendInt(b, "type", int64(e.Action))
			b = wire.AppendInt(b, "created_at", e.At.Unix())
			// An entry never changes: the document has the field all the same.
			b = append(wire.AppendInt(b, "updated_at", e.At.Unix()), '}')
		}
		return appendPage(append(b, ']'), count, page)
	}, nil
}
