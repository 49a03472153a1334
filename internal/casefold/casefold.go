// Package casefold brings letters of every case to one (Unicode Standard, section 3.13, default case
// folding), for names that must be unique and for searches.
//
// What always holds: what differs in case only folds to one text, and folding that changes it no more.
// Folded text can come apart into base letters and marks; who wants it composed composes it after.
package casefold

import (
	"strings"

	"golang.org/x/text/cases"
)

// String returns the folded form of a text.
func String(s string) string {
	return strings.Map(cherokee, cases.Fold().String(s))
}

// cherokee folds the Cherokee letters to capitals, as Unicode does with this one script. Package cases
// exchanges its two cases instead.
func cherokee(r rune) rune {
	switch {
	case 'ꭰ' <= r && r <= 'ꮿ':
		return r - 'ꭰ' + 'Ꭰ'
	case 'ᏸ' <= r && r <= 'ᏽ':
		return r - 'ᏸ' + 'Ᏸ'
	}
	return r
}
