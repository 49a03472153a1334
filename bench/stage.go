package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"caesar/bench/fill"
	"caesar/bench/peer"
	"caesar/bench/proc"
	"caesar/bench/report"
	"caesar/bench/side"
	"caesar/bench/speak"
	"caesar/internal/testbed"
)

// stage is a run: its folder, the programs that were built, and what was measured so far.
type stage struct {
	plan
	root     string // of the sources
	folder   string // that goes at the end
	progress io.Writer
	results  *report.Results

	caesar     peer.Built
	pocketbase peer.PocketBase
	absent     []string // systems that are not installed here
	running    []*peer.Process
	postgres   *database // nil while none is running
}

// run measures all that is planned, and writes it down.
func run(ctx context.Context, p plan, progress io.Writer) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.limit, fmt.Errorf("it takes longer than %v", p.limit))
	defer cancel()
	root, err := peer.Root(ctx)
	if err != nil {
		return err
	}
	s := &stage{plan: p, root: root, progress: progress, results: &report.Results{
		Machine: proc.Describe(), Command: p.command, Began: time.Now(), Idle: map[string][]float64{},
	}}
	if p.remark != "" {
		s.results.Notes = append(s.results.Notes, p.remark)
	}
	for _, part := range []func(context.Context) error{s.open, s.measureLimits, s.measureVaults, s.measureFiles, s.measureGrowth} {
		if err = part(ctx); err != nil {
			break
		}
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // what failed with it failed because of it
	}
	if err = errors.Join(err, s.close()); err != nil {
		return err
	}
	s.results.Took = time.Since(s.results.Began)
	return s.write()
}

// open makes the folder, and finds or builds the programs that are needed.
func (s *stage) open(ctx context.Context) (err error) {
	build := s.work
	if build == "" {
		build = filepath.Join(s.root, "build", "bench")
	}
	if err := os.MkdirAll(build, 0o755); err != nil { //nolint:gosec // everybody may look at what was built
		return fmt.Errorf("make build folder: %w", err)
	}
	// On the disk that the sources are on, rather than where files may lie in memory.
	if s.folder, err = os.MkdirTemp(build, "run-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	s.describe(ctx)
	if err := s.find(ctx); err != nil {
		return err
	}
	if s.needs(report.Caesar) {
		s.say("building Caesar")
		if s.caesar, err = peer.BuildCaesar(ctx, s.root, build); err != nil {
			return err
		}
		s.keep(report.Version{Name: report.Caesar, Version: s.caesar.Version, Size: s.caesar.Size})
	}
	if s.needs(report.PocketBase) {
		s.say("building PocketBase, which takes minutes the first time")
		if s.pocketbase, err = peer.BuildPocketBase(ctx, s.root, build); err != nil {
			return err
		}
		s.keep(report.Version{Name: report.PocketBase, Version: s.pocketbase.Server.Version, Size: s.pocketbase.Server.Size})
	}
	return nil
}

// find looks for the peers that are installed, or are not.
func (s *stage) find(ctx context.Context) error {
	if s.needs(report.Nginx) {
		version, err := peer.NginxVersion(ctx)
		if errors.Is(err, peer.ErrAbsent) {
			err = s.lack(report.Nginx, "nginx is not installed, so nothing is compared with it: apt-get install nginx")
		} else if err == nil {
			s.keep(report.Version{Name: report.Nginx, Version: version})
		}
		if err != nil {
			return err
		}
	}
	if s.needs(report.Postgres) && !testbed.HasPostgres() {
		return s.lack(report.Postgres, "PostgreSQL is not installed, so Caesar is not measured on it: apt-get install postgresql")
	}
	return nil
}

// lack keeps that a system is not here, which the results tell; where all have to be here, it is an error.
func (s *stage) lack(system, why string) error {
	if s.strict {
		return errors.New(why)
	}
	s.say("%s", why)
	s.results.Notes = append(s.results.Notes, why)
	s.absent = append(s.absent, system)
	return nil
}

// has says whether a system that is needed is here.
func (s *stage) has(system string) bool { return s.needs(system) && !slices.Contains(s.absent, system) }

// keep keeps what is measured, and in which version.
func (s *stage) keep(v report.Version) { s.results.Versions = append(s.results.Versions, v) }

// close ends what is running and removes the folder.
func (s *stage) close() error {
	failed := []error{s.stopAll()}
	if s.folder != "" {
		failed = append(failed, os.RemoveAll(s.folder))
	}
	return errors.Join(failed...)
}

// say tells of the progress.
func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.progress, "%6.0fs  ", time.Since(s.results.Began).Seconds())
	fmt.Fprintf(s.progress, format+"\n", args...)
}

// stopAll ends all that is running.
func (s *stage) stopAll() error {
	var failed []error
	for _, p := range slices.Backward(s.running) {
		failed = append(failed, p.Stop())
	}
	s.running = nil
	if s.postgres != nil {
		failed = append(failed, s.postgres.stop())
		s.postgres = nil
	}
	return errors.Join(failed...)
}

// begun keeps a process, for it to be ended.
func (s *stage) begun(p *peer.Process, err error) (*peer.Process, error) {
	if err == nil {
		s.running = append(s.running, p)
	}
	return p, err
}

// stop ends one process.
func (s *stage) stop(p *peer.Process) error {
	s.running = slices.DeleteFunc(s.running, func(other *peer.Process) bool { return other == p })
	return p.Stop()
}

// path returns a place in the run's folder.
func (s *stage) path(name string) string { return filepath.Join(s.folder, name) }

// startCaesar starts Caesar on the data folder of a name.
func (s *stage) startCaesar(ctx context.Context, name string) (*peer.Process, error) {
	return s.begun(peer.StartCaesar(ctx, s.caesar.Path, s.path(name), ""))
}

// startPocketBase starts PocketBase on the data folder of a name.
func (s *stage) startPocketBase(ctx context.Context, name string) (*peer.Process, error) {
	return s.begun(peer.StartPocketBase(ctx, s.pocketbase.Server.Path, s.path(name)))
}

// fillCaesar makes a data folder of that size.
func (s *stage) fillCaesar(ctx context.Context, name string, size fill.Size) error {
	s.say("filling Caesar: %d people with %d items each", size.People, size.Items)
	first, err := s.startCaesar(ctx, name) // it makes the keys and the tables
	if err != nil {
		return err
	}
	if err := s.stop(first); err != nil {
		return err
	}
	return fill.Caesar(ctx, s.path(name), "", size)
}

// fillPocketBase makes a data folder of that size.
func (s *stage) fillPocketBase(ctx context.Context, name string, size fill.Size) error {
	s.say("filling PocketBase: %d people with %d items each", size.People, size.Items)
	return fill.PocketBase(ctx, s.pocketbase.Filler, s.path(name), size)
}

// sideOf returns the side that a process is, with everybody logged in.
func sideOf(ctx context.Context, system string, p *peer.Process, size fill.Size) (*side.Side, error) {
	one := &side.Side{Name: system, Address: p.Address, PID: p.PID, Size: size}
	switch system {
	case report.PocketBase:
		one.Vault, one.Files = speak.PocketBase{}, speak.PocketBase{}
	case report.Caesar, report.Postgres:
		one.Vault, one.Files = speak.Caesar{}, speak.Caesar{}
	default:
		one.Files = speak.Plain{}
		return one, nil
	}
	return one, one.Enter(ctx)
}
