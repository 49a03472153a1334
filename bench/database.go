package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"caesar/bench/fill"
	"caesar/bench/peer"
	"caesar/bench/report"
	"caesar/internal/testbed"
)

// database is a PostgreSQL server of this run.
type database struct {
	server *testbed.PostgresServer
	folder string
	pid    int
}

// startPostgres starts a PostgreSQL on a cluster of its own.
func (s *stage) startPostgres(ctx context.Context) error {
	d := &database{}
	var err error
	// The server runs as another user where this runs as root, who has to be able to come by. /var/tmp is on
	// a disk where /tmp may lie in memory.
	if d.folder, err = os.MkdirTemp("/var/tmp", "caesar-bench-"); err != nil {
		return fmt.Errorf("make folder of PostgreSQL: %w", err)
	}
	if d.server, err = testbed.RunPostgres(d.folder, true); err != nil {
		return errors.Join(err, os.RemoveAll(d.folder))
	}
	s.postgres = d
	if d.pid, err = peer.PostgresPID(filepath.Join(d.folder, "data")); err != nil {
		return err
	}
	version, err := peer.PostgresVersion(ctx, d.pid)
	s.keep(report.Version{Name: "PostgreSQL", Version: version})
	return err
}

// fillPostgres starts a PostgreSQL and fills Caesar on it.
func (s *stage) fillPostgres(ctx context.Context, size fill.Size) error {
	if err := s.startPostgres(ctx); err != nil {
		return err
	}
	s.say("filling Caesar on PostgreSQL: %d people with %d items each", size.People, size.Items)
	first, err := s.startOnPostgres(ctx) // it makes the keys and the tables
	if err != nil {
		return err
	}
	if err := s.stop(first); err != nil {
		return err
	}
	return fill.Caesar(ctx, s.path("caesar-postgres"), s.postgres.server.URL(), size)
}

// startOnPostgres starts Caesar on the PostgreSQL that runs.
func (s *stage) startOnPostgres(ctx context.Context) (*peer.Process, error) {
	return s.begun(peer.StartCaesar(ctx, s.caesar.Path, s.path("caesar-postgres"), s.postgres.server.URL()))
}

// stop ends the server and removes what it kept.
func (d *database) stop() error {
	return errors.Join(d.server.Stop(), os.RemoveAll(d.folder))
}
