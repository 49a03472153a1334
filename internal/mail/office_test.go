package mail_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"caesar/internal/mail"
	"caesar/internal/rootkey"
)

// memory is a Store for these tests.
type memory struct {
	mu      sync.Mutex
	lastID  int64
	letters map[int64]mail.Queued
	claims  int
	err     error         // what every call answers, if not nil
	slow    time.Duration // how long it takes to lend letters
}

func (m *memory) put(sealed []byte, at time.Time) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastID++
	m.letters[m.lastID] = mail.Queued{ID: m.lastID, Sealed: sealed, CreatedAt: at, DueAt: at}
	return m.lastID
}

func (m *memory) get(id int64) (mail.Queued, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q, there := m.letters[id]
	return q, there
}

func (m *memory) left() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.letters)
}

func (m *memory) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memory) ClaimMail(_ context.Context, now time.Time, lease time.Duration, most int) ([]mail.Queued, error) {
	m.mu.Lock()
	slow := m.slow
	m.mu.Unlock()
	time.Sleep(slow)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims++
	if m.err != nil {
		return nil, m.err
	}
	var due []mail.Queued
	for _, q := range m.letters {
		if !q.DueAt.After(now) {
			due = append(due, q)
		}
	}
	slices.SortFunc(due, func(a, b mail.Queued) int { return a.DueAt.Compare(b.DueAt) })
	due = due[:min(most, len(due))]
	for _, q := range due {
		q.DueAt = now.Add(lease)
		m.letters[q.ID] = q
	}
	return due, nil
}

func (m *memory) MailSent(_ context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		delete(m.letters, id)
	}
	return m.err
}

func (m *memory) MailFailed(_ context.Context, id int64, next time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q, there := m.letters[id]; there && m.err == nil {
		q.Attempts++
		q.DueAt = next
		m.letters[id] = q
	}
	return m.err
}

func (m *memory) NextMail(context.Context) (due time.Time, found bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, q := range m.letters {
		if !found || q.DueAt.Before(due) {
			due, found = q.DueAt, true
		}
	}
	return due, found, m.err
}

// pouch is a Transport that keeps what it is given, and fails as it is told.
type pouch struct {
	mu   sync.Mutex
	got  []mail.Rendered
	at   []time.Time
	fail func(attempt int) error
	hold time.Duration
}

func (p *pouch) Send(ctx context.Context, _ mail.Address, m mail.Rendered) error {
	if p.hold > 0 {
		select {
		case <-time.After(p.hold):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, m)
	p.at = append(p.at, time.Now())
	if p.fail == nil {
		return nil
	}
	return p.fail(len(p.got))
}

func (p *pouch) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

// office is a post office over a memory.
type office struct {
	*mail.Post
	store *memory
	log   *bytes.Buffer
}

func newOffice(t *testing.T, transport mail.Transport) *office {
	t.Helper()
	root, err := rootkey.LoadOrCreate(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	o := &office{store: &memory{letters: map[int64]mail.Queued{}}, log: new(bytes.Buffer)}
	log := slog.New(slog.NewTextHandler(o.log, nil))
	o.Post = mail.NewPost(root, o.store, transport, address(t, "caesar@vault.example"), "https://vault.example", time.Now, log)
	return o
}

// queue puts a letter into the queue and wakes the worker.
func (o *office) queue(l mail.Letter) int64 {
	id := o.store.put(o.Seal(l), time.Now())
	o.Wake()
	return id
}

func address(t testing.TB, s string) mail.Address {
	t.Helper()
	a, err := mail.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
