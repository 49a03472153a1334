package main

import (
	"fmt"
	"strings"

	"caesar/internal/phrase"
)

// sayAgain says that there was nothing to do.
func (m *mover) sayAgain() {
	_ = m.say(phrase.MoveAgain, phrase.Phrase{}, phrase.MovedNext)
	_ = m.sayNext(m.settings.Blobs.Reveal() != "")
}

// sayMoved says what was moved, and what is left to do.
func (m *mover) sayMoved() error {
	words := []phrase.Phrase{phrase.MovedRows.With(m.all, m.people, m.items)}
	if m.mended > 0 {
		words = append(words, phrase.MovedMended.With(m.mended))
	}
	if m.blobs == nil {
		words = append(words, phrase.MovedNoBlobs.With(m.folder()))
	} else {
		words = append(words, phrase.MovedBlobs.With(m.moved, inUnits(m.movedBytes), m.blobs.String()))
	}
	if m.lost.count > 0 {
		words = append(words, phrase.MovedLost.With(m.lost.count))
	}
	if err := m.say(append(words, phrase.Phrase{}, phrase.MovedNext)...); err != nil {
		return err
	}
	return m.sayNext(m.blobs != nil)
}

// sayNext says how to serve what was moved. Where the backups stay in the data folder, it is needed still.
func (m *mover) sayNext(away bool) error {
	s := m.settings
	if away {
		command := "CAESAR_DATABASE_FILE=… CAESAR_BLOBS_FILE=… CAESAR_ROOT_KEY_FILE=… CAESAR_BACKUP_KEY_FILE=… caesar serve"
		return m.say(phrase.MovedKeys.With(s.RootKeyFile, s.BackupKeyFile), phrase.MovedServe.With(command), phrase.MovedSource)
	}
	command := "CAESAR_DATABASE_FILE=… caesar serve --data " + s.Data
	return m.say(phrase.MovedKeysThere.With(s.RootKeyFile, s.BackupKeyFile), phrase.MovedServe.With(command), phrase.MovedFolder.With(databaseFile(s)))
}

// say says words, each on a line of its own.
func (m *mover) say(words ...phrase.Phrase) error {
	var text strings.Builder
	for _, w := range words {
		text.WriteString(w.In(m.language) + "\n")
	}
	_, err := fmt.Fprint(m.out, text.String())
	return err
}
