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

// there says, of each package of Debian that tests or the benchmark need, whether its programs are found.
var there = map[string]func() bool{
	"postgresql": testbed.HasPostgres,
	"haproxy":    func() bool { return found("haproxy") },
	"nginx":      func() bool { return found("nginx", "/usr/sbin/nginx") },
}

// found reports whether any of these programs is there.
func found(programs ...string) bool {
	return slices.ContainsFunc(programs, func(program string) bool {
		_, err := exec.LookPath(program)
		return err == nil
	})
}

// absent returns the packages that the tests need and whose programs are not found.
func absent() []string {
	needed := []string{"haproxy", "nginx"}
	if os.Getenv(postgresVariable) == "" {
		needed = append(needed, "postgresql")
	}
	return lacking(needed)
}

// lacking returns those packages whose programs are not found.
func lacking(packages []string) []string {
	return slices.DeleteFunc(packages, func(name string) bool {
		is, known := there[name]
		return known && is()
	})
}

// install installs packages, where it is root on Debian; elsewhere it does nothing.
func install(names []string) error {
	if _, err := exec.LookPath("apt-get"); err != nil || len(names) == 0 || os.Geteuid() != 0 {
		return nil
	}
	if err := apt("update"); err != nil {
		return err
	}
	reset, err := withoutServices()
	if err != nil {
		return err
	}
	defer reset()
	if slices.Contains(names, "postgresql") {
		reset, err := withoutCluster()
		if err != nil {
			return err
		}
		defer reset()
	}
	return apt(append([]string{"install"}, names...)...)
}

// policy is asked by Debian's packages whether they may start what they install.
const policy = "/usr/sbin/policy-rc.d"

// withoutServices keeps packages from starting servers: the tests want the programs alone. Where the machine
// has a policy of its own, that holds.
func withoutServices() (reset func(), err error) {
	if _, err := os.Lstat(policy); err == nil {
		return func() {}, nil
	}
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		return nil, fmt.Errorf("keep Debian from starting servers: %w", err)
	}
	return func() {
		if err := os.Remove(policy); err != nil {
			fmt.Fprintln(os.Stderr, "backends: let Debian start servers again:", err)
		}
	}, nil
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
