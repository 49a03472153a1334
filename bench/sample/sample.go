// Package sample makes up the data that every system is filled with: people, and what they keep.
//
// What always holds: it is the same in every run and for every system; of any hundred items of a person that
// follow one another each term of the search finds one.
package sample

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// The passwords of everybody: what a password costs does not depend on what it is.
const (
	LoginPassword = "lantern-quay-1907"
	MainPassword  = "seven-grey-herons"
)

// Person is somebody who keeps items, by number from 0.
type Person int

// Name is what the person is called.
func (p Person) Name() string { return fmt.Sprintf("person%06d", int(p)) }

// Email is where the person is written to.
func (p Person) Email() string { return p.Name() + "@example.org" }

// Item is what is kept.
type Item struct {
	Name, Email, Password string
	Platform, URL         string
}

// Item returns the nth thing that a person keeps, from 0.
func (p Person) Item(n int) Item {
	h := fnv.New128a()
	fmt.Fprint(h, int(p), " ", n)
	secret := base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	first, second := words(n)
	handle := first + strconv.FormatUint(uint64(binary.BigEndian.Uint16(h.Sum(nil))), 10)
	return Item{
		Name: handle, Email: handle + "@example.org", Password: secret[:18],
		Platform: fmt.Sprintf("%s%s %07d", strings.ToUpper(first[:1])+first[1:], second, n),
		URL:      fmt.Sprintf("https://%s-%s.example/login?account=%d", first, strings.ToLower(second), n),
	}
}

// Terms is how many terms there are to search for.
const Terms = 100

// Term returns the nth of them: what one item in a hundred has in its platform, in other letters.
func Term(n int) string {
	first, second := words(n)
	return first + strings.ToLower(second)
}

// Number returns which item of its person has a platform.
func Number(platform string) (n int, ok bool) {
	_, digits, _ := strings.Cut(platform, " ")
	n, err := strconv.Atoi(digits)
	return n, err == nil && Person(0).Item(n).Platform == platform
}

// words returns two words that together name one platform in a hundred.
func words(n int) (first, second string) {
	firsts := [...]string{"amber", "birch", "copper", "dusk", "ember", "frost", "granite", "hazel", "indigo", "juniper"}
	seconds := [...]string{"Harbour", "Lantern", "Meadow", "Orchard", "Quarry", "Ridge", "Station", "Thicket", "Viaduct", "Window"}
	return firsts[n%10], seconds[n/10%10]
}
