package sqlstore

import "context"

// RememberRootKey stores what a root key is recognised by, where nothing is stored yet, and returns
// what is stored then.
func (s *Store) RememberRootKey(ctx context.Context, mark []byte) (stored []byte, err error) {
	err = s.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO facts (name, value) VALUES ('root key', $1) ON CONFLICT DO NOTHING", mark); err != nil {
			return err
		}
		return t.row("SELECT value FROM facts WHERE name = 'root key'", nil, &stored)
	})
	return stored, err
}
