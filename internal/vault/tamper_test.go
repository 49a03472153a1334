package vault_test

import (
	"errors"
	"testing"

	"caesar/internal/fault"
	"caesar/internal/keyring"
	"caesar/internal/vault"
)

// tampered checks that an error is a silent one, of a row that was tampered with.
func (h *house) tampered(what string, err error, want error) {
	h.t.Helper()
	if e := (*fault.Error)(nil); !errors.Is(err, want) || errors.As(err, &e) {
		h.t.Errorf("%s: the error is %v, want %v and nothing to show", what, err, want)
	}
}

func TestARowThatWasAlteredIsAnErrorAndNeverAnAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	whole := h.create(who, plain)
	for _, change := range []string{
		"name = email", "email = password", "password = name", "item_key = ''", "item_key = sealed_url", "sealed_platform = sealed_url",
		"platform = 'Gitlab'", "url = 'https://evil.example/'", "created_at = created_at + 1", "updated_at = updated_at + 1",
		"name = substr(name, 1, length(name) - 4) || 'AAA='", "mac = x''", "mac = zeroblob(36)", "name = ''",
		"platform = url, url = platform", "sealed_platform = '', sealed_url = ''",
	} {
		id := h.create(who, plain)
		h.alter("UPDATE items SET "+change+" WHERE id = $1", id)
		_, _, listed := h.List(t.Context(), who, vault.Query{Page: vault.Page{Number: 1, Size: 20}})
		_, viewed := h.View(t.Context(), who, mainPassword, id)
		_, edited := h.Edit(t.Context(), who, mainPassword, id, vault.Change{Name: "n", Password: "p"})
		for what, err := range map[string]error{"list": listed, "view": viewed, "edit": edited} {
			h.tampered(what+" after "+change, err, vault.ErrTampered)
		}
		if p, err := h.View(t.Context(), who, mainPassword, whole); err != nil || p != plain {
			t.Errorf("the item beside it: %+v, %v", p, err)
		}
		h.must(h.Delete(t.Context(), who, mainPassword, id)) // so that an owner can be rid of it
	}
}

func TestARowThatWasMovedIsAnErrorAndNeverAnAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, other := h.owner("marcus"), h.owner("tullius")
	id, second, theirs := h.create(who, plain), h.create(who, plain), h.create(other, plain)

	h.alter("UPDATE items SET user_id = $1 WHERE id = $2", who.UserID, theirs) // into another's vault
	_, err := h.View(t.Context(), who, mainPassword, theirs)
	h.tampered("another's row", err, vault.ErrTampered)
	h.alter("UPDATE items SET user_id = $1 WHERE id = $2", other.UserID, theirs)
	if p, err := h.View(t.Context(), other, mainPassword, theirs); err != nil || p != plain {
		t.Errorf("back in its place: %+v, %v", p, err)
	}

	h.alter("UPDATE items SET id = $1 WHERE id = $2", -1, id) // two rows of one user exchanged
	h.alter("UPDATE items SET id = $1 WHERE id = $2", id, second)
	h.alter("UPDATE items SET id = $1 WHERE id = $2", second, -1)
	for _, moved := range []int64{id, second} {
		_, err := h.View(t.Context(), who, mainPassword, moved)
		h.tampered("an exchanged row", err, vault.ErrTampered)
	}

	h.alter("UPDATE items SET (item_key, name, email, password, sealed_platform, sealed_url, mac) = (SELECT item_key, name, email, password, sealed_platform, sealed_url, mac FROM items WHERE id = $1) WHERE id = $2", theirs, id)
	_, err = h.View(t.Context(), who, mainPassword, id)
	h.tampered("another's content", err, vault.ErrTampered)
}

func TestVaultKeysThatWereAlteredOrPutBackOpenNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.owner("marcus")
	other := h.owner("tullius")
	id := h.create(who, plain)
	old, err := h.store.KeyRecord(t.Context(), who.UserID)
	h.must(err)
	next := "next main password"
	h.must(h.SetMainPassword(t.Context(), who, mainPassword, next))
	who = h.asker(who.UserID)

	// The record of before the change, by which the old main password would open the vault again.
	restore := `UPDATE key_records SET revision = $1, salt = $2, sealed_user_key = $3, verifier = $4, public_key = $5, wrapped_private_key = $6, user_key_id = $7, mac = $8 WHERE user_id = $9`
	put := func(r keyring.Record, userID int64) {
		h.alter(restore, r.Revision, r.Salt, r.SealedUserKey, r.Verifier, r.PublicKey, r.WrappedPrivateKey, r.UserKeyID, r.MAC, userID)
	}
	put(old, who.UserID)
	_, err = h.View(t.Context(), who, mainPassword, id)
	h.tampered("the record of an earlier main password", err, keyring.ErrTampered)

	theirs, err := h.store.KeyRecord(t.Context(), other.UserID)
	h.must(err)
	theirs.Revision = 2
	put(theirs, who.UserID)
	_, err = h.View(t.Context(), who, mainPassword, id)
	h.tampered("another's record", err, keyring.ErrTampered)
}
