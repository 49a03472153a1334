package settings

import (
	"slices"
	"strings"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// said is a value and the name under which it was said.
type said struct{ text, source string }

// layer is all that one place says, by the names of the table.
type layer map[string]said

// Load reads the settings: flags by their names without dashes, those given only; then environ, as
// os.Environ returns it; then the file that --config or CAESAR_CONFIG names; then the defaults. An empty
// value stands for the default. A secret may stand in a file of its own, named by --x-file or CAESAR_X_FILE,
// which must not be empty.
//
// The error is a *fault.Error with a field for each fault, named as it was said: --listen, CAESAR_LISTEN,
// or caesar.env:3: CAESAR_LISTEN.
func Load(flags map[string]string, environ []string) (*Settings, error) {
	faults := fault.Fields{}
	layers := []layer{flagLayer(flags), environLayer(environ, faults)}
	if config, ok := find(layers, "config"); ok && config.text != "" {
		layers = append(layers, fileLayer(config.text, config.source, faults))
	}
	s := &Settings{}
	for _, r := range table() {
		value, wrong := resolve(layers, r)
		if wrong == nil {
			wrong = r.set(s, value.text)
		}
		if wrong != nil {
			faults[value.source] = *wrong
		}
	}
	if wrong := s.checkHashMemory(); wrong != nil {
		memory, _ := find(layers, "hash_memory")
		faults[memory.source] = *wrong
	}
	if len(faults) > 0 {
		e := fault.New(fault.Invalid, "invalid", phrase.SettingsWrong)
		e.Fields = faults
		return nil, e
	}
	s.derive()
	return s, nil
}

func flagLayer(flags map[string]string) layer {
	values := layer{}
	for name, text := range flags {
		values[strings.ReplaceAll(name, "-", "_")] = said{text, "--" + name}
	}
	return values
}

func environLayer(environ []string, faults fault.Fields) layer {
	values := layer{}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, prefix) || foreign(name, text) {
			continue
		}
		setting, ok := known(name)
		if !ok {
			faults[name] = phrase.SettingUnknown
			continue
		}
		values[setting] = said{text, name}
	}
	return values
}

// foreign reports whether a variable with our prefix is not meant for us: CAESAR_TEST_ is for tests, and
// Kubernetes puts CAESAR_SERVICE_HOST, CAESAR_PORT=tcp://… and their like beside every service that is
// called caesar.
func foreign(name, text string) bool {
	rest := strings.TrimPrefix(name, prefix)
	return strings.HasPrefix(rest, "TEST_") ||
		rest == "SERVICE_HOST" || rest == "SERVICE_PORT" || strings.HasPrefix(rest, "SERVICE_PORT_") ||
		(rest == "PORT" && strings.Contains(text, "://")) || strings.HasPrefix(rest, "PORT_")
}

// known returns the name in the table of a variable, and whether there is one.
func known(name string) (string, bool) {
	setting := strings.ToLower(strings.TrimPrefix(name, prefix))
	if variable(setting) != name {
		return "", false
	}
	ok := setting == "config" || slices.ContainsFunc(table(), func(r row) bool {
		return r.name == setting || (r.secret && r.name+"_file" == setting)
	})
	return setting, ok
}

func find(layers []layer, name string) (said, bool) {
	for _, l := range layers {
		if value, ok := l[name]; ok {
			return value, true
		}
	}
	return said{}, false
}

// resolve returns what is said about a setting in the first place that says anything.
func resolve(layers []layer, r row) (said, *phrase.Phrase) {
	for _, l := range layers {
		plain, ok := l[r.name]
		file, inFile := said{}, false
		if r.secret {
			file, inFile = l[r.name+"_file"]
		}
		switch {
		case plain.text != "" && file.text != "":
			return file, complain(phrase.SettingBoth, plain.source)
		case file.text != "":
			text, wrong := readFile(file.text)
			if text = strings.TrimRight(text, "\r\n"); text == "" && wrong == nil {
				wrong = complain(phrase.SettingFileEmpty) // half written, or not mounted: no default is meant by it
			}
			return said{text, file.source}, wrong
		case plain.text != "":
			return plain, nil
		case ok || inFile:
			return said{text: r.standard}, nil
		}
	}
	return said{text: r.standard}, nil
}
