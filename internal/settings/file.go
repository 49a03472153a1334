package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// mostFile is the most that is read of a file of settings, or of a secret, in bytes.
const mostFile = 64 << 10

// entry is a line of a file of settings.
type entry struct {
	line        int // from 1
	name, value string
}

// parseFile reads lines of the form NAME=value. Blank lines and lines that begin with # are skipped, and
// a leading "export " is. A value stands as it is, but for the blanks around it and one pair of quotes, '
// or ", around all of it: nothing in it is expanded, escaped or a comment, for passwords hold $, \ and #.
// It is therefore the format of docker's --env-file and systemd's EnvironmentFile= wherever those two agree.
// The faults are by line number, so that no half of a broken line is ever shown.
func parseFile(text string) ([]entry, map[int]phrase.Phrase) {
	var entries []entry
	faults := map[int]phrase.Phrase{}
	text = strings.TrimPrefix(text, "\ufeff")
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !found || !isName(name) {
			faults[i+1] = phrase.SettingNotAnEntry
			continue
		}
		value, ok := unquote(value)
		if !ok {
			faults[i+1] = phrase.SettingQuotes
			continue
		}
		entries = append(entries, entry{i + 1, name, value})
	}
	return entries, faults
}

// isName reports whether a name is one that a shell could set: what is shown of a line is never more.
func isName(name string) bool {
	for i, r := range name {
		letter := r == '_' || (r >= 'A' && r <= 'Z') || (r >= 'a' && r <= 'z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

func unquote(value string) (string, bool) {
	if value == "" || (value[0] != '\'' && value[0] != '"') {
		return value, true
	}
	inner, quote := value[1:], value[:1]
	end := strings.Index(inner, quote)
	if end < 0 || end != len(inner)-1 {
		return "", false
	}
	return inner[:end], true
}

// readFile reads a file whole. What it complains of names neither the path nor what is in the file: the
// path may be a secret that was given where its file was asked for.
func readFile(path string) (string, *phrase.Phrase) {
	f, err := os.Open(path)
	if err != nil {
		return "", complain(phrase.SettingFileUnread, reason(err))
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err != nil {
		return "", complain(phrase.SettingFileUnread, reason(err))
	}
	if len(content) > mostFile {
		return "", complain(phrase.SettingFileTooLarge, mostFile)
	}
	return string(content), nil
}

// reason is why a file can't be used, without its path.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// fileLayer reads a file of settings that source named.
func fileLayer(path, source string, faults fault.Fields) layer {
	text, wrong := readFile(path)
	if wrong != nil {
		faults[source] = *wrong
		return nil
	}
	entries, broken := parseFile(text)
	for line, p := range broken {
		faults[fmt.Sprintf("%s:%d", path, line)] = p
	}
	values := layer{}
	first := map[string]int{}
	for _, e := range entries {
		at := fmt.Sprintf("%s:%d: %s", path, e.line, e.name)
		name, ok := known(e.name)
		if !ok || name == "config" {
			faults[at] = phrase.SettingUnknown
			continue
		}
		if line, twice := first[name]; twice {
			faults[at] = phrase.SettingBoth.With(fmt.Sprintf("%s:%d", path, line))
			continue
		}
		first[name] = e.line
		values[name] = said{e.value, at}
	}
	return values
}
