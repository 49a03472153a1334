package main

import (
	"context"
	"fmt"
	"os"

	"caesar/bench/fill"
	"caesar/bench/peer"
	"caesar/bench/report"
	"caesar/bench/side"
)

// each is how many items a person has where there are many people.
const each = 1000

// measureGrowth measures what it costs to hold more: once all of one person, once of ever more people. All
// sizes run side by side, so that they are measured next to each other.
func (s *stage) measureGrowth(ctx context.Context) error {
	if !s.runs(growth) {
		return nil
	}
	for _, way := range []string{report.OfAll, report.OfOne} {
		if err := s.grow(ctx, way); err != nil {
			return err
		}
	}
	return nil
}

// grown is one system at one size.
type grown struct {
	system string
	folder string
	size   fill.Size
	items  int
	side   *side.Side
}

func (s *stage) grow(ctx context.Context, way string) error {
	var all []*grown
	for _, items := range s.growth {
		size := fill.Size{People: 1, Items: items}
		if way == report.OfAll {
			size = fill.Size{People: items / each, Items: each}
		}
		for _, system := range []string{report.Caesar, report.PocketBase} {
			all = append(all, &grown{system: system, folder: fmt.Sprintf("%s-%d", system, items), size: size, items: items})
		}
	}
	for _, g := range all {
		if err := s.fillGrown(ctx, g); err != nil {
			return err
		}
	}
	if err := s.startGrown(ctx, all, way); err != nil {
		return err
	}
	if err := s.askGrown(ctx, all, way); err != nil {
		return err
	}
	if err := s.stopAll(); err != nil {
		return err
	}
	for _, g := range all {
		if err := os.RemoveAll(s.path(g.folder)); err != nil {
			return fmt.Errorf("remove data: %w", err)
		}
	}
	return nil
}

func (s *stage) fillGrown(ctx context.Context, g *grown) error {
	if g.system == report.PocketBase {
		return s.fillPocketBase(ctx, g.folder, g.size)
	}
	return s.fillCaesar(ctx, g.folder, g.size)
}

func (s *stage) beginGrown(ctx context.Context, g *grown) (*peer.Process, error) {
	if g.system == report.PocketBase {
		return s.startPocketBase(ctx, g.folder)
	}
	return s.startCaesar(ctx, g.folder)
}

// startGrown measures the starts.
func (s *stage) startGrown(ctx context.Context, all []*grown, way string) error {
	for round := range s.fewer() {
		for _, g := range all {
			c := report.Case{Name: report.Start + way, Size: int64(g.items)}
			err := s.measureStart(ctx, g.system, c, round, func() (*peer.Process, error) { return s.beginGrown(ctx, g) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// askGrown measures requests, on one connection: what they cost is what grows.
func (s *stage) askGrown(ctx context.Context, all []*grown, way string) error {
	for _, g := range all {
		p, err := s.beginGrown(ctx, g)
		if err != nil {
			return err
		}
		if g.side, err = sideOf(ctx, g.system, p, g.size); err != nil {
			return err
		}
	}
	unlock := func(ctx context.Context, one *side.Side, _ int) error { return one.Unlock(ctx) }
	for _, t := range []struct {
		name string
		turn
	}{
		{report.List, turn{kind: side.List}},
		{report.Search, turn{kind: side.Search}},
		{report.Create, turn{kind: side.Create, prepare: unlock}},
	} {
		for round := range s.fewer() {
			for _, g := range all {
				t.side = g.side
				c := report.Case{Name: t.name + way, Size: int64(g.items)}
				if _, err := s.once(ctx, c, t.turn, 1, round); err != nil {
					return fmt.Errorf("%s at %d items of %s: %w", c.Name, g.items, g.system, err)
				}
			}
			s.say("%s%s, from %d to %d items, round %d of %d", t.name, way, all[0].items, all[len(all)-1].items, round+1, s.fewer())
		}
	}
	return nil
}
