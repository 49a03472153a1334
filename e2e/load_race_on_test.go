//go:build race

package e2e_test

// loadMost is what the program may take in MiB at its peak where it is built to look for races, which
// takes several times the memory of the program itself.
const loadMost = 800
