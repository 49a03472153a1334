// Package phrase is the one catalogue of what Caesar says to people, in Chinese and in English.
//
// A Phrase is chosen where something goes wrong or right and put into words only at the edge, in the
// language of the one who reads it. Phrases never hold secrets: what is filled in with With may end in
// an answer or a mail, and so it must be safe to show to the person who caused it.
package phrase

import (
	"fmt"

	"golang.org/x/text/language"
)

// Language is one of the two languages of the catalogue. The zero value is Chinese, the language of
// both documents.
type Language uint8

// The languages of the catalogue.
const (
	Chinese Language = iota
	English
)

// Tag returns the BCP 47 tag of the language, as used in Content-Language and in html lang.
func (l Language) Tag() string {
	if l == English {
		return "en"
	}
	return "zh-CN"
}

// Phrase is one thing to say, in both languages. The zero value says nothing.
type Phrase struct {
	entry *entry
	args  []any
}

type entry struct{ chinese, english string }

// catalogue holds every phrase that was defined, so that a test can compare both languages.
var catalogue []*entry

// define adds a phrase to the catalogue. Both texts are formats of package fmt with the same verbs in
// the same order, or with explicit argument indexes.
func define(chinese, english string) Phrase {
	e := &entry{chinese, english}
	catalogue = append(catalogue, e)
	return Phrase{entry: e}
}

// With fills in the phrase's arguments.
func (p Phrase) With(args ...any) Phrase {
	p.args = args
	return p
}

// Is tells whether p and q are the same phrase, whatever is filled in.
func (p Phrase) Is(q Phrase) bool { return p.entry == q.entry }

// As returns q with what is filled into p: another wording of the same thing.
func (p Phrase) As(q Phrase) Phrase {
	q.args = p.args
	return q
}

// In returns the phrase in a language.
func (p Phrase) In(l Language) string {
	if p.entry == nil {
		return ""
	}
	format := p.entry.chinese
	if l == English {
		format = p.entry.english
	}
	if len(p.args) == 0 {
		return format
	}
	return fmt.Sprintf(format, p.args...)
}

// String returns the phrase in English, for logs.
func (p Phrase) String() string { return p.In(English) }

// matcher lists Chinese first: it is what is spoken where nothing matches. Readers of traditional Chinese
// are named too: matching holds the two scripts for so far apart that any mention of English would win.
var matcher = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English, language.TraditionalChinese})

// Preferred reads an Accept-Language header (RFC 9110, section 12.5.4): English where it is preferred
// to Chinese, Chinese otherwise, also for a header that is empty or malformed.
func Preferred(acceptLanguage string) Language {
	if acceptLanguage == "" {
		return Chinese
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return Chinese
	}
	_, index, confidence := matcher.Match(tags...)
	if index == 1 && confidence > language.No {
		return English
	}
	return Chinese
}
