//go:build linux

package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caesar/bench/load"
	"caesar/bench/proc"
	"caesar/bench/sample"
	"caesar/bench/side"
	"caesar/bench/speak"
	"caesar/internal/sqlstore"
	"caesar/internal/testbed"
	items "caesar/internal/vault"
)

// moreRows are what people have beside what they were filled with, of the lengths that the program gives
// each, in an order that strews a person's rows.
const moreRows = `
	INSERT INTO item_log (user_id, item_id, action, created_at) SELECT user_id, id, 1, 1800000000 FROM items ORDER BY random();
	INSERT INTO sessions (user_id, token_hash, client, address, created_at, last_used_at, expires_at)
		SELECT id, sha256(convert_to(id || ' ' || n, 'UTF8')), repeat('a', 110), '192.0.2.17', 1800000000, 1800000000, 1802592000
		FROM users, generate_series(1, 3) n ORDER BY random();
	INSERT INTO versions (user_id, name, size, sha256, blob, header_size, header_hash, created_at, mac)
		SELECT id, 'vault-2026-11-01.json', 1000000, sha256('a'), left(md5(id || ' ' || n), 26), 184, sha256('b'), 1800000000, sha256('c') || '\x00000000'
		FROM users, generate_series(1, 10) n ORDER BY random();
	INSERT INTO blobs (name, user_id) SELECT blob, user_id FROM versions ORDER BY random();
	INSERT INTO throttles (key, until_ns) SELECT sha256(convert_to(id || ' ' || n, 'UTF8')), 1800000000000000000 FROM users, generate_series(1, 3) n ORDER BY random();`

// rows tells what a row takes on PostgreSQL, with its part of the indexes.
func (l *scaleLab) rows(b *testing.B) {
	l.order("VACUUM ANALYZE")
	l.order(moreRows)
	l.order("ANALYZE")
	fmt.Fprintln(os.Stdout, "\n| table | rows | bytes of a row in the table | in its indexes |")
	for _, table := range []string{"users", "handles", "key_records", "items", "item_log", "sessions", "versions", "blobs", "throttles"} {
		fmt.Fprintln(os.Stdout, l.text(`SELECT '| ' || concat_ws(' | ', '`+table+`', n, pg_table_size('`+table+`') / n, pg_indexes_size('`+table+`') / n) || ' |'
			FROM (SELECT count(*) AS n FROM `+table+`) counted`))
	}
}

// log tells how much of PostgreSQL's log one write takes when its pages were not written since the last
// checkpoint, as where the people are many, and when they were.
func (l *scaleLab) log(b *testing.B) {
	store, err := sqlstore.OpenPostgres(b.Context(), l.server.URL(), 4)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}()
	page := items.Query{Page: items.Page{Number: 1, Size: 1}}
	var people []items.Item // an item of each
	for _, n := range rand.Perm(scaled.People)[:300] {
		first, _, err := store.Items(b.Context(), int64(n+1), page)
		if err != nil || len(first) == 0 {
			b.Fatalf("%d items of person %d, %v", len(first), n, err)
		}
		people = append(people, first[0])
	}
	fmt.Fprintln(os.Stdout, "\n| write, each by another person | bytes of log, just after a checkpoint | once more |")
	for _, write := range []struct {
		name string
		do   func(item items.Item) error
	}{
		{"create", func(item items.Item) error {
			_, err := store.CreateItem(b.Context(), item.UserID, func(id int64) items.Item { item.ID = id; return item })
			return err
		}},
		{"view", func(item items.Item) error {
			_, err := store.LogView(b.Context(), item.UserID, item.ID, item.MAC, time.Now())
			return err
		}},
	} {
		l.order("CHECKPOINT")
		first := l.logged(b, people, write.do)
		fmt.Fprintf(os.Stdout, "| %s | %d | %d |\n", write.name, first, l.logged(b, people, write.do))
	}
}

// logged returns how many bytes of log one of many writes takes.
func (l *scaleLab) logged(b *testing.B, people []items.Item, write func(items.Item) error) int64 {
	b.Helper()
	before, err := l.wal(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, item := range people {
		if err := write(item); err != nil {
			b.Fatal(err)
		}
	}
	after, err := l.wal(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return (after - before) / int64(len(people))
}

// blobs counts the requests that a replica makes of an S3 store, and what a mebibyte costs it.
func (l *scaleLab) blobs(b *testing.B) {
	store := testbed.StartS3(b)
	place, err := url.Parse(store.URL())
	if err != nil {
		b.Fatal(err)
	}
	query := place.Query()
	front, counted := counting(b, query.Get("endpoint"))
	query.Set("endpoint", front)
	place.RawQuery = query.Encode()
	b.Setenv("CAESAR_BLOBS", place.String()) // which the replica inherits
	s := l.open(b, "on S3", l.server.URL(), 1).sides[0]
	fmt.Fprintln(os.Stdout, "\n| bytes | what | requests of the store | Caesar CPU ms | ms |")
	for _, size := range []int64{100 << 10, 4 << 20, 64 << 20} {
		f := sample.File{Size: size}
		var kept speak.File
		l.transfer(b, s, counted, fmt.Sprintf("| %d | upload", size), func(c *load.Conn) (err error) { kept, err = s.Send(c, 0, f); return err })
		l.transfer(b, s, counted, fmt.Sprintf("| %d | download", size), func(c *load.Conn) error { return s.Fetch(c, 0, kept, f, true) })
		l.transfer(b, s, counted, fmt.Sprintf("| %d | delete", size), func(c *load.Conn) error { return s.Discard(c, 0, kept) })
	}
}

// transfer does something once, and writes down what it took.
func (l *scaleLab) transfer(b *testing.B, s *side.Side, counted func() map[string]int, row string, do func(*load.Conn) error) {
	b.Helper()
	var took, cpu time.Duration
	var before map[string]int
	var start time.Time
	var startCPU time.Duration
	_, err := load.Transfer(b.Context(), load.Transfers{
		Address: s.Address, Connections: 1, Count: 1, Limit: time.Minute,
		Do: func(c *load.Conn, _ int) error { return do(c) },
		Begin: func() (err error) {
			before, start = counted(), time.Now()
			startCPU, err = proc.CPU(s.PID)
			return err
		},
		End: func() error {
			took = time.Since(start)
			after, err := proc.CPU(s.PID)
			cpu = after - startCPU
			return err
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	var requests []string
	for name, n := range counted() {
		if more := n - before[name]; more > 0 {
			requests = append(requests, fmt.Sprintf("%d %s", more, name))
		}
	}
	slices.Sort(requests)
	fmt.Fprintf(os.Stdout, "%s | %s | %d | %d |\n", row, strings.Join(requests, ", "), cpu.Milliseconds(), took.Milliseconds())
}

// counting passes requests on to an S3 store, and counts them by what they are.
func counting(b *testing.B, endpoint string) (front string, counted func() map[string]int) {
	b.Helper()
	var mu sync.Mutex
	counts := map[string]int{}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", endpoint
			r.Out.Host = r.In.Host // which is signed
			name := r.In.Method
			for _, of := range []string{"uploads", "partNumber", "uploadId", "list-type"} {
				if r.In.URL.Query().Has(of) {
					name += " " + of
					break
				}
			}
			mu.Lock()
			counts[name]++
			mu.Unlock()
		},
	})
	b.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(counts)
	}
}
