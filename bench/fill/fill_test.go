package fill

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caesar/bench/sample"
	"caesar/internal/rootkey"
	"caesar/internal/sqlstore"
	"caesar/internal/user"
	"caesar/internal/vault"
)

// folder returns a data folder as a first start leaves it, as far as filling needs it.
func folder(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	if _, err := rootkey.LoadOrCreate(filepath.Join(path, "keys", "root.key")); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEverybodyHasAllTheirItemsAndNobodyElseS(t *testing.T) {
	t.Parallel()
	path := folder(t)
	size := Size{People: 3, Items: 70}
	if err := Caesar(t.Context(), path, "", size); err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(path, "caesar.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for i := range sample.Person(size.People) {
		owner, err := store.UserByHandle(t.Context(), user.Handle(i.Name()))
		if err != nil {
			t.Fatal(err)
		}
		items, count, err := store.Items(t.Context(), owner.ID, vault.Query{Page: vault.Page{Number: 1, Size: 200}})
		if err != nil || count != int64(size.Items) {
			t.Fatalf("%d items, %v", count, err)
		}
		var numbers []int
		for _, item := range items {
			n, ok := sample.Number(item.Platform)
			if !ok || item.URL != i.Item(n).URL || time.Since(item.CreatedAt) > time.Hour {
				t.Errorf("%+v is nothing of %s", item, i.Name())
			}
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		if len(slices.Compact(numbers)) != size.Items {
			t.Errorf("%s has %v", i.Name(), numbers)
		}
	}
}

func TestNothingIsFilledWithoutTheServerSKey(t *testing.T) {
	t.Parallel()
	if err := Caesar(t.Context(), t.TempDir(), "", Size{1, 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestFillingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	begun := time.Now()
	err := Caesar(ctx, folder(t), "", Size{People: 2, Items: 10_000_000})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}

func TestPocketBaseIsToldOfEveryPersonAndItemOnALine(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := writeLines(&b, Size{People: 2, Items: 3}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 2+6 || lines[1] != "P\tperson000001@example.org\tperson000001" {
		t.Fatalf("%q", lines)
	}
	item := sample.Person(1).Item(2)
	want := strings.Join([]string{"I", "1", item.Name, item.Email, item.Password, item.Platform, item.URL}, "\t")
	if lines[7] != want {
		t.Errorf("%q, and not %q", lines[7], want)
	}
}

func TestAFillerThatFailsIsAnErrorThatTellsWhy(t *testing.T) {
	t.Parallel()
	if err := PocketBase(t.Context(), filepath.Join(t.TempDir(), "none"), t.TempDir(), Size{1, 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := PocketBase(t.Context(), "/bin/false", t.TempDir(), Size{1, 1}); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("%v", err)
	}
}

func TestItemsComeAFewAtATimeAndEachOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []Size{{1, 1}, {3, 7}, {4, 30}, {1, 100}} {
		seen := map[[2]int]bool{}
		last := map[int]int{}
		for k := range size.People * size.Items {
			person, n := size.at(k)
			if person < 0 || person >= size.People || n != last[person] || seen[[2]int{person, n}] {
				t.Fatalf("%+v: the %dth is item %d of %d", size, k, n, person)
			}
			seen[[2]int{person, n}] = true
			last[person] = n + 1
		}
		if len(seen) != size.People*size.Items {
			t.Errorf("%+v has %d items", size, len(seen))
		}
	}
	if a, _ := (Size{4, 30}).at(9); a != 0 {
		t.Errorf("the tenth is of %d", a)
	}
	if a, _ := (Size{4, 30}).at(10); a != 1 {
		t.Errorf("the eleventh is of %d", a)
	}
}
