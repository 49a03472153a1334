package main

import (
	"html"
	"html/template"
	"regexp"
	"strings"
)

// The three marks of Markdown that the document uses, found in text that is escaped already.
var marks = []struct {
	pattern *regexp.Regexp
	html    string
}{
	{regexp.MustCompile("`([^`]+)`"), "<code>$1</code>"},
	{regexp.MustCompile(`\*\*([^*]+)\*\*`), "<strong>$1</strong>"},
	{regexp.MustCompile(`\*([^*]+)\*`), "<em>$1</em>"},
}

// chinese is a run of Chinese.
var chinese = regexp.MustCompile(`[\p{Han}，。、]+`)

// prose shows a description: paragraphs are parted by empty lines.
func prose(markdown string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(markdown), "\n\n") {
		b.WriteString("<p>")
		b.WriteString(string(line(strings.ReplaceAll(paragraph, "\n", " "))))
		b.WriteString("</p>\n")
	}
	return template.HTML(b.String()) //nolint:gosec // escaped by line
}

// line shows a single line of text, and says to fonts and screen readers where it is Chinese.
func line(markdown string) template.HTML {
	text := html.EscapeString(strings.TrimSpace(markdown))
	for _, mark := range marks {
		text = mark.pattern.ReplaceAllString(text, mark.html)
	}
	text = chinese.ReplaceAllString(text, `<span lang="zh-CN">$0</span>`)
	return template.HTML(text) //nolint:gosec // escaped above
}
