//go:build !race

package testbed

// raced tells whether the tests look for races: the program then does too.
const raced = false
