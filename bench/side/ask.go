package side

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"caesar/bench/load"
	"caesar/bench/sample"
	"caesar/bench/speak"
)

// Kind is what is asked for. It appends a request and says how its answer is checked; a nil request means
// that there is nothing left to ask.
type Kind func(s *Side, l *Line, b []byte) (request []byte, check func(body []byte) error)

// Line is who asks on one connection.
type Line struct {
	random *rand.Rand
	number int // of the connection, from 0
	asked  int // how often it has asked
	of     int // how many connections there are
}

// asker asks a side for one kind of thing over and over.
type asker struct {
	side   *Side
	kind   Kind
	line   Line
	buf    []byte
	verify func(body []byte) error
}

// Askers returns what asks a side on so many connections. Round tells one run from another: each asks for
// others of the same things.
func Askers(s *Side, kind Kind, connections, round int) []load.Asker {
	askers := make([]load.Asker, connections)
	for n := range askers {
		random := rand.New(rand.NewPCG(uint64(round), uint64(n))) //nolint:gosec // every system is asked for the same
		askers[n] = &asker{side: s, kind: kind, line: Line{random: random, number: n, of: connections}}
	}
	return askers
}

// Next implements load.Asker.
func (a *asker) Next() []byte {
	var request []byte
	request, a.verify = a.kind(a.side, &a.line, a.buf[:0])
	a.line.asked++
	if request != nil {
		a.buf = request
	}
	return request
}

// Check implements load.Asker.
func (a *asker) Check(body []byte) error { return a.verify(body) }

// reader returns somebody who reads.
func (s *Side) reader(l *Line) speak.Session { return s.sessions[l.random.IntN(s.readers())] }

// List asks for a random page of somebody's items.
func List(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	who := s.reader(l)
	page := 1 + l.random.IntN(max(1, s.Size.Items/speak.PageSize))
	return s.Vault.List(b, who, page, speak.PageSize), func(body []byte) error {
		return s.checkPage(body, who.Person, "", s.Size.Items)
	}
}

// Search asks for the first page of what one in a hundred of somebody's items has in its platform.
func Search(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	who, term := s.reader(l), sample.Term(l.random.IntN(sample.Terms))
	return s.Vault.Search(b, who, term), func(body []byte) error {
		return s.checkPage(body, who.Person, term, s.Size.Items/sample.Terms)
	}
}

// checkPage says what is wrong with a full page of a person's items, of which there are so many; more where
// the person also writes.
func (s *Side) checkPage(body []byte, who sample.Person, term string, count int) error {
	p, err := s.Vault.Page(body)
	if err != nil {
		return err
	}
	most := count
	if s.Size.People == 1 {
		most += int(s.created.Load())
	}
	if p.Count < count || p.Count > most || len(p.Rows) != min(speak.PageSize, p.Count) {
		return fmt.Errorf("%d items of %d, where there are %d", len(p.Rows), p.Count, count)
	}
	seen := map[string]bool{}
	for _, row := range p.Rows {
		if _, err := s.which(who, row); err != nil {
			return err
		}
		if seen[row.ID] || !strings.Contains(strings.ToLower(row.Platform), term) {
			return fmt.Errorf("%+v is there twice, or is nothing that was searched for", row)
		}
		seen[row.ID] = true
	}
	return nil
}

// View asks for an item in a session that is unlocked.
func View(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	return s.view(s.reader(l), l, b)
}

// ColdView asks for an item in a session that has not shown the main password yet; see Refresh.
func ColdView(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	n := int(s.taken.Add(1)) - 1
	if n >= len(s.fresh) {
		return nil, nil
	}
	return s.view(s.fresh[n], l, b)
}

func (s *Side) view(who speak.Session, l *Line, b []byte) ([]byte, func([]byte) error) {
	n := l.random.IntN(s.Size.Items)
	return s.Vault.View(b, who, s.ids[who.Person][n]), func(body []byte) error {
		got, err := s.Vault.Opened(body)
		item := who.Person.Item(n)
		if want := (speak.Opened{Name: item.Name, Email: item.Email, Password: item.Password}); err == nil && got != want {
			err = fmt.Errorf("item %d of %s is %+v", n, who.Person.Name(), want)
		}
		return err
	}
}

// Create has somebody keep one thing more, in a session that is unlocked.
func Create(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	who := s.sessions[s.writer(l.number+l.asked*l.of)]
	n := s.Size.Items + int(s.created.Add(1)) - 1
	return s.Vault.Create(b, who, who.Person.Item(n)), func(body []byte) error {
		_, err := s.Vault.Made(body)
		return err
	}
}

// Login logs somebody in.
func Login(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	who := s.guest(l.number + l.asked*l.of)
	return s.Vault.Login(b, who), func(body []byte) error {
		_, err := s.Vault.Session(who, body)
		return err
	}
}

// Mixed is a day in the life: of ten requests six list, two search, one views and one creates.
func Mixed(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	switch n := l.random.IntN(10); {
	case n < 6:
		return List(s, l, b)
	case n < 8:
		return Search(s, l, b)
	case n < 9:
		return View(s, l, b)
	default:
		return Create(s, l, b)
	}
}

// Log asks Caesar for the log of an item.
func Log(s *Side, l *Line, b []byte) ([]byte, func([]byte) error) {
	who := s.reader(l)
	id := s.ids[who.Person][l.random.IntN(s.Size.Items)]
	return speak.Caesar{}.Log(b, who, id), func(body []byte) error {
		count, err := speak.Caesar{}.Logged(body)
		if err == nil && count < 1 {
			err = fmt.Errorf("not even its creation is in the log")
		}
		return err
	}
}

// Captcha asks Caesar for a captcha.
func Captcha(_ *Side, _ *Line, b []byte) ([]byte, func([]byte) error) {
	return speak.Caesar{}.Captcha(b), func(body []byte) error {
		if !strings.Contains(string(body), `"image":"data:image/png;base64,`) {
			return fmt.Errorf("there is no picture")
		}
		return nil
	}
}

// Answer asks the plain server for a prepared answer of so many bytes.
func Answer(size int) Kind {
	return func(_ *Side, _ *Line, b []byte) ([]byte, func([]byte) error) {
		return speak.Plain{}.Answer(b, size), func(body []byte) error {
			if len(body) != size {
				return fmt.Errorf("%d bytes, not %d", len(body), size)
			}
			return nil
		}
	}
}

// Argon2id asks the plain server for a hash.
func Argon2id(_ *Side, _ *Line, b []byte) ([]byte, func([]byte) error) {
	return speak.Plain{}.Argon2id(b), func(body []byte) error {
		if len(body) != 64 {
			return fmt.Errorf("no key of 32 bytes")
		}
		return nil
	}
}
