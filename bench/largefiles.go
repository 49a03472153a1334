package main

import (
	"context"

	"caesar/bench/load"
	"caesar/bench/report"
	"caesar/bench/sample"
	"caesar/bench/side"
	"caesar/bench/speak"
)

// How many bytes are uploaded at once at most, for they need room, and downloaded; and up to how many the
// rounds are several.
const (
	uploadedAtOnce   = 4 << 30
	downloadedAtOnce = 16 << 30
	repeated         = 4 << 30
)

// largeFiles measures files that are transferred in pieces, each connection one, as many at once as is bearable.
func (s *stage) largeFiles(ctx context.Context, f sample.File, sides []*side.Side) error {
	err := s.largeTurns(f, uploadedAtOnce, without(sides, report.Nginx), func(one *side.Side, connections, round int) error {
		return s.largeUpload(ctx, f, one, connections, round)
	})
	if err != nil {
		return err
	}
	kept, err := s.send(ctx, f, sides)
	if err != nil {
		return err
	}
	err = s.largeTurns(f, downloadedAtOnce, without(sides, report.Plain), func(one *side.Side, connections, round int) error {
		return s.largeDownload(ctx, f, one, kept[one.Name], connections, round)
	})
	if err != nil {
		return err
	}
	return s.discard(ctx, sides, kept)
}

// largeTurns gives every side its turn at a file for each number of connections, up to so many bytes at once.
func (s *stage) largeTurns(f sample.File, most int64, sides []*side.Side, turn func(one *side.Side, connections, round int) error) error {
	for _, n := range s.connections {
		bytes := int64(n) * f.Size
		if bytes > most {
			continue
		}
		rounds := s.fewer()
		if bytes > repeated {
			rounds = 1
		}
		for round := range rounds {
			for _, one := range sides {
				if err := turn(one, n, round); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// largeUpload measures uploads, and deletes what was uploaded.
func (s *stage) largeUpload(ctx context.Context, f sample.File, one *side.Side, connections, round int) error {
	if err := settle(ctx, one, connections); err != nil {
		return err
	}
	kept := make([]speak.File, connections)
	m := s.transferMeter(report.Case{Name: report.Upload, Size: f.Size}, one, connections, round)
	r, err := s.transfer(ctx, one, connections, connections, func(c *load.Conn, n int) (err error) {
		kept[n], err = one.Send(c, n, f)
		return err
	}, m)
	if err != nil {
		return err
	}
	s.say("upload of %d MiB, %d at once, round %d: %s in %.2fs", f.Size>>20, connections, round+1, one.Name, r.Elapsed.Seconds())
	_, err = s.transfer(ctx, one, 1, connections, func(c *load.Conn, n int) error { return one.Discard(c, n, kept[n]) }, nil)
	return err
}

// largeDownload measures downloads.
func (s *stage) largeDownload(ctx context.Context, f sample.File, one *side.Side, kept speak.File, connections, round int) error {
	m := s.transferMeter(report.Case{Name: report.Download, Size: f.Size}, one, connections, round)
	r, err := s.transfer(ctx, one, connections, connections, func(c *load.Conn, _ int) error { return one.Fetch(c, 0, kept, f, false) }, m)
	if err != nil {
		return err
	}
	s.say("download of %d MiB, %d at once, round %d: %s in %.2fs", f.Size>>20, connections, round+1, one.Name, r.Elapsed.Seconds())
	return nil
}

// transferMeter returns what measures a turn of transfers.
func (s *stage) transferMeter(c report.Case, one *side.Side, connections, round int) *meter {
	return &meter{stage: s, side: one, sample: &report.Sample{Case: c, System: one.Name, Connections: connections, Round: round}}
}
