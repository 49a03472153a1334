package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"caesar/bench/report"
)

// describe keeps what is measured with.
func (s *stage) describe(ctx context.Context) {
	s.results.Commit = s.commit(ctx)
	s.keep(report.Version{Name: "Go", Version: runtime.Version()})
}

// commit returns the commit of the sources, and whether they have changed since.
func (s *stage) commit(ctx context.Context) string {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the arguments are those below
		cmd.Dir = s.root
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	hash, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "unknown" // the sources may be no clone
	}
	// What a run writes itself is no change.
	changed, err := git("status", "--porcelain", "--", ".", ":!bench/RESULTS.md", ":!bench/plots")
	if err != nil || changed != "" {
		hash += ", with changes"
	}
	return hash
}

// write writes the results and the plots.
func (s *stage) write() error {
	folder := s.target(s.root)
	plots := filepath.Join(folder, "plots")
	if err := os.MkdirAll(plots, 0o755); err != nil { //nolint:gosec // everybody may look at the results
		return fmt.Errorf("write results: %w", err)
	}
	var names []string
	for _, p := range s.results.Plots() {
		names = append(names, p.File)
		if err := os.WriteFile(filepath.Join(plots, p.File), p.SVG(), 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("write plot: %w", err)
		}
	}
	path := filepath.Join(folder, "RESULTS.md")
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := errors.Join(s.results.WriteMarkdown(f, names), f.Close()); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	s.say("written to %s", path)
	return nil
}
