package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"

	"caesar/internal/testbed"
)

// clusters says how Debian sets up a PostgreSQL that it installs.
const clusters = "/etc/postgresql-common/createcluster.conf"

// absent returns the packages of Debian whose programs are not found.
func absent() []string {
	var names []string
	if os.Getenv(postgresVariable) == "" && !testbed.HasPostgres() {
		names = append(names, "postgresql")
	}
	if _, err := exec.LookPath("haproxy"); err != nil {
		names = append(names, "haproxy")
	}
	return names
}

// install installs packages, where it is root on Debian; elsewhere it does nothing.
func install(names []string) error {
	if _, err := exec.LookPath("apt-get"); err != nil || len(names) == 0 || os.Geteuid() != 0 {
		return nil
	}
	if err := apt("update"); err != nil {
		return err
	}
	if slices.Contains(names, "postgresql") {
		reset, err := withoutCluster()
		if err != nil {
			return err
		}
		defer reset()
	}
	return apt(append([]string{"install"}, names...)...)
}

// withoutCluster keeps Debian from making a cluster with the server, and from starting it now and whenever the
// machine starts: the tests want the programs alone. It is set in the file of a package that comes before.
func withoutCluster() (reset func(), err error) {
	if err := apt("install", "postgresql-common"); err != nil {
		return nil, err
	}
	before, err := os.ReadFile(clusters)
	if err != nil {
		return nil, fmt.Errorf("keep Debian from making a cluster: %w", err)
	}
	if err := os.WriteFile(clusters, append(slices.Clone(before), "\ncreate_main_cluster = false\n"...), 0o644); err != nil {
		return nil, fmt.Errorf("keep Debian from making a cluster: %w", err)
	}
	return func() {
		if err := os.WriteFile(clusters, before, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "backends: set back how Debian makes clusters:", err)
		}
	}, nil
}

// apt runs apt-get, which asks nothing.
func apt(args ...string) error {
	cmd := exec.Command("apt-get", append([]string{"-q", "-y", "--no-install-recommends"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w", args[0], err)
	}
	return nil
}
