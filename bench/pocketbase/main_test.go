package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase"
)

const password = "lantern-quay"

// lines are two people with so many items each.
func lines(items int) io.Reader {
	var b strings.Builder
	b.WriteString("P\ta@example.org\ta\nP\tb@example.org\tb\n")
	for n := range 2 * items {
		fmt.Fprintf(&b, "I\t%d\tname\te@x.example\tsecret\tHarbour %d\thttps://x.example\n", n%2, n/2)
	}
	return strings.NewReader(b.String())
}

func open(t *testing.T, folder string) *pocketbase.PocketBase {
	t.Helper()
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: folder, HideStartBanner: true})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	return app
}

func TestEverybodyHasTheirItemsAndGetsInWithThePassword(t *testing.T) {
	folder := t.TempDir()
	if err := run(t.Context(), folder, password, lines(300)); err != nil {
		t.Fatal(err)
	}
	app := open(t, folder)
	people, err := app.FindAllRecords("users")
	if err != nil || len(people) != 2 {
		t.Fatalf("%d people, %v", len(people), err)
	}
	for _, person := range people {
		if !person.ValidatePassword(password) || person.ValidatePassword("another") || !person.Verified() || person.TokenKey() == "" {
			t.Errorf("%s can't get in", person.Email())
		}
		items, err := app.FindRecordsByFilter("accounts", "owner = {:owner}", "-created", 0, 0, map[string]any{"owner": person.Id})
		if err != nil || len(items) != 300 {
			t.Fatalf("%d items, %v", len(items), err)
		}
		for i, item := range items {
			if want := fmt.Sprintf("Harbour %d", 299-i); item.GetString("platform") != want || item.GetString("password") != "secret" {
				t.Fatalf("item %d is %v, and not %s", i, item, want)
			}
		}
	}
	if people[0].TokenKey() == people[1].TokenKey() {
		t.Error("two people have the same sessions")
	}
}

func TestOnlyTheOwnerMayDoAnything(t *testing.T) {
	folder := t.TempDir()
	if err := run(t.Context(), folder, password, lines(1)); err != nil {
		t.Fatal(err)
	}
	app := open(t, folder)
	for _, name := range []string{"accounts", "backups"} {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range []*string{c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule} {
			if rule == nil || *rule != "owner = @request.auth.id" {
				t.Errorf("%s has the rule %v", name, rule)
			}
		}
		if len(c.Indexes) != 1 || !strings.Contains(c.Indexes[0], "owner") {
			t.Errorf("%s has the indexes %v", name, c.Indexes)
		}
	}
}

func TestWhatIsNoLineIsRefused(t *testing.T) {
	for _, line := range []string{"X\ta\tb", "P\ta@example.org", "I\t0\ta\tb\tc\td\te", "I\tx\ta\tb\tc\td\te"} {
		if err := run(t.Context(), t.TempDir(), password, strings.NewReader(line+"\n")); err == nil {
			t.Errorf("%q passes", line)
		}
	}
}
