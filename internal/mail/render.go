package mail

import (
	"strings"
	"time"
	"unicode"

	"caesar/internal/phrase"
)

// Rendered is a letter in words, ready for a Transport. Nothing in it that becomes a header comes from
// what a user typed, but for the address, which ParseAddress let through.
type Rendered struct {
	ID       string // the left side of the Message-ID, the same however often the letter is sent
	Date     time.Time
	To       Address
	Language phrase.Language
	Subject  string
	Text     string
	HTML     string
}

// wording is what the letters of one kind say: an opening sentence, then the code, where there is one, then
// the rest.
type wording struct {
	subject phrase.Phrase
	opening func(Letter) phrase.Phrase
	then    func(l Letter, queuedAt time.Time) []phrase.Phrase
}

var kinds = map[Kind]wording{
	activationCode:      {phrase.MailActivationSubject, naming(phrase.MailActivation), aboutCode},
	resetCode:           {phrase.MailResetSubject, naming(phrase.MailReset), aboutCode},
	memberCode:          {phrase.MailMemberSubject, func(Letter) phrase.Phrase { return phrase.MailMember }, aboutCode},
	closing:             {phrase.MailClosingSubject, naming(phrase.MailClosing), aboutClosing},
	erased:              {phrase.MailErasedSubject, naming(phrase.MailErased), saying()},
	emailChanged:        {phrase.MailEmailSubject, naming(phrase.MailEmail), saying(phrase.MailEmailAdvice)},
	passwordChanged:     {phrase.MailPasswordSubject, naming(phrase.MailPassword), saying(phrase.MailPasswordAdvice)},
	mainPasswordChanged: {phrase.MailMainSubject, naming(phrase.MailMain), saying(phrase.MailMainAdvice)},
}

// naming is an opening that tells which account it is about.
func naming(p phrase.Phrase) func(Letter) phrase.Phrase {
	return func(l Letter) phrase.Phrase { return p.With(visible(l.UserName)) }
}

func saying(sentences ...phrase.Phrase) func(Letter, time.Time) []phrase.Phrase {
	return func(Letter, time.Time) []phrase.Phrase { return sentences }
}

// aboutCode tells until when a code holds, with the offset of the zone: the reader's may be another.
func aboutCode(l Letter, queuedAt time.Time) []phrase.Phrase {
	until := queuedAt.Add(l.ValidFor).Format("15:04 UTC-07:00")
	return []phrase.Phrase{phrase.MailCodeValid.With(int(l.ValidFor/time.Minute), until), phrase.MailCodeAdvice}
}

func aboutClosing(l Letter, _ time.Time) []phrase.Phrase {
	return []phrase.Phrase{phrase.MailClosingDay.With(l.ErasedOn.Format(time.DateOnly)), phrase.MailClosingAdvice}
}

// render puts a letter, queued at a time, into words. The public URL may be empty.
func (l Letter) render(queuedAt time.Time, publicURL string) Rendered {
	w := kinds[l.Kind]
	p := page{
		Lang:    l.Language.Tag(),
		Subject: w.subject.In(l.Language),
		Opening: w.opening(l).In(l.Language),
		Code:    l.Code,
		Footer:  phrase.MailFooter.In(l.Language),
	}
	for _, sentence := range w.then(l, queuedAt) {
		p.Then = append(p.Then, sentence.In(l.Language))
	}
	if publicURL != "" {
		p.Footer = phrase.MailFooterURL.With(publicURL).In(l.Language)
	}
	return Rendered{
		ID: l.ID, Date: queuedAt, To: l.To, Language: l.Language,
		Subject: p.Subject, Text: p.text(), HTML: p.html(),
	}
}

// visible replaces the characters that would rearrange or break the text around a name: controls, line
// and paragraph separators, and formats such as the bidirectional overrides. The joiners stay, for there
// are scripts that need them.
func visible(name string) string {
	return strings.Map(func(r rune) rune {
		if r != '\u200c' && r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return r
	}, name)
}
