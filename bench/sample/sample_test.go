package sample_test

import (
	"strings"
	"testing"

	"caesar/bench/sample"
)

func TestEachTermFindsOneItemInAnyHundred(t *testing.T) {
	t.Parallel()
	for _, first := range []int{0, 37, 999_900} {
		for term := range sample.Terms {
			found := 0
			for n := first; n < first+100; n++ {
				if strings.Contains(strings.ToLower(sample.Person(3).Item(n).Platform), sample.Term(term)) {
					found++
				}
			}
			if found != 1 {
				t.Errorf("%q finds %d of the hundred from %d", sample.Term(term), found, first)
			}
		}
	}
}

func TestAnItemIsTheSameEveryTimeAndUnlikeAnyOther(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for person := range sample.Person(10) {
		for n := range 200 {
			item := person.Item(n)
			if item != person.Item(n) {
				t.Fatalf("item %d of %d is another one each time", n, person)
			}
			if seen[item.Password] {
				t.Errorf("item %d of %d has a password that was there before", n, person)
			}
			seen[item.Password] = true
			if item.Name == "" || item.Email == "" || item.URL == "" || len(item.Password) != 18 {
				t.Errorf("%+v", item)
			}
		}
	}
}

func TestAPlatformTellsWhichItemItIs(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 99, 12_345, 9_999_999} {
		if got, ok := sample.Number(sample.Person(5).Item(n).Platform); !ok || got != n {
			t.Errorf("item %d is taken for %d, %v", n, got, ok)
		}
	}
	for _, wrong := range []string{"", "GitHub", "AmberHarbour", "AmberHarbour 0000001", "BirchHarbour 0000000"} {
		if n, ok := sample.Number(wrong); ok {
			t.Errorf("%q is taken for %d", wrong, n)
		}
	}
}

func TestPeopleHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	a, b := sample.Person(1), sample.Person(11)
	if a.Name() == b.Name() || a.Email() == b.Email() || !strings.HasSuffix(a.Email(), "@example.org") || sample.LoginPassword == sample.MainPassword {
		t.Errorf("%s %s, %s %s", a.Name(), a.Email(), b.Name(), b.Email())
	}
}
