// Package side is one side of a comparison: a system that runs and is filled, the people who are logged in
// to it, what they ask, and how each answer has to look.
//
// What always holds: every side is asked for the same by the same people; an answer that is wrong, such as
// one of fewer rows or of somebody else's, is an error, however fast it came.
package side

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"caesar/bench/fill"
	"caesar/bench/load"
	"caesar/bench/sample"
	"caesar/bench/speak"
)

// Side is a system. What is not spoken to is nil.
type Side struct {
	Name    string // as the results call it
	Address string
	PID     int   // the process whose memory is measured
	Others  []int // processes beside it that work for it, such as a database server
	Vault   speak.Vault
	Files   speak.Files
	Size    fill.Size // what it was filled with

	sessions []speak.Session // of all people
	ids      [][]string      // of each one's items, by number; of the readers only
	fresh    []speak.Session // that have shown no main password yet
	taken    atomic.Int64    // of those
	created  atomic.Int64    // items since it was filled
}

// PIDs returns all processes whose work is the side's.
func (s *Side) PIDs() []int { return append([]int{s.PID}, s.Others...) }

// People are parted: the first half only reads, so that what they have stays as it was filled in; of the
// others, a half writes and a half logs in. One alone does everything.
func (s *Side) readers() int { return max(1, s.Size.People/2) }

func (s *Side) writer(n int) sample.Person {
	first := s.Size.People / 2
	return sample.Person(first + n%max(1, (s.Size.People-first)/2))
}

func (s *Side) guest(n int) sample.Person {
	first := s.Size.People - s.Size.People/4
	return sample.Person(min(first, s.Size.People-1) + n%max(1, s.Size.People-first))
}

// inTurn is how many requests at once prepare a side: few, for whoever was never seen is let guess at
// passwords no more often than that.
const inTurn = 4

// Enter logs everybody in, and walks through all that the readers have: every item has to be there once.
func (s *Side) Enter(ctx context.Context) error {
	s.sessions = make([]speak.Session, s.Size.People)
	s.ids = make([][]string, s.readers())
	err := s.all(ctx, s.Size.People, func(c *load.Conn, n int) (err error) {
		s.sessions[n], err = s.login(c, sample.Person(n))
		return err
	})
	if err != nil {
		return fmt.Errorf("log in to %s: %w", s.Name, err)
	}
	err = s.all(ctx, len(s.ids), func(c *load.Conn, n int) (err error) {
		s.ids[n], err = s.walk(c, s.sessions[n])
		return err
	})
	if err != nil {
		return fmt.Errorf("look through %s: %w", s.Name, err)
	}
	return nil
}

// all has something done for so many, some at once.
func (s *Side) all(ctx context.Context, count int, do func(c *load.Conn, n int) error) error {
	nothing := func() error { return nil }
	_, err := load.Transfer(ctx, load.Transfers{
		Address: s.Address, Connections: min(inTurn, count), Count: count, Limit: 5 * time.Minute, Do: do, Begin: nothing, End: nothing,
	})
	return err
}

func (s *Side) login(c *load.Conn, p sample.Person) (speak.Session, error) {
	a, err := c.Do(s.Vault.Login(nil, p))
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return speak.Session{}, err
	}
	return s.Vault.Session(p, a.Body)
}

// walked bounds how many items of a person are walked through.
const walked = 10_000

// walk reads what a person has, page by page, and returns the ids by the items' numbers.
func (s *Side) walk(c *load.Conn, who speak.Session) ([]string, error) {
	const size = 200
	if s.Size.Items > walked {
		return nil, nil
	}
	ids := make([]string, s.Size.Items)
	for page := 1; (page-1)*size < s.Size.Items; page++ {
		a, err := c.Do(s.Vault.List(nil, who, page, size))
		if err == nil {
			err = a.Err()
		}
		if err != nil {
			return nil, err
		}
		p, err := s.Vault.Page(a.Body)
		if err != nil {
			return nil, err
		}
		if want := min(size, s.Size.Items-(page-1)*size); len(p.Rows) != want || p.Count != s.Size.Items {
			return nil, fmt.Errorf("page %d of %s has %d items of %d, where there should be %d of %d", page, who.Person.Name(), len(p.Rows), p.Count, want, s.Size.Items)
		}
		for _, row := range p.Rows {
			n, err := s.which(who.Person, row)
			if err != nil {
				return nil, err
			}
			if ids[n] != "" {
				return nil, fmt.Errorf("item %d of %s is there twice", n, who.Person.Name())
			}
			ids[n] = row.ID
		}
	}
	return ids, nil
}

// which returns the number of a row's item, which has to be one of the person's.
func (s *Side) which(p sample.Person, row speak.Row) (int, error) {
	n, ok := sample.Number(row.Platform)
	if !ok || n >= s.Size.Items+int(s.created.Load()) || row.ID == "" || row.URL != p.Item(n).URL {
		return 0, fmt.Errorf("%+v is nothing that %s keeps", row, p.Name())
	}
	return n, nil
}

// Unlock has everybody who reads or writes show the main password, so that their sessions are unlocked
// from then on, where the system knows such a thing. It is cheap for who has done so lately.
func (s *Side) Unlock(ctx context.Context) error {
	readers := s.readers()
	writers := max(1, (s.Size.People-s.Size.People/2)/2)
	err := s.all(ctx, readers+writers, func(c *load.Conn, n int) error {
		who := sample.Person(n)
		if n >= readers {
			who = s.writer(n - readers)
		}
		return s.unlock(c, s.sessions[who])
	})
	if err != nil {
		return fmt.Errorf("unlock %s: %w", s.Name, err)
	}
	return nil
}

// unlock views any item of a person.
func (s *Side) unlock(c *load.Conn, who speak.Session) error {
	a, err := c.Do(s.Vault.List(nil, who, 1, 1))
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return err
	}
	p, err := s.Vault.Page(a.Body)
	if err != nil {
		return err
	}
	if len(p.Rows) != 1 {
		return fmt.Errorf("%s has %d items on a page of one", who.Person.Name(), len(p.Rows))
	}
	if a, err = c.Do(s.Vault.View(nil, who, p.Rows[0].ID)); err == nil {
		err = a.Err()
	}
	return err
}

// Refresh logs people in so many times more, for sessions that nobody has shown a main password in.
func (s *Side) Refresh(ctx context.Context, count int) error {
	s.taken.Store(0)
	var mu sync.Mutex
	s.fresh = s.fresh[:0]
	err := s.all(ctx, count, func(c *load.Conn, n int) error {
		who, err := s.login(c, sample.Person(n%s.readers()))
		mu.Lock()
		defer mu.Unlock()
		s.fresh = append(s.fresh, who)
		return err
	})
	if err != nil {
		return fmt.Errorf("log in to %s: %w", s.Name, err)
	}
	return nil
}
