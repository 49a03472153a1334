// Package fill gives every system the same people and items before it is measured, in bulk: by way of each
// system's own code rather than its network, which would take hours.
//
// What always holds: the rows are those that the system's interface would have made, sealed and
// authenticated alike, and open with everybody's passwords.
package fill

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"caesar/bench/sample"
	"caesar/internal/argon2id"
	"caesar/internal/keyring"
	"caesar/internal/rootkey"
	"caesar/internal/session"
	"caesar/internal/sqlstore"
	"caesar/internal/throttle"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// Size is how much is filled in: the first people, with the first items of each.
type Size struct{ People, Items int }

// inARow is how many items of a person come one after another before it is the next one's turn, as people
// keep things a few at a time.
const inARow = 10

// at returns whose item is the kth of all, and which of that person's it is.
func (s Size) at(k int) (person, n int) {
	row := inARow
	if s.Items%row != 0 {
		row = 1
	}
	turn := k / row
	return turn % s.People, turn/s.People*row + k%row
}

// writers is how many write at once: as many as SQLite's writer commits together.
const writers = 256

// The costs that Caesar has by default.
var defaultKDF = keyring.KDF{Type: keyring.Argon2id, Iterations: 3, MemoryMiB: 64, Parallelism: 1}

// caesar is what writes into a data folder that no server runs on.
type caesar struct {
	store *sqlstore.Store
	root  *rootkey.Ring
	keys  *keyring.Keyring
	vault *vault.Service
}

// Caesar fills the data folder of a server that was started once, so that its keys and tables are there, and
// is stopped. The database is the folder's own, or the PostgreSQL of a URL.
func Caesar(ctx context.Context, folder, database string, size Size) (err error) {
	store, err := open(ctx, folder, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	root, err := rootkey.Load(filepath.Join(folder, "keys", "root.key"))
	if err != nil {
		return fmt.Errorf("fill Caesar: %w", err)
	}
	keys := keyring.New(root, argon2id.NewHasher(1, 64<<10), defaultKDF, time.Now)
	c := &caesar{store: store, root: root, keys: keys, vault: vault.NewService(vault.Config{
		Store: store, Keys: keys, Guard: throttle.New(root, store, time.Now), Root: root, Now: time.Now,
	})}
	askers, err := c.people(ctx, size.People)
	if err != nil {
		return fmt.Errorf("fill Caesar with people: %w", err)
	}
	if err := c.items(ctx, askers, size); err != nil {
		return fmt.Errorf("fill Caesar with items: %w", err)
	}
	return nil
}

func open(ctx context.Context, folder, database string) (*sqlstore.Store, error) {
	if database != "" {
		return sqlstore.OpenPostgres(ctx, database, 20)
	}
	return sqlstore.OpenSQLite(ctx, filepath.Join(folder, "caesar.db"))
}

// people registers people, and returns each as one who has shown the main password: hashing passwords and making a
// key pair is done once, and bound to everybody.
func (c *caesar) people(ctx context.Context, count int) ([]session.Asker, error) {
	model, err := c.model(ctx)
	if err != nil {
		return nil, err
	}
	var key *keyring.UserKey
	askers := make([]session.Asker, count)
	for i := range askers {
		p, u := sample.Person(i), model
		u.Name, u.Email = p.Name(), p.Email()
		u.NameHandle, u.EmailHandle = user.Handle(u.Name), user.Handle(u.Email)
		id, err := c.store.Register(ctx, u)
		if err != nil {
			return nil, err
		}
		if key == nil {
			_, record, err := model.Bind(id)
			if err != nil {
				return nil, err
			}
			if key, err = c.keys.Unlock(ctx, id, *record, sample.MainPassword); err != nil {
				return nil, err
			}
		}
		askers[i] = session.Asker{
			Identity: session.NewIdentity(id, id, 1, time.Now()),
			Visitor:  session.Visitor{Address: netip.MustParseAddr("127.0.0.1")},
		}
		c.keys.Remember(askers[i].Key(), id, 1, sample.MainPassword, key)
	}
	return askers, nil
}

// modelStore keeps a registration from the database, for it to be made again under other names.
type modelStore struct {
	user.Store
	made user.NewUser
}

// Register implements user.Store.
func (s *modelStore) Register(_ context.Context, u user.NewUser) (int64, error) {
	s.made = u
	return 1, nil
}

// model registers somebody as a server does, and returns what would have been stored, as of one who has proven
// the email.
func (c *caesar) model(ctx context.Context) (user.NewUser, error) {
	store := &modelStore{Store: c.store}
	users := user.NewService(user.Config{
		Store: store, Hasher: argon2id.NewHasher(1, argon2id.Login.MemoryKiB), Keys: c.keys, Root: c.root, Now: time.Now,
	})
	registration, err := users.Check(user.Form{
		Name: "model", RealName: "Somebody", Email: "model@example.org", Phone: "555-0100",
		Password: sample.LoginPassword, RePassword: sample.LoginPassword, MainPassword: sample.MainPassword,
	})
	if err != nil {
		return user.NewUser{}, err
	}
	_, err = users.Register(ctx, registration, session.Visitor{})
	store.made.Status = user.Active
	return store.made, err
}

// items has everybody keep items, many at once.
func (c *caesar) items(ctx context.Context, askers []session.Asker, size Size) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for k := int(next.Add(1)) - 1; k < size.People*size.Items && ctx.Err() == nil; k = int(next.Add(1)) - 1 {
				person, n := size.at(k)
				item := sample.Person(person).Item(n)
				_, err := c.vault.Create(ctx, askers[person], sample.MainPassword, vault.Plain(item))
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
