//go:build !race

package e2e_test

// loadMost is what the program may take in MiB at its peak.
const loadMost = 150
