package storetest

import (
	"fmt"
	"reflect"

	"caesar/internal/keyring"
	"caesar/internal/vault"
)

var keys = []test{
	{"vault keys are read as they were stored", keysAreReadAsStored},
	{"vault keys replace the revision before them alone", keysReplaceTheRevisionBefore},
	{"a change of vault keys ends the other sessions", aChangeOfKeysEndsSessions},
	{"of many changes at once of the vault keys one is stored", oneOfManyReplacesTheKeys},
}

func keyRecord(revision int64) keyring.Record {
	text := func(field string) string { return fmt.Sprintf("%s %d", field, revision) }
	return keyring.Record{
		Revision: revision, KDF: keyring.KDF{Type: keyring.Argon2id, Iterations: 3, MemoryMiB: 64, Parallelism: 1},
		Salt: text("salt"), SealedUserKey: []byte(text("user key")), Verifier: []byte(text("verifier")),
		PublicKey: []byte(text("public")), WrappedPrivateKey: text("private"), UserKeyID: text("id"), MAC: []byte(text("mac")),
	}
}

func (f *fixture) replaceKeys(userID int64, r keyring.Record) {
	f.Helper()
	f.says(true)(f.ReplaceKeyRecord(f.Context(), userID, 1, r, 0, nil, noon))
}

func keysAreReadAsStored(f *fixture) {
	id, other := f.person("marcus"), f.person("tullius")
	none, err := f.KeyRecord(f.Context(), id)
	f.must(err)
	if !reflect.DeepEqual(none, keyring.Record{}) {
		f.Errorf("keys of a user without: %+v", none)
	}
	f.replaceKeys(id, keyRecord(1))
	second := keyRecord(2)
	second.KDF = keyring.KDF{Type: keyring.PBKDF2, Iterations: 600_000}
	f.replaceKeys(id, second)
	read, err := f.KeyRecord(f.Context(), id)
	f.must(err)
	if !reflect.DeepEqual(read, second) {
		f.Errorf("keys %+v\nwant %+v", read, second)
	}
	equal(f, "revision", f.row(id).KeyRevision, 2)
	equal(f, "revision of the other", f.row(other).KeyRevision, 0)
}

func keysReplaceTheRevisionBefore(f *fixture) {
	id := f.person("marcus")
	_, hash := f.login(id)
	f.says(false)(f.ReplaceKeyRecord(f.Context(), id, 1, keyRecord(2), 0, nil, noon))
	f.says(false)(f.ReplaceKeyRecord(f.Context(), id+100, 1, keyRecord(1), 0, nil, noon))
	_, err := f.ReplaceKeyRecord(f.Context(), id, 2, keyRecord(1), 0, nil, noon)
	f.wants(vault.ErrStale, err)
	equal(f, "session lives", f.live(id, hash), true)
	f.replaceKeys(id, keyRecord(1))
	for _, revision := range []int64{1, 3} {
		stale := keyRecord(revision)
		stale.Salt = "stale"
		f.says(false)(f.ReplaceKeyRecord(f.Context(), id, 1, stale, 0, nil, noon))
	}
	read, err := f.KeyRecord(f.Context(), id)
	f.must(err)
	if !reflect.DeepEqual(read, keyRecord(1)) {
		f.Errorf("keys %+v", read)
	}
}

func aChangeOfKeysEndsSessions(f *fixture) {
	id := f.person("marcus")
	kept, keptHash := f.login(id)
	_, otherHash := f.login(id)
	f.says(true)(f.ReplaceKeyRecord(f.Context(), id, 1, keyRecord(1), kept.SessionID, nil, noon))
	equal(f, "the session that asked lives", f.live(id, keptHash), true)
	equal(f, "the other lives", f.live(id, otherHash), false)
	who, err := f.FindSession(f.Context(), id, keptHash, noon)
	f.must(err)
	equal(f, "revision that the session proves", who.KeyRevision, 1)
}

func oneOfManyReplacesTheKeys(f *fixture) {
	id := f.person("marcus")
	f.replaceKeys(id, keyRecord(1))
	stored := f.atOnce(many, func(i int) (bool, error) {
		r := keyRecord(2)
		r.Salt = fmt.Sprint("salt of ", i)
		return f.ReplaceKeyRecord(f.Context(), id, 1, r, 0, nil, noon)
	})
	equal(f, "changes that were stored", stored, 1)
	equal(f, "revision", f.row(id).KeyRevision, 2)
}
