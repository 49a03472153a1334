// Command pocketbase fills a data folder of PocketBase for the benchmark: its collections, and what is read
// from standard input. It is a module of its own, so that nothing of PocketBase is among the dependencies
// of Caesar.
//
// A line is a person (P, email, name) or something that a person keeps (I, number of the person from 0, name,
// email, password, platform, URL), its fields parted by tabs. Everybody's password is the first argument
// after the folder, unless there are people already: then it is theirs.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pocketbase FOLDER PASSWORD < lines")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run fills a folder.
func run(ctx context.Context, folder, password string, lines io.Reader) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: folder, HideStartBanner: true})
	if err := app.Bootstrap(); err != nil {
		return fmt.Errorf("open PocketBase: %w", err)
	}
	if err := app.RunAllMigrations(); err != nil {
		return fmt.Errorf("make PocketBase's own tables: %w", err)
	}
	if err := makeCollections(app, password); err != nil {
		return err
	}
	f, err := newFiller(ctx, app, password)
	if err != nil {
		return err
	}
	if err := f.fill(ctx, bufio.NewScanner(lines)); err != nil {
		return err
	}
	return app.ResetBootstrapState()
}

// makeCollections makes the collections where there are none yet, as one who has read PocketBase's manual
// would: who owns a record is a relation, only the owner may do anything with it, and what the list is
// chosen and sorted by is in an index.
func makeCollections(app core.App, password string) error {
	if _, err := app.FindCollectionByNameOrId("accounts"); err == nil {
		return nil
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find users: %w", err)
	}
	accounts := core.NewBaseCollection("accounts")
	own(accounts, users)
	for _, name := range []string{"name", "email", "password"} {
		accounts.Fields.Add(&core.TextField{Name: name, Max: 4096})
	}
	accounts.Fields.Add(
		&core.TextField{Name: "platform", Required: true, Max: 512},
		&core.TextField{Name: "url", Max: 512},
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
	)
	accounts.AddIndex("idx_accounts_owner_created", false, "owner, created", "")
	backups := core.NewBaseCollection("backups")
	own(backups, users)
	backups.Fields.Add(
		&core.FileField{Name: "file", Required: true, MaxSelect: 1, MaxSize: 4 << 30},
		&core.AutodateField{Name: "created", OnCreate: true},
	)
	backups.AddIndex("idx_backups_owner_created", false, "owner, created", "")
	for _, c := range []*core.Collection{accounts, backups} {
		if err := app.Save(c); err != nil {
			return fmt.Errorf("make collection %s: %w", c.Name, err)
		}
	}
	// Without a superuser PocketBase waits for one to be made.
	superusers, err := app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return fmt.Errorf("find superusers: %w", err)
	}
	superuser := core.NewRecord(superusers)
	superuser.SetEmail("operator@example.org")
	superuser.SetPassword(password)
	if err := app.Save(superuser); err != nil {
		return fmt.Errorf("make superuser: %w", err)
	}
	return nil
}

// own gives the records of a collection owners.
func own(c, users *core.Collection) {
	c.Fields.Add(&core.RelationField{Name: "owner", CollectionId: users.Id, Required: true, MaxSelect: 1, CascadeDelete: true})
	rule := "owner = @request.auth.id"
	c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule = &rule, &rule, &rule, &rule, &rule
}
