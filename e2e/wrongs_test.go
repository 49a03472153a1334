package e2e_test

import (
	"slices"
	"strings"
)

// wrong is text that may not stand in a field.
type wrong struct {
	name, text string
	// slug is what the answer bears where it is not "invalid", for the text could be right: it is a guess
	// at a secret then, and is counted.
	slug string
	// unnamed says that the answer lays the fault at no field, so that it tells less.
	unnamed bool
}

// controls are characters that no line of text may hold, each within some.
func controls(text string) []wrong {
	return []wrong{
		{name: "NUL", text: text + "\x00"},
		{name: "escape", text: "\x1b[2J" + text},
		{name: "DEL", text: text + "\x7f"},
		{name: "CR LF", text: text + "\r\nBcc: eve@example.org"},
		{name: "LF", text: text + "\n" + text},
		{name: "next line", text: text + "\u0085"},
	}
}

// within are such texts with something behind them: blanks at an end are dropped where they mean nothing.
func within(wrongs []wrong, behind string) []wrong {
	for i := range wrongs {
		wrongs[i].text += behind
	}
	return wrongs
}

func empty() []wrong { return []wrong{{name: "empty"}} }

func long(text string) []wrong { return []wrong{{name: "too long", text: text}} }

// unseen are characters that would make one name look like another.
func unseen(text string) []wrong {
	return []wrong{
		{name: "blank", text: " \t "},
		{name: "right-to-left override", text: text + "\u202e"},
		{name: "zero width space", text: text + "\u200b"},
		{name: "line separator", text: text + "\u2028"},
		{name: "private use", text: text + "\ue000"},
	}
}

// What is wrong in each kind of field.
var (
	wrongNames = slices.Concat(empty(), controls("Eve"), unseen("Eve"), long(strings.Repeat("名", 65)),
		[]wrong{{name: "@", text: "eve@example.org"}, {name: "joiner", text: "\u200d"}})

	wrongRealNames = slices.Concat(empty(), controls("Eve"), unseen("Eve"), long(strings.Repeat("名", 65)))

	wrongPhones = slices.Concat(empty(), within(controls("1"), "2"), long(strings.Repeat("1", 33)), []wrong{
		{name: "letters", text: "call me"}, {name: "no digit", text: "+-()"}, {name: "wide digits", text: "１２３"}, {name: "blank", text: "  "},
	})

	wrongNewPasswords = slices.Concat(empty(), controls("correct"), long(strings.Repeat("密", 342)),
		[]wrong{{name: "too short", text: "12345"}, {name: "too short, in many bytes", text: "密码密码密"}})

	wrongRepetitions = slices.Concat(empty(), controls("correct"), long(strings.Repeat("密", 342)),
		[]wrong{{name: "other", text: "something else"}})

	// A secret that is shown and could be none.
	wrongPasswords = slices.Concat(empty(), controls("correct"), long(strings.Repeat("密", 342)))

	wrongHandles = slices.Concat(empty(), controls("Eve"), long(strings.Repeat("e", 321)), []wrong{
		{name: "blank", text: "  "},
		{name: "name and address", text: "Eve <eve@example.org>", slug: "login_wrong", unnamed: true},
		{name: "quote", text: "' OR 1=1 --", slug: "login_wrong", unnamed: true},
	})

	wrongTypes = slices.Concat(empty(), controls("password"), []wrong{
		{name: "other", text: "login"}, {name: "another case", text: "Password"}, {name: "too long", text: strings.Repeat("password", 1000)},
	})

	wrongCodes = slices.Concat(empty(), long(strings.Repeat("1", 33)), []wrong{
		{name: "blank", text: " \t "},
		{name: "NUL", text: "12\x003456", slug: "code_wrong"},
		{name: "letters", text: "letters", slug: "code_wrong"},
	})

	wrongItemNames     = slices.Concat(empty(), controls("n"), long(strings.Repeat("名", 4097)))
	wrongItemEmails    = slices.Concat(controls("a@b"), long(strings.Repeat("名", 4097)))
	wrongItemPasswords = slices.Concat(empty(), long(strings.Repeat("密", 4097)), []wrong{
		{name: "NUL", text: "p\x00"}, {name: "escape", text: "\x1b[2J"}, {name: "DEL", text: "p\x7f"},
	})
	wrongPlatforms = slices.Concat(empty(), controls("x"), long(strings.Repeat("台", 513)))
	wrongURLs      = slices.Concat(controls("https://example.org"), long("https://example.org/"+strings.Repeat("a", 493)))
)

// wrongEmails are what is no bare address.
var wrongEmails = slices.Concat(empty(), controls("eve@example.org"), []wrong{
	{name: "name and address", text: "Eve <eve@example.org>"},
	{name: "angle brackets", text: "<eve@example.org>"},
	{name: "quoted name", text: `"Eve" <eve@example.org>`},
	{name: "two", text: "eve@example.org,adam@example.org"},
	{name: "two with a semicolon", text: "eve@example.org;adam@example.org"},
	{name: "comment", text: "eve(the first)@example.org"},
	{name: "quoted local part", text: `"eve smith"@example.org`},
	{name: "blank before", text: " eve@example.org"},
	{name: "blank within", text: "eve @example.org"},
	{name: "no @", text: "eve.example.org"},
	{name: "two @", text: "eve@home@example.org"},
	{name: "nobody", text: "@example.org"},
	{name: "nowhere", text: "eve@"},
	{name: "dots", text: "eve..smith@example.org"},
	{name: "dot before", text: ".eve@example.org"},
	{name: "empty label", text: "eve@example..org"},
	{name: "hyphen before", text: "eve@-example.org"},
	{name: "address literal", text: "eve@[127.0.0.1]"},
	{name: "IP address", text: "eve@127.0.0.1"},
	{name: "Chinese host", text: "eve@例子.公司"},
	{name: "Chinese local part", text: "夏娃@example.org"},
	{name: "percent-encoded line break", text: "eve%0d%0a@example.org%0d%0aBcc: adam@example.org"},
	{name: "long local part", text: strings.Repeat("e", 65) + "@example.org"},
	{name: "long label", text: "eve@" + strings.Repeat("e", 64) + ".org"},
	{name: "long", text: "eve@" + strings.Repeat("example.", 32) + "org"},
})
