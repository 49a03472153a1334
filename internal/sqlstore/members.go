package sqlstore

import (
	"context"

	"caesar/internal/user"
)

// RegisterMember implements user.Store.
func (s *Store) RegisterMember(ctx context.Context, c user.Code, u user.NewUser) (right bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		if right, err = useCode(t, c, user.Anybody, u.Now); !right || err != nil {
			return err
		}
		_, err := register(t, u)
		return err
	})
	return right && err == nil, err
}
