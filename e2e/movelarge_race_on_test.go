//go:build race

package e2e_test

// fillsSlowly tells whether a large folder takes minutes to fill: SQLite runs in the process of the tests,
// where every access to memory is looked at.
const fillsSlowly = true
