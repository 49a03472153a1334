package mail

import (
	"html"
	"strings"
)

// page is a letter in words. It is laid out by hand: the packages of templates call methods by their names,
// for which the linker has to keep every method of every type of the program, a fifth of it.
type page struct {
	Lang, Subject, Opening, Code, Footer string
	Then                                 []string
}

// text lays the letter out as plain text. The code stands on a line of its own.
func (p page) text() string {
	var b strings.Builder
	b.WriteString(p.Opening + "\n")
	if p.Code != "" {
		b.WriteString("\n    " + p.Code + "\n")
	}
	for _, sentence := range p.Then {
		b.WriteString("\n" + sentence + "\n")
	}
	b.WriteString("\n-- \n" + p.Footer + "\n")
	return b.String()
}

// html lays the letter out as HTML. Whatever it holds is text: none of it can become markup.
func (p page) html() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html>
<html lang="` + html.EscapeString(p.Lang) + `">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>` + html.EscapeString(p.Subject) + `</title>
</head>
<body style="margin:0;padding:24px;font:16px/1.6 system-ui,sans-serif">
<div style="max-width:34em;margin:0 auto">
`)
	paragraph := func(attributes, text string) {
		b.WriteString("<p" + attributes + ">" + html.EscapeString(text) + "</p>\n")
	}
	paragraph(` style="overflow-wrap:anywhere"`, p.Opening)
	if p.Code != "" {
		paragraph(` style="margin:24px 0;padding:16px;border:1px solid gray;border-radius:8px;text-align:center;`+
			`font:bold 36px/1.2 monospace;letter-spacing:10px;user-select:all"`, p.Code)
	}
	for _, sentence := range p.Then {
		paragraph("", sentence)
	}
	paragraph(` style="margin-top:32px;font-size:13px;color:gray"`, p.Footer)
	b.WriteString("</div>\n</body>\n</html>\n")
	return b.String()
}
