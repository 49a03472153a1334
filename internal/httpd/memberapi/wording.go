package memberapi

import "caesar/internal/phrase"

// wordings are how the forms of /user say what is wrong with a field, and Django's code for it.
var wordings = []struct {
	wrong, text phrase.Phrase
	code        string
}{
	{phrase.Required, phrase.MemberRequired, "required"},
	{phrase.BadEmail, phrase.MemberBadEmail, "invalid"},
	{phrase.CodeWrong, phrase.MemberCodeWrong, "invalid"},
	{phrase.NameTaken, phrase.MemberNameTaken, "unique"},
	{phrase.EmailTaken, phrase.MemberEmailTaken, "unique"},
	{phrase.TooLong, phrase.MemberTooLong, "max_length"},
	{phrase.PasswordTooLong, phrase.MemberTooManyBytes, "max_length"},
	{phrase.TooShort, phrase.MemberTooShort, "min_length"},
	{phrase.NoControls, phrase.MemberNoControls, "invalid"},
	{phrase.NameHasAt, phrase.MemberNameHasAt, "invalid"},
	{phrase.MustBeText, phrase.MemberMustBeText, "invalid"},
	{phrase.MustBeBinary, phrase.MemberBadRemember, "invalid"},
	{phrase.SentTwice, phrase.MemberSentTwice, "invalid"},
	{phrase.NotUnicode, phrase.MemberNotUnicode, "invalid"},
	{phrase.BadBirthDate, phrase.MemberBadBirthDate, "invalid"},
	{phrase.NotActivated, phrase.MemberNotActivated, "inactive"},
	{phrase.LoginIsMain, phrase.MemberLoginIsMain, "invalid"},
	{phrase.OldPasswordWrong, phrase.MemberOldPassword, "password_incorrect"},
	{phrase.OldEmailWrong, phrase.MemberOldEmail, "invalid"},
}

// wording returns the text and the code for what is wrong with a field.
func wording(wrong phrase.Phrase) (text phrase.Phrase, code string) {
	for _, w := range wordings {
		if wrong.Is(w.wrong) {
			return wrong.As(w.text), w.code
		}
	}
	return wrong, "invalid"
}
