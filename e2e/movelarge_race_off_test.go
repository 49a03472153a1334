//go:build !race

package e2e_test

// fillsSlowly tells whether a large folder takes minutes to fill.
const fillsSlowly = false
