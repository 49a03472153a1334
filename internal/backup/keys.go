package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"filippo.io/age"

	"caesar/internal/keyfile"
)

// Keys are the age identities of a server: the current one, under which files are sealed, then older
// ones that still open. It is immutable and safe for concurrent use.
type Keys struct {
	identities []*age.X25519Identity
}

// LoadKeys reads the identities of a file in the format of age-keygen, the current one first. An absent
// file is fs.ErrNotExist.
func LoadKeys(path string) (*Keys, error) {
	text, err := keyfile.Read(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	parsed, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		// What age says may quote the line, which is the secret itself.
		return nil, fmt.Errorf("key file %s does not hold age identities, as age-keygen writes them", path)
	}
	k := &Keys{}
	for _, identity := range parsed {
		x, ok := identity.(*age.X25519Identity)
		if !ok {
			return nil, fmt.Errorf("key file %s holds an identity of another type than X25519", path)
		}
		k.identities = append(k.identities, x)
	}
	return k, nil
}

// LoadOrCreateKeys is LoadKeys, but makes the file with one new identity where there is none. Of several
// processes that start at once exactly one makes it and all read the same. A file that was made here
// survives a power cut once the call returns.
func LoadOrCreateKeys(path string, now time.Time) (*Keys, error) {
	k, err := LoadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("draw age identity: %w", err)
	}
	text := fmt.Appendf(nil, "# created: %s\n# public key: %s\n%s\n", now.UTC().Format(time.RFC3339), identity.Recipient(), identity)
	defer clear(text)
	if err := keyfile.Create(path, text); err != nil {
		return nil, err
	}
	return LoadKeys(path)
}

// Current returns the public half of the identity under which files are sealed.
func (k *Keys) Current() string { return k.identities[0].Recipient().String() }

// Holds says whether one of the identities has this public half.
func (k *Keys) Holds(recipient string) bool {
	return slices.ContainsFunc(k.identities, func(i *age.X25519Identity) bool { return i.Recipient().String() == recipient })
}

func (k *Keys) recipient() age.Recipient { return k.identities[0].Recipient() }

// all returns the identities in a slice of the caller's own, for age sorts it in place.
func (k *Keys) all() []age.Identity {
	all := make([]age.Identity, len(k.identities))
	for i, identity := range k.identities {
		all[i] = identity
	}
	return all
}
