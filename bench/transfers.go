package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"caesar/bench/fill"
	"caesar/bench/load"
	"caesar/bench/peer"
	"caesar/bench/report"
	"caesar/bench/sample"
	"caesar/bench/side"
	"caesar/bench/speak"
)

const (
	// held is the largest file that is held whole by the client.
	held = 1 << 20
	// fileLimit bounds the transfers of one turn.
	fileLimit = 5 * time.Minute
)

// measureFiles measures uploads and downloads of all sizes.
func (s *stage) measureFiles(ctx context.Context) error {
	if !s.runs(files) {
		return nil
	}
	sides, err := s.fileSides(ctx)
	if err != nil {
		return err
	}
	for _, size := range s.files {
		if size <= held {
			err = s.smallFiles(ctx, sample.File{Size: size}, sides)
		} else if err = s.restart(ctx, sides); err == nil {
			err = s.largeFiles(ctx, sample.File{Size: size}, sides)
		}
		if err != nil {
			return err
		}
	}
	return s.stopAll()
}

// fileSides fills and starts all that keep files: Caesar first, nginx, where there is one, last.
func (s *stage) fileSides(ctx context.Context) ([]*side.Side, error) {
	size := fill.Size{People: 16}
	if err := s.fillCaesar(ctx, "caesar-files", size); err != nil {
		return nil, err
	}
	if err := s.fillPocketBase(ctx, "pocketbase-files", size); err != nil {
		return nil, err
	}
	var sides []*side.Side
	for _, system := range []string{report.Caesar, report.PocketBase, report.Plain, report.Nginx} {
		if !s.has(system) {
			continue
		}
		p, err := s.startFiles(ctx, system)
		if err != nil {
			return nil, err
		}
		entered, err := sideOf(ctx, system, p, size)
		if err != nil {
			return nil, err
		}
		sides = append(sides, entered)
	}
	return sides, nil
}

// startFiles starts what keeps files, or sends them.
func (s *stage) startFiles(ctx context.Context, system string) (*peer.Process, error) {
	switch system {
	case report.Caesar:
		return s.startCaesar(ctx, "caesar-files")
	case report.PocketBase:
		return s.startPocketBase(ctx, "pocketbase-files")
	case report.Nginx:
		return s.begun(peer.StartNginx(ctx, s.path("plain"), s.path("nginx")))
	default:
		return s.startPlain(ctx)
	}
}

// restart starts all sides anew, so that the memory they hold next is not what was left of before. Who is
// logged in stays so.
func (s *stage) restart(ctx context.Context, sides []*side.Side) error {
	if err := s.stopAll(); err != nil {
		return err
	}
	for _, one := range sides {
		p, err := s.startFiles(ctx, one.Name)
		if err != nil {
			return err
		}
		one.Address, one.PID = p.Address, p.PID
	}
	return nil
}

// without returns the sides but one of a name: nginx takes no files, and the plain server sends none.
func without(sides []*side.Side, system string) []*side.Side {
	return slices.DeleteFunc(slices.Clone(sides), func(one *side.Side) bool { return one.Name == system })
}

// smallFiles measures files that are asked for and sent like any request.
func (s *stage) smallFiles(ctx context.Context, f sample.File, sides []*side.Side) error {
	var turns []turn
	for _, one := range without(sides, report.Nginx) {
		turns = append(turns, turn{side: one, kind: side.Upload(f), prepare: settle})
	}
	if err := s.byTurns(ctx, report.Case{Name: report.Upload, Size: f.Size}, s.connections, s.fewer(), turns); err != nil {
		return err
	}
	kept, err := s.send(ctx, f, sides)
	if err != nil {
		return err
	}
	turns = nil
	for _, one := range without(sides, report.Plain) {
		turns = append(turns, turn{side: one, kind: side.Download(f, kept[one.Name])})
	}
	if err := s.byTurns(ctx, report.Case{Name: report.Download, Size: f.Size}, s.connections, s.fewer(), turns); err != nil {
		return err
	}
	return s.discard(ctx, sides, kept)
}

// send uploads a file to every side, has it back and compares all of it. What nginx is to send, the plain
// server takes.
func (s *stage) send(ctx context.Context, f sample.File, sides []*side.Side) (map[string]speak.File, error) {
	kept := map[string]speak.File{}
	for _, one := range without(sides, report.Nginx) {
		_, err := s.transfer(ctx, one, 1, 1, func(c *load.Conn, _ int) (err error) {
			if kept[one.Name], err = one.Send(c, 0, f); err != nil || one.Name == report.Plain {
				return err
			}
			return one.Fetch(c, 0, kept[one.Name], f, true)
		}, nil)
		if err != nil {
			return nil, err
		}
	}
	kept[report.Nginx] = kept[report.Plain]
	return kept, nil
}

// discard deletes what send has uploaded.
func (s *stage) discard(ctx context.Context, sides []*side.Side, kept map[string]speak.File) error {
	for _, one := range without(sides, report.Nginx) {
		_, err := s.transfer(ctx, one, 1, 1, func(c *load.Conn, _ int) error { return one.Discard(c, 0, kept[one.Name]) }, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// transfer has a side do something so often; what it uses is measured where there is a meter.
func (s *stage) transfer(ctx context.Context, one *side.Side, connections, count int, do func(*load.Conn, int) error, m *meter) (load.Result, error) {
	nothing := func() error { return nil }
	t := load.Transfers{
		Address: one.Address, Connections: connections, Count: count, Limit: fileLimit, Do: do, Begin: nothing, End: nothing,
	}
	if m != nil {
		t.Begin, t.End = m.begin, m.end
	}
	r, err := load.Transfer(ctx, t)
	if err == nil && m != nil {
		m.keep(r)
	}
	return r, err
}

// settle has the disk finish what one side left to be written, so that it is not on the next one's account.
func settle(ctx context.Context, _ *side.Side, _ int) error {
	if err := exec.CommandContext(ctx, "sync").Run(); err != nil {
		return fmt.Errorf("sync disks: %w", err)
	}
	return nil
}
